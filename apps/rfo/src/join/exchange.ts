/** One request to a server and its answer, within a time and a size, with everything that can go wrong on the way as an error of the table. */
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { fail, RfoError, systemCode } from '@rfo/foundation';
import { renderServerAddress, type ServerAddress } from './server-address.ts';
import type { ServerAgent } from './server-agent.ts';

export type ExchangeRequest = {
  readonly address: ServerAddress;
  readonly agent: ServerAgent;
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** Milliseconds for everything, from the connection to the last byte. */
  readonly timeout: number;
  readonly signal: AbortSignal;
};

export type Answer = { readonly status: number; readonly body: Buffer };

/** `sent`: the server may have had the request, and done what it asks for. `stale`: a kept connection was gone, which says nothing about the server. */
export type Failure = { readonly error: RfoError; readonly sent: boolean; readonly stale: boolean };
export type Outcome = { readonly answer: Answer } | Failure;

/** More than the files of a cluster ever take. */
const answerLimit = 4 * 1024 * 1024;

/** Never throws but for the signal, with its reason. */
export function exchange(given: ExchangeRequest): Promise<Outcome> {
  const { address, agent, method, path, headers = {}, body, timeout, signal } = given;
  const { host, port } = address;
  const server = renderServerAddress(address);
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    let sent = false;
    const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
    const outgoing = request({ host, port, agent, method, path, headers: { ...headers, ...length } });
    const late = fail('server-unreachable', { server, problem: `it does not answer within ${timeout / 1000} s` });
    const settled = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    };
    const failed = (error: unknown): void => {
      settled();
      const stale = outgoing.reusedSocket && ['ECONNRESET', 'EPIPE'].includes(systemCode(error) ?? '');
      resolve({ error: errorOf(server, error), sent, stale });
    };
    // Settled at once: a request that has no socket yet would tell of its end only when it gets one.
    const timer = setTimeout(() => {
      failed(late);
      outgoing.destroy(late);
    }, timeout);
    const onAbort = (): void => {
      settled();
      reject(signal.reason);
      outgoing.destroy(late);
    };
    signal.addEventListener('abort', onAbort);
    // The agent gives a socket once it is connected and verified.
    outgoing.once('socket', () => {
      sent = true;
    });
    outgoing.on('error', failed);
    outgoing.once('response', (response) => {
      readBody(response).then((read) => {
        settled();
        resolve({ answer: { status: response.statusCode ?? 0, body: read } });
      }, failed);
    });
    outgoing.end(body);
  });
}

async function readBody(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > answerLimit) throw new Error(`the answer is longer than ${answerLimit / 1024 / 1024} MiB`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** What OpenSSL calls certificates that it does not trust. */
const untrusted = /^(UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|CERT_|INVALID_|PATH_LENGTH_|ERR_TLS_CERT_|HOSTNAME_)/;
const outOfDate = ['CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID'];

function errorOf(server: string, error: unknown): RfoError {
  if (error instanceof RfoError) return error;
  const problem = error instanceof Error ? error.message : String(error);
  const code = systemCode(error) ?? '';
  if (outOfDate.includes(code)) return fail('server-certificate-dates', { server, problem, now: new Date().toISOString() }, error);
  if (untrusted.test(code)) return fail('server-untrusted', { server, problem }, error);
  return fail('server-unreachable', { server, problem: problem === '' ? code : problem }, error);
}
