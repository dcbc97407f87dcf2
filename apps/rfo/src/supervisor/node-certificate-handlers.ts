/** The routes by which nodes come to their certificates: each on its own, as RKE2 has it, and all in one. */
import { readFileSync } from 'node:fs';
import { type Clock, fail } from '@rfo/foundation';
import { whileUnchanged } from '@rfo/http';
import { CertificateStore } from '../certificates/store.ts';
import { type IssuedCertificates, joinHeaders, type NodeCertificateName, nodeCertificateNames, parseCertificateRequests } from './api.ts';
import type { SupervisorInputs } from './inputs.ts';
import { createNodeCertificates, type NodeIdentity, readNodeIdentity } from './issue-node-certificate.ts';
import type { Joins } from './joins.ts';
import { type Call, expected, header, json, passwordOf, pem, type Route } from './route.ts';

type NodeAuthority = keyof IssuedCertificates['authorities'];

export function nodeCertificateHandlers(
  inputs: SupervisorInputs,
  { clock, joins }: { readonly clock: Clock; readonly joins: Joins },
): {
  readonly authority: (name: NodeAuthority) => Route['handle'];
  readonly one: (name: NodeCertificateName) => Route['handle'];
  readonly all: Route['handle'];
} {
  const { paths, leafLifetime, servers, nodePasswords, ready, apiServes } = inputs;
  const certificates = createNodeCertificates({ paths, clock, leafLifetime, servers });
  const store = new CertificateStore(paths.server.tls);
  const reader = (name: NodeAuthority): (() => string) => {
    const file = store.certificateFile(name);
    return whileUnchanged([file], () => readFileSync(file, 'utf8'));
  };
  const authorities = { 'client-ca': reader('client-ca'), 'server-ca': reader('server-ca') };

  /** Whose certificates the caller may have: his own by one of them, else those of the name that his password belongs to. */
  const admit = async ({ who, headers, signal }: Call): Promise<NodeIdentity> => {
    const node = readNodeIdentity({ name: header(headers, joinHeaders.nodeName), ips: header(headers, joinHeaders.nodeIp) });
    const { nodeName } = node;
    if (who.caller.kind === 'node') {
      if (who.caller.nodeName !== nodeName) throw fail('join-foreign-name', { own: who.caller.nodeName, name: nodeName });
      return node;
    }
    // Only the API knows whose name it is.
    if (!apiServes()) throw fail('server-starting', {});
    await nodePasswords.check(nodeName, passwordOf(headers), signal);
    return node;
  };

  return {
    authority: (name) => () => pem(authorities[name]()),
    one: (name) => async (call) => {
      const node = await admit(call);
      const issued = certificates.issue(name, call.body, node);
      joins.accepted(call.who, { nodeName: node.nodeName, address: call.address });
      return pem(issued);
    },
    all: async (call) => {
      // Asked first of all that a node may ask: where this server can do its part, the node may count on it for the rest.
      if (!ready()) throw fail('server-starting', {});
      const { requests } = expected(() => parseCertificateRequests(JSON.parse(call.body.toString('utf8'))));
      const known = { 'client-ca': authorities['client-ca'](), 'server-ca': authorities['server-ca']() };
      const names = nodeCertificateNames.filter((name) => requests[name] !== undefined);
      if (names.length === 0) return json({ authorities: known, certificates: {} });
      const node = await admit(call);
      const issued = names.map((name) => [name, certificates.issue(name, requests[name] ?? new Uint8Array(), node)]);
      joins.accepted(call.who, { nodeName: node.nodeName, address: call.address });
      return json({ authorities: known, certificates: Object.fromEntries(issued) });
    },
  };
}
