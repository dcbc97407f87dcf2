/** A cluster's join API on loopback, the real one over real certificates, and servers that behave badly, for the tests of joining nodes. */

import { createPublicKey } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import type { IncomingMessage, RequestListener } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { dirname } from 'node:path';
import { createLog, fail, type Life, type Log, silentLog } from '@rfo/foundation';
import { encodeKey, encodePem, generateKey, hostNames, identity, issueCertificate, publicKeyBytes, type Usage } from '@rfo/pki';
import { defaultClusterSettings } from '@rfo/schema';
import { readAuthority } from '../certificates/authority.ts';
import { TestNode } from '../certificates/node.testing.ts';
import { CertificateStore } from '../certificates/store.ts';
import type { EtcdPeer, TokenVerifier } from '../supervisor/api.ts';
import { bootstrapFiles } from '../supervisor/bootstrap-data.ts';
import type { SupervisorInputs } from '../supervisor/inputs.ts';
import { startSupervisor } from '../supervisor/start.ts';
import { caHash, type ParsedToken } from '../tokens/token-format.ts';
import type { ServerAddress } from './server-address.ts';
import { createSupervisorClient, type SupervisorClient, type SupervisorClientOptions } from './supervisor-client.ts';

export const secrets = { server: 'the-secret-of-servers', agent: 'the-secret-of-agents' } as const;

/** The signal of a test that nothing aborts. */
export const never = new AbortController().signal;

export const day = 86_400_000;

/** The certificates of a server, valid now, and the other files that it shares. */
export class TestServerFiles extends TestNode {
  override now = Date.now();

  static async create(): Promise<TestServerFiles> {
    const files = new TestServerFiles();
    await files.ensure();
    for (const name of bootstrapFiles(files.paths).filter((file) => !file.startsWith('tls/'))) {
      const file = `${files.paths.server.root}/${name}`;
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, name.endsWith('.json') ? '{"kind":"EncryptionConfiguration"}' : `${name}\n`);
    }
    return files;
  }

  get ca(): string {
    return this.read('server-ca.crt');
  }

  /** What serves as a TLS server's options. */
  get serving(): { cert: string; key: string } {
    return { cert: this.read('serving-kube-apiserver.crt'), key: this.read('serving-kube-apiserver.key') };
  }

  token(role: 'server' | 'agent'): ParsedToken {
    return {
      caHash: caHash(this.ca),
      credential: { kind: 'password', user: role === 'server' ? 'server' : 'node', password: secrets[role] },
    };
  }

  /** A serving certificate that the cluster's CA of servers signs for anybody. */
  leaf(change: { commonName?: string; hosts?: readonly string[]; usages?: readonly Usage[]; notAfter?: number } = {}): {
    cert: string;
    key: string;
  } {
    const {
      commonName = 'kube-apiserver',
      hosts = ['kubernetes.default.svc', '127.0.0.1'],
      usages = ['serverAuth'],
      notAfter = this.now + day,
    } = change;
    const key = generateKey();
    const { signer } = readAuthority('server-ca', { store: new CertificateStore(this.paths.server.tls), now: this.now });
    const request = { subject: identity(commonName), publicKey: publicKeyBytes(createPublicKey(key)), altNames: hostNames(hosts), usages };
    const der = issueCertificate({ ...request, notBefore: notAfter - 2 * day, notAfter }, signer);
    return { cert: encodePem('CERTIFICATE', der), key: encodeKey(key) };
  }
}

export type TestSupervisor = { readonly address: ServerAddress; readonly files: TestServerFiles; readonly life: Life; members: EtcdPeer[] };

