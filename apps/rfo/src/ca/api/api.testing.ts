/** For tests: a CA with real keys, a real database and a real port, and clients of every kind. */
import { createHmac, createPublicKey, type KeyObject } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type IncomingHttpHeaders, type Agent as PlainAgent, request as plainRequest } from 'node:http';
import { type Agent, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Clock, createLog, Life, systemClock } from '@rfo/foundation';
import {
  createSigningRequest,
  decodeCertificate,
  encodeMultiName,
  encodePem,
  generateKey,
  hostNames,
  type IssuerIdentity,
  identity,
  issueCertificate,
  issueSelfSigned,
  memoryKey,
  type Name,
  publicKeyBytes,
  sha1KeyId,
} from '@rfo/pki';
import type { AuditEntry } from '../audit/types.ts';
import { readAuthKey } from '../config/auth-key.ts';
import { readSigningConfig } from '../config/read-config.ts';
import { type Compat, strict } from '../signing/compat.ts';
import { createIssuer } from '../signing/create-issuer.ts';
import { createSelfSigned } from '../signing/create-self-signed.ts';
import { readCsrJson } from '../signing/csr-json.ts';
import { type OpenStore, openStore } from '../store/open-store.ts';
import { cfsslEndpoints, type Endpoints } from './cfssl-endpoints.ts';
import { type ApiOptions, createApi } from './create-api.ts';
import type { ApiParts } from './parts.ts';
import { type ApiTls, startApi, type TransportBounds } from './start-api.ts';
import type { Endpoint } from './types.ts';

export const authKey = '0123456789ABCDEF0123456789ABCDEF';
export const formerKey = 'ffffffffffffffffffffffffffffffff';
export const adminKey = 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa';

/** The seed's profiles: one keyed for nodes, one open. */
export const testConfig = {
  signing: {
    default: {
      expiry: '168h',
      ocsp_url: 'http://127.0.0.1:8889',
      crl_url: 'http://127.0.0.1:8889/crl',
      usages: ['signing', 'server auth'],
    },
    profiles: {
      open: { expiry: '1h', usages: ['signing', 'key encipherment', 'server auth', 'client auth'] },
      keyed: { expiry: '8760h', usages: ['signing', 'server auth'], auth_key: 'key1', prev_auth_key: 'key2' },
      'kubelet-client': { expiry: '720h', usages: ['signing', 'key encipherment', 'client auth'], auth_key: 'key1' },
      'kubelet-serving': { expiry: '720h', usages: ['signing', 'key encipherment', 'server auth'], auth_key: 'key1' },
      bare: { expiry: '1h', usages: ['signing'] },
      strict: { expiry: '1h', usages: ['signing', 'server auth'], name_whitelist: '^good' },
    },
  },
  auth_keys: {
    key1: { type: 'standard', key: authKey },
    key2: { type: 'standard', key: formerKey },
    admin: { type: 'standard', key: adminKey },
  },
};

export type Reply = {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** Undefined where the body is no envelope. */
  readonly result: unknown;
  readonly error: { readonly code: number; readonly message: string } | undefined;
};
export type Question = {
  readonly path: string;
  readonly method?: string;
  readonly body?: string | Uint8Array | object;
  readonly headers?: Readonly<Record<string, string>>;
  readonly agent?: Agent | PlainAgent;
  /** Certificate and key of the client. */
  readonly as?: { readonly cert: string; readonly key: string } | undefined;
};

export type TestOptions = {
  readonly config?: object;
  readonly compat?: Compat;
  readonly clock?: Clock;
  readonly tls?: Partial<ApiTls> | false;
  readonly disable?: readonly string[];
  readonly others?: readonly Endpoint[];
  readonly api?: Partial<ApiOptions>;
  readonly bounds?: Partial<TransportBounds>;
  /** Changes what the endpoints are made of. */
  readonly parts?: (parts: ApiParts) => ApiParts;
};

export class TestApi implements AsyncDisposable {
  readonly dir = mkdtempSync(join(tmpdir(), 'rfo-ca-api-'));
  readonly life = new Life();
  readonly lines: string[] = [];
  readonly #stack = new AsyncDisposableStack();
  port = 0;
  secure = true;
  caPem = '';
  #opened: { store: OpenStore; parts: ApiParts; endpoints: Endpoints; identity: IssuerIdentity; key: KeyObject } | undefined;

  static async start(options: TestOptions = {}): Promise<TestApi> {
    const test = new TestApi();
    try {
      await test.#start(options);
    } catch (error) {
      await test[Symbol.asyncDispose]();
      throw error;
    }
    return test;
  }

