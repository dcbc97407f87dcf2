import * as z from 'zod/mini';
import { amounts, conditions, count, field, line, listOf, mapList, optional, text, time } from './fields.ts';
import { defineKind } from './kind.ts';

const pem = () => text(131_072);

export const clusterKind = defineKind({
  kind: 'Cluster',
  plural: 'clusters',
  description: 'A Kubernetes cluster that the manager looks after. The one that the manager runs in is named local.',
  spec: z.object({
    displayName: optional(line(), 'Its name for people.'),
    description: optional(text(4096), 'What it is for.'),
    authorizedEndpoint: optional(
      z.object({
        enabled: field(
          z.boolean(),
          'Whether kubeconfigs also name the API servers of the cluster itself, which then know the tokens made for it.',
        ),
        address: optional(
          z.string().check(z.maxLength(261), z.regex(/^([A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?$/)),
          'Host, or host:port (6443), that people reach them by; without it, the addresses that they tell of themselves.',
        ),
        caBundle: optional(
          pem(),
          'CA of the certificate shown there, in PEM; without it the CA of the cluster, empty: those that hosts trust.',
        ),
      }),
      'The way to the cluster that does not lead through the manager.',
    ),
  }),
  status: z.object({
    phase: field(
      z._default(z.enum(['Pending', 'Active', 'Away', 'Removing']), 'Pending'),
      'Pending: its agent was never here. Active: it can be reached. Away: it cannot. Removing: what RFO put there is taken away.',
    ),
    conditions: conditions(),
    apiServer: optional(line(2048), 'Where its agent reaches its API server.'),
    caBundle: optional(pem(), 'The CA of that API server, in PEM.'),
    kubernetesVersion: optional(line(64), 'The version that its API server tells.'),
    agent: optional(
      z.object({
        version: optional(line(64), 'Version of the agent.'),
        via: optional(z.enum(['deployment', 'node', 'local']), 'What of the cluster holds the connection.'),
        since: optional(time(), 'Since when the connection stands, or is away.'),
        lastSeen: optional(time(), 'When the agent was heard last.'),
        reason: optional(line(256), 'One word that says why it is away.'),
        message: optional(text(4096), 'The same in a sentence.'),
      }),
      'The agent that connects the cluster.',
    ),
    endpoint: optional(
      z.object({
        servers: listOf(line(2048), 'Where its API servers say that they are.', 64),
        ready: optional(z.boolean(), 'Whether one of them was seen to know such tokens.'),
        message: optional(text(4096), 'The same in a sentence.'),
      }),
      'There while its API servers know the tokens made for it.',
    ),
    nodes: optional(z.object({ total: field(count(), 'All.'), ready: field(count(), 'Ready.') }), 'Number of nodes.'),
    capacity: optional(amounts(), 'What all nodes have together.'),
    allocatable: optional(amounts(), 'What pods can have of it.'),
    components: mapList(
      z.object({
        name: field(line(), 'Which.'),
        healthy: field(z.boolean(), 'Whether it is well.'),
        message: optional(text(4096), 'What is wrong.'),
      }),
      ['name'],
      'Parts of the control plane.',
      64,
    ),
  }),
  columns: [
    { name: 'Phase', path: '.status.phase' },
    { name: 'Version', path: '.status.kubernetesVersion' },
    { name: 'Nodes', path: '.status.nodes.total', type: 'integer' },
    { name: 'Agent', path: '.status.agent.via' },
    { name: 'Reason', path: '.status.agent.reason' },
    { name: 'Last seen', path: '.status.agent.lastSeen', type: 'date', wide: true },
    { name: 'Display name', path: '.spec.displayName', wide: true },
  ],
});
