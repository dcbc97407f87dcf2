/** For tests: a supervisor with real certificates in a temporary folder, and callers of every kind. */
import { createPublicKey } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import type { IncomingHttpHeaders } from 'node:http';
import { type Agent, request } from 'node:https';
import { dirname } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';
import { createLog, Life, systemClock } from '@rfo/foundation';
import { createSigningRequest, encodeKey, encodePem, generateKey, identity, issueCertificate, type Name, publicKeyBytes } from '@rfo/pki';
import { readAuthority } from '../certificates/authority.ts';
import { TestNode } from '../certificates/node.testing.ts';
import { CertificateStore } from '../certificates/store.ts';
import type { AuthorityName } from '../certificates/table.ts';
import { ensureEncryptionConfig } from '../server/encryption-config.ts';
import { type ApiProblem, type EtcdPeer, joinHeaders, joinPaths, type TokenRole, type TokenVerdict, type TokenVerifier } from './api.ts';
import type { MemberService, SupervisorInputs } from './inputs.ts';
import { type Supervisor, startSupervisor } from './start.ts';

export type Pair = { readonly cert: string; readonly key: string };
export type Question = {
  readonly path: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
  readonly as?: Pair | undefined;
  readonly agent?: Agent;
};
export type Reply = {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** `undefined` where the body is none. */
  readonly problem: ApiProblem | undefined;
};

export const certificatePaths = [joinPaths.clientKubelet, joinPaths.servingKubelet, joinPaths.clientKubeProxy, joinPaths.clientController];
const serverPaths = [joinPaths.bootstrap, joinPaths.etcdMembers] as const;
export const joinerPaths = [joinPaths.ready, joinPaths.config, joinPaths.servers, joinPaths.clientCa, joinPaths.serverCa];
export const administratorPaths = ['/healthz', '/readyz', '/metrics'];
export const everyRoute: readonly Question[] = [
  ...[...serverPaths, ...joinerPaths, ...administratorPaths].map((path) => ({ path })),
  ...[...certificatePaths, joinPaths.nodeCertificates, joinPaths.etcdMembers, joinPaths.etcdPromote].map((path) => ({
    path,
    method: 'POST',
  })),
  { path: `${joinPaths.etcdMembers}?name=x`, method: 'DELETE' },
];

const secrets = { server: 'the-secret-of-servers', node: 'the-secret-of-agents' } as const;
export const serverToken = basic('server', secrets.server);
export const agentToken = basic('node', secrets.node);

/** A verifier of tokens that the test makes; the two of the cluster are there. */
class TestTokens implements TokenVerifier {
  readonly #made = new Map<string, { secret: string; role: TokenRole; expired?: string; uses?: number }>();
  readonly uses: string[] = [];

  make(id: string, token: { role: TokenRole; expired?: string; uses?: number }): Record<string, string> {
    const secret = '0123456789abcdef';
    this.#made.set(id, { ...token, secret });
    return { authorization: `Bearer ${id}.${secret}` };
  }

  async verify(id: string, secret: string): Promise<TokenVerdict> {
    if (id === 'server' && secret === secrets.server) return { ok: true, role: 'server', tokenId: id };
    if (id === 'node' && secret === secrets.node) return { ok: true, role: 'agent', tokenId: id };
    const token = this.#made.get(id);
    if (token?.secret !== secret) return { ok: false, why: 'unknown' };
    if (token.expired !== undefined) return { ok: false, why: 'expired', at: token.expired };
    if (token.uses !== undefined && this.uses.filter((use) => use.startsWith(`${id} `)).length >= token.uses)
      return { ok: false, why: 'used-up' };
    return { ok: true, role: token.role, tokenId: id };
  }

  used(tokenId: string, nodeName: string): void {
    this.uses.push(`${tokenId} ${nodeName}`);
  }
}

export class TestServer implements AsyncDisposable {
  readonly node = new TestNode();
  readonly life = new Life();
  readonly tokens = new TestTokens();
  readonly lines: string[] = [];
  readonly tunnels: { readonly socket: TLSSocket; readonly nodeName: string }[] = [];
  readonly #supervisor: Supervisor[] = [];

  get supervisor(): Supervisor {
    const [supervisor] = this.#supervisor;
    if (supervisor === undefined) throw new Error('not started');
    return supervisor;
  }
  get port(): number {
    return this.supervisor.port;
  }

  static async start(change: Partial<SupervisorInputs> & Pick<SupervisorInputs, 'nodePasswords'>): Promise<TestServer> {
    const test = new TestServer();
    try {
      await test.#start(change);
    } catch (error) {
      await test[Symbol.asyncDispose]();
      throw error;
    }
    return test;
  }