  async #start(options: TestOptions): Promise<void> {
    const { clock = systemClock, compat = strict, tls = {}, disable = [], others = [] } = options;
    this.#stack.defer(() => rmSync(this.dir, { recursive: true, force: true }));
    const log = createLog({ write: (line) => this.lines.push(line) });
    const { key, certificatePem, certificateDer } = await createSelfSigned(readCsrJson(Buffer.from('{"CN":"test CA"}')), { clock });
    const certificate = decodeCertificate(certificateDer);
    const issuerIdentity = { name: certificate.rawSubject, keyId: sha1KeyId(certificate.publicKey), key: memoryKey(key) };
    this.caPem = certificatePem;
    writeFileSync(this.file('ca.pem'), certificatePem);
    const config = await readSigningConfig(JSON.stringify(options.config ?? testConfig), { readKey: (spec) => readAuthKey(spec) });
    const store = await openStore({ file: this.file('certdb.db'), clock, log });
    this.#stack.defer(() => store.close());
    const plain: ApiParts = {
      config,
      compat,
      clock,
      log,
      authority: {
        certificate,
        identity: issuerIdentity,
        issuer: createIssuer({ config, identity: issuerIdentity, certificate, clock, compat }),
      },
      records: store,
      responder: () => ({ key: issuerIdentity.key }),
      crl: undefined,
      bundle: undefined,
    };
    const parts = options.parts?.(plain) ?? plain;
    const endpoints = cfsslEndpoints(parts, { others, disable });
    this.#opened = { store, parts, endpoints, identity: issuerIdentity, key };
    this.writeServing('tls');
    const handler = createApi({ endpoints: endpoints.enabled, log, ...options.api });
    this.secure = tls !== false;
    const files = { certFile: this.file('tls.pem'), keyFile: this.file('tls-key.pem') };
    const { life } = this;
    this.#stack.defer(() => life.end());
    const bounds = options.bounds ?? {};
    const server = await startApi({
      handler,
      host: '127.0.0.1',
      port: 0,
      tls: tls === false ? undefined : { ...files, ...tls },
      life,
      log,
      clock,
      bounds,
    });
    this.port = server.port;
  }

  file(name: string): string {
    return join(this.dir, name);
  }
  get #made() {
    if (this.#opened === undefined) throw new Error('not started');
    return this.#opened;
  }
  get store(): OpenStore {
    return this.#made.store;
  }
  get parts(): ApiParts {
    return this.#made.parts;
  }
  get endpoints(): Endpoints {
    return this.#made.endpoints;
  }
  /** Lower-case hex. */
  get authorityKeyId(): string {
    return this.#made.identity.keyId.toString('hex');
  }
  /** The audit log, line by line. */
  audit(): readonly AuditEntry[] {
    const lines = readFileSync(this.file('audit.log'), 'utf8').trim().split('\n');
    return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as AuditEntry);
  }
  count(): number {
    return this.store.store.list({}).length;
  }

  /** A pair for the port, in `<name>.pem` and `<name>-key.pem`. */
  writeServing(name: string, commonName = 'localhost'): void {
    const { cert, key } = selfSigned(commonName);
    writeFileSync(this.file(`${name}.pem`), cert);
    writeFileSync(this.file(`${name}-key.pem`), key);
  }

  /** A client certificate of this CA itself. */
  clientOf(subject: Name): { readonly cert: string; readonly key: string } {
    const { key, parts } = this.#made;
    if (parts.authority === undefined) throw new Error('there is no CA');
    return clientCertificate(subject, { key, certificate: parts.authority.certificate });
  }

  ask(question: Question): Promise<Reply> {
    return ask({ port: this.port, secure: this.secure }, question);
  }
  /** To an endpoint of cfssl. */
  post(endpoint: string, body: string | Uint8Array | object, more: Partial<Question> = {}): Promise<Reply> {
    return this.ask({ path: `/api/v1/cfssl/${endpoint}`, method: 'POST', body, ...more });
  }
  get(endpoint: string): Promise<Reply> {
    return this.ask({ path: `/api/v1/cfssl/${endpoint}` });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

/** PEM of a request for these names. */
export function csr(subject: Name, hosts: readonly string[] = [], key: KeyObject = generateKey()): string {
  return encodePem('CERTIFICATE REQUEST', createSigningRequest({ subject: encodeMultiName(subject), altNames: hostNames(hosts) }, key));
}

/** The envelope of authsign. */
export function sealed(
  inner: string | object,
  key = authKey,
): { readonly timestamp: number; readonly token: string; readonly request: string } {
  const bytes = Buffer.from(typeof inner === 'string' ? inner : JSON.stringify(inner));
  const token = createHmac('sha256', Buffer.from(key, 'hex')).update(bytes).digest('base64');
  return { timestamp: 1_700_000_000, token, request: bytes.toString('base64') };
}

export function selfSigned(commonName: string): { readonly cert: string; readonly key: string } {
  return clientCertificate(identity(commonName), undefined);
}

/** @param by undefined: itself */
export function clientCertificate(
  subject: Name,
  by: { readonly key: KeyObject; readonly certificate: NonNullable<ApiParts['authority']>['certificate'] } | undefined,
): { readonly cert: string; readonly key: string } {
  const key = generateKey();
  const dates = { notBefore: Date.now() - 3_600_000, notAfter: Date.now() + 3_600_000 };
  const wish = { subject, publicKey: publicKeyBytes(createPublicKey(key)), usages: ['clientAuth', 'serverAuth'], ...dates } as const;
  const der = by === undefined ? issueSelfSigned(wish, key) : issueCertificate(wish, by);
  return { cert: encodePem('CERTIFICATE', der), key: String(key.export({ type: 'pkcs8', format: 'pem' })) };
}

/** One request on a connection of its own, unless an agent is given. Nothing is verified: what is shown is looked at where it matters. */
export function ask(to: { readonly port: number; readonly secure: boolean }, question: Question): Promise<Reply> {
  const { path, method = 'GET', body, headers = {}, agent, as } = question;
  const bytes = body === undefined || typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port: to.port, path, method, headers, signal: AbortSignal.timeout(90_000), agent: agent ?? false };
    const send = to.secure ? request : plainRequest;
    const outgoing = send({ ...options, ...as, rejectUnauthorized: false }, (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.once('error', reject);
      incoming.once('end', () => {
        const text = Buffer.concat(chunks).toString('utf8');
        resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, text, ...envelope(text) });
      });
    });
    outgoing.once('error', reject);
    outgoing.end(bytes);
  });
}

function envelope(text: string): Pick<Reply, 'result' | 'error'> {
  if (!text.startsWith('{')) return { result: undefined, error: undefined };
  const { result, errors } = JSON.parse(text) as { result: unknown; errors: readonly { code: number; message: string }[] };
  return { result, error: errors[0] };
}
