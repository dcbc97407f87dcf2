// One request to a manager over TLS that was verified before anything was sent, and its answer.
import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import { getCACertificates } from 'node:tls';
import { fail, RfoError, systemCode } from '@rfo/foundation';
import type { Environment } from '@rfo/schema';

export type ManagerAddress = {
  /** `https://host:port`. */
  readonly server: string;
  /** PEM of the only CA that is trusted; undefined: the CAs of this host; `unverified` to ask whom it claims to be, and nothing else. */
  readonly ca?: string | 'unverified' | undefined;
};

export type Wish = {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal: AbortSignal;
};

/** Milliseconds until the answer has to begin. */
const answerWithin = 30_000;

/** Connections to one manager; HTTPS_PROXY and NO_PROXY of the environment are heeded. */
export function connectionsTo({ ca }: ManagerAddress, env: Environment): Agent {
  const common = { keepAlive: true, minVersion: 'TLSv1.2', proxyEnv: { ...env } } as const;
  if (ca === 'unverified') return new Agent({ ...common, rejectUnauthorized: false });
  const trusted = ca ?? [...getCACertificates('default'), ...getCACertificates('system')];
  // What was confirmed is trusted as it is, also where it is no root.
  return new Agent({ ...common, ca: trusted, allowPartialTrustChain: ca !== undefined });
}

/**
 * The answer once its head has come; the body is yet to be read.
 * @throws manager-unreachable, manager-untrusted, or the signal's reason
 */
export function exchange({ server }: ManagerAddress, agent: Agent, wish: Wish): Promise<IncomingMessage> {
  const { method, path, headers, body, signal } = wish;
  return new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
    const outgoing = request(new URL(path, server), { agent, method, headers: { ...headers, ...length }, signal });
    const timer = setTimeout(
      () => outgoing.destroy(fail('manager-unreachable', { server, problem: `it does not answer within ${answerWithin / 1000} s` })),
      answerWithin,
    );
    outgoing.on('error', (error) => {
      clearTimeout(timer);
      reject(signal.aborted ? signal.reason : errorOf(server, error));
    });
    outgoing.once('response', (response) => {
      clearTimeout(timer);
      resolve(response);
    });
    outgoing.end(body);
  });
}

/** What OpenSSL calls certificates that it does not trust. */
const untrusted = /^(UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|CERT_|INVALID_|PATH_LENGTH_|ERR_TLS_CERT_|HOSTNAME_)/;

/** @returns an error of the table for whatever a connection broke with */
export function errorOf(server: string, error: unknown): RfoError {
  if (error instanceof RfoError) return error;
  const code = systemCode(error) ?? '';
  const text = error instanceof Error ? error.message : String(error);
  const problem = text === '' ? code : text;
  return untrusted.test(code)
    ? fail('manager-untrusted', { server, problem }, error)
    : fail('manager-unreachable', { server, problem }, error);
}
