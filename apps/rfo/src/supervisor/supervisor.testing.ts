/** For tests: a supervisor with real certificates in a temporary folder, and callers of every kind. */
import { createPublicKey } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import type { IncomingHttpHeaders } from 'node:http';
import { type Agent, request } from 'node:https';
import { dirname } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { createLog, Life, systemClock } from '@rfo/foundation';
import { createSigningRequest, encodeKey, encodePem, generateKey, identity, issueCertificate, type Name, publicKeyBytes } from '@rfo/pki';
import { readAuthority } from '../certificates/authority.ts';
import { TestNode } from '../certificates/node.testing.ts';
import { CertificateStore } from '../certificates/store.ts';
import type { AuthorityName } from '../certificates/table.ts';
import { ensureEncryptionConfig } from '../server/encryption-config.ts';
import { type ApiProblem, joinHeaders, type TokenRole, type TokenVerdict, type TokenVerifier } from './api.ts';
import type { SupervisorInputs } from './inputs.ts';
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

const secrets = { server: 'the-secret-of-servers', node: 'the-secret-of-agents' } as const;
export const serverToken = basic('server', secrets.server);
export const agentToken = basic('node', secrets.node);

/** A verifier of tokens that the test makes; the two of the cluster are there. */
export class TestTokens implements TokenVerifier {
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
    await test.node.ensure({ clock: systemClock });
    const { paths } = test.node;
    await ensureEncryptionConfig(paths.server.encryptionConfig, 'secretbox');
    for (const file of ['clusterTokens', 'passwd', 'token', 'nodeToken', 'agentToken'] as const) {
      await mkdir(dirname(paths.server[file]), { recursive: true });
      await writeFile(paths.server[file], `${secrets.server}\n`, { mode: 0o600 });
    }
    const supervisor = await startSupervisor({
      paths,
      bindAddress: '127.0.0.1',
      port: 0,
      life: test.life,
      log: createLog({ write: (line) => test.lines.push(line) }),
      leafLifetime: 86_400_000,
      ready: () => true,
      metrics: () => '# of the rest\n',
      joinConfig: () => ({ settings: {} as never, versions: { rfo: '1', kubernetes: 'v1' }, time: 1 }),
      servers: () => ['https://192.0.2.7:9345', 'https://[2001:db8::8]:9345', 'https://server-3.example:9345'],
      tokens: test.tokens,
      members: undefined,
      onTunnel: (socket, nodeName) => test.tunnels.push({ socket, nodeName }),
      ...change,
    });
    test.#supervisor.push(supervisor);
    return test;
  }

  ask(question: Question): Promise<Reply> {
    return ask({ port: this.port, ca: this.node.read('server-ca.crt') }, question);
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

export function ask(to: { readonly port: number; readonly ca: string }, question: Question): Promise<Reply> {
  const { path, method = 'GET', headers = {}, body, as, agent } = question;
  return new Promise((resolve, reject) => {
    const options = { ...to, ...as, host: '127.0.0.1', path, method, headers, agent: agent ?? false, signal: AbortSignal.timeout(30_000) };
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
