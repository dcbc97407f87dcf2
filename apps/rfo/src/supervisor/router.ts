/** Every route of port 9345, and who may use it. What does not stand here does not exist. */

import { type Clock, fail } from '@rfo/foundation';
import * as z from 'zod/mini';
import { bodyLimit, joinHeaders, joinPaths, parseAddMember } from './api.ts';
import { readBootstrapData } from './bootstrap-data.ts';
import type { SupervisorInputs } from './inputs.ts';
import { readNodeIdentity } from './issue-node-certificate.ts';
import type { Joins } from './joins.ts';
import { nodeCertificateHandlers } from './node-certificate-handlers.ts';
import { type Answer, type Call, expected, header, json, passwordOf, type Route, text } from './route.ts';

export function createRoutes(
  inputs: SupervisorInputs,
  parts: { readonly clock: Clock; readonly joins: Joins; readonly counters: () => string },
) {
  const { ready, metrics, joinConfig, servers } = inputs;
  const certificates = nodeCertificateHandlers(inputs, parts);
  const etcd = memberHandlers(inputs, parts.joins);

  return [
    { path: joinPaths.ping, method: 'GET', access: 'anybody', limit: 'none', body: 0, handle: () => text('pong') },
    { path: joinPaths.caCerts, method: 'GET', access: 'anybody', limit: 'none', body: 0, handle: certificates.authority('server-ca') },

    { path: '/healthz', method: 'GET', access: 'administrators', limit: 'none', body: 0, handle: () => text('ok') },
    { path: '/readyz', method: 'GET', access: 'administrators', limit: 'none', body: 0, handle: () => whenReady(ready) },
    ...(metrics === undefined
      ? []
      : [{ ...metricsRoute, handle: () => ({ type: prometheus, body: metrics() + parts.counters() }) } as const]),

    { path: joinPaths.ready, method: 'GET', access: 'joiners', limit: 'read', body: 0, handle: () => whenReady(ready) },
    {
      path: joinPaths.config,
      method: 'GET',
      access: 'joiners',
      limit: 'read',
      body: 0,
      handle: () => json({ ...joinConfig(), servers: servers() }),
    },
    { path: joinPaths.servers, method: 'GET', access: 'joiners', limit: 'read', body: 0, handle: () => json({ servers: servers() }) },
    { path: joinPaths.clientCa, method: 'GET', access: 'joiners', limit: 'read', body: 0, handle: certificates.authority('client-ca') },
    { path: joinPaths.serverCa, method: 'GET', access: 'joiners', limit: 'read', body: 0, handle: certificates.authority('server-ca') },
    { path: joinPaths.nodeCertificates, ...signing, handle: certificates.all },
    { path: joinPaths.servingKubelet, ...signing, handle: certificates.one('serving-kubelet') },
    { path: joinPaths.clientKubelet, ...signing, handle: certificates.one('client-kubelet') },
    { path: joinPaths.clientKubeProxy, ...signing, handle: certificates.one('client-kube-proxy') },
    { path: joinPaths.clientController, ...signing, handle: certificates.one('client-rfo-controller') },

    { path: joinPaths.bootstrap, method: 'GET', access: 'servers', limit: 'read', body: 0, handle: bootstrapHandler(inputs, parts.joins) },
    { path: joinPaths.etcdMembers, method: 'GET', access: 'servers', limit: 'read', body: 0, handle: etcd.list },
    { path: joinPaths.etcdMembers, method: 'POST', access: 'servers', limit: 'write', body: bodyLimit, handle: etcd.add },
    { path: joinPaths.etcdMembers, method: 'DELETE', access: 'servers', limit: 'write', body: 0, handle: etcd.remove },
    { path: joinPaths.etcdPromote, method: 'POST', access: 'servers', limit: 'write', body: bodyLimit, handle: etcd.promote },
  ] as const satisfies readonly Route[];
}

const signing = { method: 'POST', access: 'joiners', limit: 'write', body: bodyLimit } as const;
const metricsRoute = { path: '/metrics', method: 'GET', access: 'administrators', limit: 'none', body: 0 } as const;
const prometheus = 'text/plain; version=0.0.4; charset=utf-8';

function whenReady(ready: () => boolean): Answer {
  if (!ready()) throw fail('server-starting', {});
  return text('ok');
}

function bootstrapHandler({ paths, log, nodePasswords, ready, apiServes }: SupervisorInputs, joins: Joins): Route['handle'] {
  return async ({ who, headers, address, signal }) => {
    const name = header(headers, joinHeaders.nodeName);
    const node = name === undefined ? undefined : readNodeIdentity({ name, ips: undefined }).nodeName;
    // With these keys it could make itself the certificates of any node: whose name it is has to be settled before.
    if (node !== undefined && who.caller.kind === 'token') {
      if (apiServes()) await nodePasswords.check(node, passwordOf(headers), signal);
      else if (!ready()) throw fail('server-starting', {});
      // It may be the first to bring an API server, or the one that brings it back: nobody can be asked before.
      else log.warn('there is no API server that knows whose the name is: this server is believed', { node });
    }
    const data = await readBootstrapData(paths);
    if (node !== undefined) joins.accepted(who, { nodeName: node, address });
    log.info('the keys of the cluster were given to a server', { node, address });
    return json(data);
  };
}

function memberHandlers({ members }: SupervisorInputs, joins: Joins) {
  return {
    list: async ({ signal }: Call) => json({ members: await members.list(signal) }),
    add: async ({ who, body, address, signal }: Call) => {
      const wish = expected(() => parseAddMember(JSON.parse(body.toString('utf8'))));
      const { nodeName } = readNodeIdentity({ name: wish.nodeName, ips: undefined });
      checkMember(wish.name);
      checkPeerUrls(wish.peerUrls);
      const all = await members.add({ ...wish, nodeName }, signal);
      joins.accepted(who, { nodeName, address });
      return json({ members: all });
    },
    remove: async ({ query, signal }: Call) => {
      const name = query.get('name') ?? '';
      checkMember(name);
      await members.removeUnstarted(name, signal);
      return json({});
    },
    promote: async ({ body, signal }: Call) => {
      const { name } = expected(() => z.parse(promotion, JSON.parse(body.toString('utf8'))));
      checkMember(name);
      const state = await members.promote(name, signal);
      if (state !== 'voting') throw fail('etcd-not-caught-up', { name, why: state });
      return json({});
    },
  };
}

const promotion = z.object({ name: z.string() });

/** One that never started has no name yet and goes by its peer URL. */
function checkMember(name: string): void {
  if (!/^[\x21-\x7e]{1,300}$/.test(name)) throw fail('request-invalid', { problem: 'it names no member' });
}

function checkPeerUrls(urls: readonly string[]): void {
  const good = urls.length > 0 && urls.length <= 8 && urls.every((url) => URL.parse(url)?.protocol === 'https:');
  if (!good) throw fail('request-invalid', { problem: 'the peer URLs of the member are not https' });
}