/** The real join API. Its two tokens are `secrets`; the names of nodes are kept in memory; members of etcd are a list. */
export async function startTestSupervisor(
  life: Life,
  change: Partial<SupervisorInputs> & { readonly files?: TestServerFiles } = {},
): Promise<TestSupervisor> {
  const { files: given, ...inputs } = change;
  const files = given ?? (await TestServerFiles.create());
  if (given === undefined) life.defer(() => files[Symbol.dispose]());
  const own = life.child();
  const passwords = new Map<string, string>();
  const server: { members: EtcdPeer[] } = { members: [] };
  const supervisor = await startSupervisor({
    paths: files.paths,
    bindAddress: '127.0.0.1',
    port: 0,
    life: own,
    log: silentLog,
    clock: files.clock,
    leafLifetime: 30 * day,
    ready: () => true,
    apiServes: () => true,
    metrics: undefined,
    joinConfig: () => ({ settings: defaultClusterSettings, versions: { rfo: '0.1.0', kubernetes: 'v1.36.3' }, time: files.now }),
    servers: () => ['https://192.0.2.7:9345'],
    tokens,
    nodePasswords: {
      check: async (name, password) => {
        if ((passwords.get(name) ?? password) !== password) throw fail('join-name-taken', { name });
        passwords.set(name, password);
      },
    },
    members: {
      list: async () => server.members,
      add: async ({ name, peerUrls }) => {
        server.members.push({ id: String(server.members.length + 1), name: '', peerUrls, clientUrls: [], isLearner: true });
        if (name === 'taken') throw fail('etcd-refused', { endpoint: 'etcd', what: 'the member', problem: 'its name is taken' });
        return server.members;
      },
      removeUnstarted: async () => void server.members.pop(),
      promote: async (name) => (name === 'slow' ? 'it lacks 9000 entries' : 'voting'),
    },
    onTunnel: (socket) => socket.destroy(),
    ...inputs,
  });
  return Object.assign(server, { address: { host: '127.0.0.1', port: supervisor.port }, files, life: own });
}

const tokens: TokenVerifier = {
  verify: async (id, secret) => {
    if (id === 'server' && secret === secrets.server) return { ok: true, role: 'server', tokenId: id };
    if (id === 'node' && secret === secrets.agent) return { ok: true, role: 'agent', tokenId: id };
    if (id === 'oldone') return { ok: false, why: 'expired', at: '2026-01-01T00:00:00Z' };
    return { ok: false, why: 'unknown' };
  },
  used: () => undefined,
};

/** A client with the server's token, unless told otherwise. */
export function testClient(life: Life, supervisor: TestSupervisor, change: Partial<SupervisorClientOptions> = {}): SupervisorClient {
  const { files, address } = supervisor;
  const token = { credential: files.token('server').credential, role: 'server' } as const;
  const client = createSupervisorClient({ addresses: [address], ca: files.ca, nodeName: 'node-2', token, signal: life.signal, ...change });
  life.defer(() => client[Symbol.dispose]());
  return client;
}

export type BadServer = {
  readonly address: ServerAddress;
  /** Every byte that came through TLS. */
  readonly heard: () => string;
  readonly requests: IncomingMessage[];
};

/** A TLS server that answers as the test wants, and keeps all that it was told. */
export async function startBadServer(life: Life, tls: { cert: string; key: string }, answer: RequestListener): Promise<BadServer> {
  const heard: Buffer[] = [];
  const requests: IncomingMessage[] = [];
  const server = createServer({ ...tls, requestCert: true, rejectUnauthorized: false });
  // Before the HTTP server's own listener, which may end the connection.
  server.prependListener('secureConnection', (socket) => socket.on('data', (bytes: Buffer) => heard.push(bytes)));
  server.on('tlsClientError', () => undefined);
  server.on('request', (request, response) => {
    requests.push(request);
    answer(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  life.defer(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { address: { host: '127.0.0.1', port }, heard: () => Buffer.concat(heard).toString('latin1'), requests };
}

/** An address on loopback where nothing listens. */
export async function closedAddress(): Promise<ServerAddress> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return { host: '127.0.0.1', port };
}

/** A log and its lines. */
export function memoryLog(): { log: Log; lines: string[] } {
  const lines: string[] = [];
  return { log: createLog({ write: (line) => void lines.push(line), level: 'debug' }), lines };
}