  async #start(change: Partial<SupervisorInputs> & Pick<SupervisorInputs, 'nodePasswords'>): Promise<void> {
    await this.node.ensure({ clock: systemClock });
    const { paths } = this.node;
    await ensureEncryptionConfig(paths.server.encryptionConfig, 'secretbox');
    for (const file of ['clusterTokens', 'passwd', 'token', 'nodeToken', 'agentToken'] as const) {
      await mkdir(dirname(paths.server[file]), { recursive: true });
      await writeFile(paths.server[file], `${secrets.server}\n`, { mode: 0o600 });
    }
    const supervisor = await startSupervisor({
      paths,
      bindAddress: '127.0.0.1',
      port: 0,
      life: this.life,
      log: createLog({ write: (line) => this.lines.push(line) }),
      leafLifetime: 86_400_000,
      ready: () => true,
      apiServes: change.ready ?? (() => true),
      metrics: () => '# of the rest\n',
      joinConfig: () => ({ settings: {} as never, versions: { rfo: '1', kubernetes: 'v1' }, time: 1 }),
      servers: () => ['https://192.0.2.7:9345', 'https://[2001:db8::8]:9345', 'https://server-3.example:9345'],
      tokens: this.tokens,
      members: fakeMembers(),
      onTunnel: (socket, nodeName) => this.tunnels.push({ socket, nodeName }),
      ...change,
    });
    this.#supervisor.push(supervisor);
  }

  ask(question: Question): Promise<Reply> {
    return ask({ port: this.port, ca: this.node.read('server-ca.crt') }, question);
  }

  /** Sends these bytes on a connection of its own; gives the answer. */
  raw(text: string): Promise<Pick<Reply, 'status' | 'problem'>> {
    const socket = connect({ host: '127.0.0.1', port: this.port, ca: this.node.read('server-ca.crt'), timeout: 30_000 });
    return new Promise((resolve, reject) => {
      let all = '';
      socket.once('timeout', () => socket.destroy(new Error('no answer')));
      socket.once('error', reject);
      socket.on('data', (data) => {
        all += data.toString();
        const [head = '', body] = all.split('\r\n\r\n');
        const length = Number(/content-length: (\d+)/i.exec(head)?.[1]);
        if (body === undefined || Buffer.byteLength(body) < length) return;
        socket.destroy();
        const status = Number(head.split(' ')[1]);
        resolve({ status, problem: status === 200 ? undefined : (JSON.parse(body) as ApiProblem) });
      });
      socket.write(text);
    });
  }

  /** A client certificate of this cluster, for a new key. */
  certificate(subject: Name, of: { readonly signer?: AuthorityName; readonly ends?: number } = {}): Pair {
    const { signer: name = 'client-ca', ends = Date.now() + 3_600_000 } = of;
    const key = generateKey();
    const { signer } = readAuthority(name, { store: new CertificateStore(this.node.paths.server.tls), now: Date.now() });
    const dates = { notBefore: Date.now() - 3_600_000, notAfter: ends };
    const request = { subject, publicKey: publicKeyBytes(createPublicKey(key)), usages: ['clientAuth'], ...dates } as const;
    return { cert: encodePem('CERTIFICATE', issueCertificate(request, signer)), key: encodeKey(key) };
  }

  nodeCertificate(nodeName: string): Pair {
    return this.certificate(identity(`system:node:${nodeName}`, ['system:nodes']));
  }

  admin(): Pair {
    return { cert: this.node.read('client-admin.crt'), key: this.node.read('client-admin.key') };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.life.end();
    this.node[Symbol.dispose]();
  }
}

/** A request for a certificate, with the headers that belong to it. */
export function signing(path: string, node: { readonly name: string; readonly password?: string; readonly ips?: string }): Question {
  const { name, password = '0123456789abcdef0123456789abcdef', ips = '198.51.100.20' } = node;
  const headers = { [joinHeaders.nodeName]: name, [joinHeaders.nodePassword]: password, [joinHeaders.nodeIp]: ips, ...agentToken };
  return { method: 'POST', path, headers, body: createSigningRequest({ subject: identity('whoever') }, generateKey()) };
}

function ask(to: { readonly port: number; readonly ca: string }, question: Question): Promise<Reply> {
  const { path, method = 'GET', headers = {}, body, as, agent } = question;
  return new Promise((resolve, reject) => {
    const options = { ...to, ...as, host: '127.0.0.1', path, method, headers, agent: agent ?? false, signal: AbortSignal.timeout(90_000) };
    const outgoing = request(options, (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.once('error', reject);
      incoming.once('end', () => {
        const text = Buffer.concat(chunks).toString('utf8');
        const status = incoming.statusCode ?? 0;
        resolve({ status, headers: incoming.headers, text, problem: status === 200 ? undefined : (JSON.parse(text) as ApiProblem) });
      });
    });
    outgoing.once('error', reject);
    outgoing.end(body);
  });
}

function basic(user: string, secret: string): Record<string, string> {
  return { authorization: `Basic ${Buffer.from(`${user}:${secret}`).toString('base64')}` };
}

export type FakeMembers = MemberService & {
  readonly peers: EtcdPeer[];
  readonly calls: string[];
  readonly called: Promise<void>;
  state: string;
  broken: Error | undefined;
  until: Promise<void> | undefined;
  signal: AbortSignal | undefined;
};

/** Stands for etcd here: what the routes do with its answers and errors. */
export function fakeMembers(): FakeMembers {
  const called = Promise.withResolvers<void>();
  const fake: FakeMembers = {
    peers: [],
    calls: [],
    state: '3 % behind',
    broken: undefined,
    until: undefined,
    signal: undefined,
    called: called.promise,
    list: async () => {
      if (fake.broken !== undefined) throw fake.broken;
      return fake.peers;
    },
    add: async ({ nodeName, name, peerUrls }) => {
      fake.calls.push(`add ${nodeName} ${name}`);
      fake.peers.push({ id: '1', name: '', peerUrls, clientUrls: [], isLearner: true });
      return fake.peers;
    },
    removeUnstarted: async (name, signal) => {
      fake.calls.push(`remove ${name}`);
      fake.signal = signal;
      called.resolve();
      await fake.until;
    },
    promote: async () => fake.state,
  };
  return fake;
}
