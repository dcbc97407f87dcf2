/** For tests: the REST interface over the real parts and a real API server, on a socket of loopback. */
import { createServer, type IncomingHttpHeaders, request } from 'node:http';
import { createLog, Life, systemClock } from '@rfo/foundation';
import { startTestCluster } from '@rfo/kube';
import { createAudit } from '../audit/create-audit.ts';
import { recordOfIdentity } from '../audit/identity-record.ts';
import type { AuditEntry } from '../audit/types.ts';
import { createConnections } from '../clusters/create-connections.ts';
import { createIdentity } from '../identity/create-identity.ts';
import { installCrds } from '../objects/install-crds.ts';
import { openObjects } from '../objects/open-objects.ts';
import { createRights } from '../rights/create-rights.ts';
import { createWatches } from '../watches/create-watches.ts';
import { createApi } from './create-api.ts';
import type { Method } from './route.ts';

export type Wish = {
  readonly method?: Method;
  readonly path: string;
  readonly token?: string;
  readonly body?: unknown;
  /** Sent as it is, in the place of `body`. */
  readonly raw?: string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
};
export type Answer = { readonly status: number; readonly headers: IncomingHttpHeaders; readonly text: string; readonly json: Json };
/** What came as JSON; a test that looks for what is not there fails. */
// biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every form
export type Json = any;

export type ApiLab = Awaited<ReturnType<typeof startApiLab>>;

const namespace = 'rfo-system';
export const serverUrl = 'https://rfo.example.com';
export const authority = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n';

export async function startApiLab() {
  const cluster = await startTestCluster();
  const life = new Life();
  const lines: string[] = [];
  const log = createLog({ write: (line) => lines.push(line) });
  const { client } = cluster;
  await installCrds(client, { log, signal: life.signal });
  await client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  const objects = await openObjects({ client, life, log });
  await objects.settings.create({ metadata: { name: 'server-url' }, spec: { value: serverUrl } });
  const audit = createAudit({ client, objects, replica: 'one', life, log });
  const onEvent = (event: Parameters<typeof recordOfIdentity>[0]): void => audit.record(recordOfIdentity(event));
  // Far weaker than what is in force: the tests hash often.
  const passwordCost = { ln: 8, r: 8, p: 1 };
  const identity = createIdentity({ objects, client, namespace, clock: systemClock, onEvent, passwordCost, life, log });
  const rights = createRights({ objects, life, log });
  const connections = await createConnections({
    ...{ objects, client, local: cluster.options, namespace, image: 'agent:1', version: '1', authority: () => authority, life, log },
  });
  const watches = createWatches({ connections, objects, identity, rights, life, log });
  const parts = { client, objects, identity, rights, connections, audit, watches, authority: () => authority, log };
  const api = await createApi({ ...parts, life });
  const server = createServer(api);
  server.on('upgrade', watches.upgrade);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  life.defer(() => new Promise((resolve) => server.close(resolve)));
  life.defer(() => server.closeAllConnections());
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;

  const send = ({ method = 'GET', path, token, body, raw, headers = {} }: Wish) => {
    const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
    const content = raw ?? (body === undefined ? undefined : JSON.stringify(body));
    const sent = request({
      ...{ host: '127.0.0.1', port, method, path: `/api/v1${path}` },
      headers: {
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...(content !== undefined && { 'content-type': type, 'content-length': String(Buffer.byteLength(content)) }),
        ...headers,
      },
    });
    sent.end(content);
    return sent;
  };

  const ask = (wish: Wish): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const sent = send(wish);
      sent.once('error', reject);
      sent.once('response', (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk;
        });
        response.once('error', reject);
        response.once('end', () => {
          const isJson = response.headers['content-type']?.startsWith('application/json;') === true;
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text, json: isJson ? JSON.parse(text) : undefined });
        });
      });
    });

  const { password: first = '' } = await identity.ensureAdministrator();
  const adminPassword = 'correct horse battery';
  const signedIn = await identity.signIn({ username: 'admin', password: first, newPassword: adminPassword, address: '127.0.0.1' });
  const users = new Map<string, string>();

  /** A user without any right of his own, signed in; gives the token of his session. */
  const someone = async (username: string): Promise<string> => {
    const known = users.get(username);
    if (known !== undefined) return known;
    const password = `the password of ${username}`;
    await identity.createUser({ username, password, mustChange: false });
    const { credential } = await identity.signIn({ username, password, address: '127.0.0.1' });
    users.set(username, credential);
    return credential;
  };

  return {
    ...{ parts, ask, send, port, cluster, someone, lines, admin: signedIn.credential, adminPassword },
    /** The newest entries that match. */
    audited: async (query: Parameters<typeof audit.search>[0]): Promise<readonly AuditEntry[]> =>
      await Array.fromAsync(audit.search(query)),
    stop: async () => {
      await life.end();
      await cluster.stop();
    },
  };
}
