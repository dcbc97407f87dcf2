/**
 * Run by the scenario `burst`: many agents that say to a server what a joining agent says, on as many connections and in the same order, and
 * have next to no work themselves. Their keys and requests are made before, what they get is verified after, and HTTP is what little of it is
 * needed: in a cluster hundreds of hosts do all that, here it would take the processors from the one server.
 */
import type { KeyObject } from 'node:crypto';
import { connect, createSecureContext, type SecureContext } from 'node:tls';
import { certificateInfos, generateKey } from '@rfo/pki';
import {
  joinHeaders,
  joinPaths,
  type NodeCertificateName,
  nodeCertificateNames,
  parseIssuedCertificates,
  renderCertificateRequests,
} from '../supervisor/api.ts';
import { caHash, parseToken } from '../tokens/token-format.ts';
import { type CrowdAgent, type CrowdOrder, runCrowd } from './crowd.testing.ts';
import { checkIssued, requestLeaf, wantedLeaf } from './node-leaf.ts';

/** Keys and requests of one agent, and what it was given for them. */
type Leaves = { readonly keys: ReadonlyMap<NodeCertificateName, KeyObject>; readonly body: string; answer?: string };

/** `headers` as lines. Gives the body of a 200. */
type Ask = (path: string, headers?: string, body?: string) => Promise<string>;

const leaves = new Map<string, Leaves>();

runCrowd({
  empty: async (agents) => {
    for (const agent of agents) leaves.set(agent.nodeName, leavesOf(agent));
  },
  join,
  verify: (agents) => agents.flatMap(problemsOf),
});

async function join(agent: CrowdAgent, order: CrowdOrder): Promise<void> {
  const { caHash: pinned, credential } = parseToken(order.token);
  if (credential.kind !== 'password') throw new Error('the token is none of the cluster');
  const shown = await onConnection({ rejectUnauthorized: false }, order, (ask) => ask(joinPaths.caCerts));
  if (caHash(shown) !== pinned) throw new Error('the CA is not the one that the token names');
  const headers = [
    `authorization: Basic ${Buffer.from(`${credential.user ?? 'node'}:${credential.password}`).toString('base64')}`,
    `${joinHeaders.nodeName}: ${agent.nodeName}`,
    `${joinHeaders.nodePassword}: ${agent.nodePassword}`,
    `${joinHeaders.nodeIp}: ${agent.nodeIp}`,
    '',
  ].join('\r\n');
  await onConnection({ secureContext: contextOf(shown) }, order, async (ask) => {
    await ask(joinPaths.config, headers);
    const own = leaves.get(agent.nodeName);
    if (own !== undefined) own.answer = await ask(joinPaths.nodeCertificates, headers, own.body);
  });
}

type Trust = { readonly rejectUnauthorized: false } | { readonly secureContext: SecureContext };

/** One connection and one question after the other on it. */
async function onConnection<T>(trust: Trust, { server }: CrowdOrder, work: (ask: Ask) => Promise<T>): Promise<T> {
  const { hostname: host, port } = new URL(server);
  const socket = connect({ host, port: Number(port), ALPNProtocols: ['http/1.1'], ...trust });
  let waiting: PromiseWithResolvers<string> | undefined;
  let received = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    received += chunk;
    const answer = wholeAnswer(received);
    if (answer === undefined) return;
    received = '';
    if (answer.status === 200) waiting?.resolve(answer.body);
    else waiting?.reject(new Error(`${answer.status} ${answer.body}`));
  });
  socket.on('error', (error) => waiting?.reject(error));
  socket.on('close', () => waiting?.reject(new Error('the server closed the connection')));
  const ask: Ask = (path, headers = '', body = '') => {
    waiting = Promise.withResolvers();
    const method = body === '' ? 'GET' : 'POST';
    socket.write(`${method} ${path} HTTP/1.1\r\nhost: ${host}\r\ncontent-length: ${body.length}\r\n${headers}\r\n${body}`);
    return waiting.promise;
  };
  const timer = setTimeout(() => socket.destroy(new Error('it is not done within 60 s')), 60_000);
  try {
    return await work(ask);
  } finally {
    clearTimeout(timer);
    socket.destroy();
  }
}

/** Undefined while a part of it is missing. The server tells the length of every answer, and writes ASCII. */
function wholeAnswer(text: string): { readonly status: number; readonly body: string } | undefined {
  const end = text.indexOf('\r\n\r\n') + 4;
  const length = Number(/^content-length: (\d+)\r$/im.exec(text)?.[1]);
  return end < 4 || text.length < end + length ? undefined : { status: Number(text.split(' ', 2)[1]), body: text.slice(end) };
}

const contexts = new Map<string, SecureContext>();

/** One for all, who would each have their own. */
function contextOf(ca: string): SecureContext {
  const context = contexts.get(ca) ?? createSecureContext({ ca });
  contexts.set(ca, context);
  return context;
}

function leavesOf({ nodeName, nodeIp }: CrowdAgent): Leaves {
  const keys = new Map(nodeCertificateNames.map((name) => [name, generateKey()]));
  const requests = [...keys].map(([name, key]) => [name, requestLeaf(wantedLeaf(name, { nodeName, nodeIps: [nodeIp] }), key)]);
  return { keys, body: renderCertificateRequests({ requests: Object.fromEntries(requests) }) };
}

/** Looked at as a node looks at them: its own names and uses, its own key, the right CA. */
function problemsOf({ nodeName, nodeIp }: CrowdAgent): readonly string[] {
  const { keys, answer } = leaves.get(nodeName) ?? {};
  if (keys === undefined || answer === undefined) return [];
  const { authorities, certificates } = parseIssuedCertificates(JSON.parse(answer));
  return [...keys].flatMap(([name, key]) => {
    try {
      const authority = certificateInfos(authorities[name === 'serving-kubelet' ? 'server-ca' : 'client-ca']);
      const pem = certificates[name] ?? '';
      checkIssued(name, { pem, wanted: wantedLeaf(name, { nodeName, nodeIps: [nodeIp] }), key, authority, now: Date.now() });
      return [];
    } catch (error) {
      return [`${nodeName}: the certificate ${name}: ${error instanceof Error ? error.message : String(error)}`];
    }
  });
}
