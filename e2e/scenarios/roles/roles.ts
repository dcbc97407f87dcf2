/** What the cluster shows of the roles of its servers, and how they are changed. */
import assert from 'node:assert/strict';
import { eventually } from '../../harness/eventually.ts';
import type { Node } from '../../harness/node.ts';

/** Restarts rfo alone with another configuration: what can go on runs on. */
export async function restartAs(node: Node, config: Readonly<Record<string, unknown>>): Promise<void> {
  await node.configure(config);
  assert.equal(await node.stop('SIGUSR2'), 0);
  await node.start();
}

/** The roles that a Node shows, sorted. */
export async function rolesOf(by: Node, name: string): Promise<readonly string[]> {
  const labels = JSON.parse(await by.kubectl(['get', 'node', name, '-o', 'jsonpath={.metadata.labels}'])) as Record<string, string>;
  const prefix = 'node-role.kubernetes.io/';
  return Object.keys(labels)
    .filter((label) => label.startsWith(prefix))
    .map((label) => label.slice(prefix.length))
    .sort();
}

type Asking = { readonly by: Node; readonly signal: AbortSignal };

export async function untilRoles(wanted: Readonly<Record<string, readonly string[]>>, { by, signal }: Asking): Promise<void> {
  for (const [name, roles] of Object.entries(wanted)) {
    const look = async (): Promise<true> => {
      assert.deepEqual(await rolesOf(by, name), roles);
      return true;
    };
    await eventually(`${name} to show its roles`, look, { signal });
  }
}

/** The endpoints of the Service `kubernetes` are these servers. */
export async function untilApiServers(servers: readonly Node[], { by, signal }: Asking): Promise<void> {
  const wanted = servers.map(({ host }) => host.ip).sort();
  const question = ['get', 'endpointslices', '-l', 'kubernetes.io/service-name=kubernetes'];
  const look = async (): Promise<true> => {
    const answer = await by.kubectl([...question, '-o', 'jsonpath={.items[*].endpoints[*].addresses[*]}']);
    assert.deepEqual(answer.split(' ').sort(), wanted);
    return true;
  };
  await eventually('the endpoints of the API', look, { signal });
}
