/**
 * HTTPS to a provider: with its own CAs and proxy, bounded in time and size, and never after a redirect, so that a provider can send the manager
 * nowhere else.
 */
import { Agent, request } from 'node:https';
import { type Life, systemCode } from '@rfo/foundation';
import { trustedContext } from './trusted-context.ts';

/** What `fetch` takes of it, as openid-client and our own callers use it. */
export type OutsideFetch = (
  url: string,
  options: {
    readonly method: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly body?: unknown;
    readonly signal?: AbortSignal | undefined;
  },
) => Promise<Response>;

/** Milliseconds until an answer is complete. */
const answerWithin = 15_000;
/** Bytes: keys and documents of providers are a few kilobytes. */
const longestAnswer = 2 * 1024 * 1024;

/**
 * @param reach.caBundle PEM of CAs beside those of the host @param reach.proxy `http://host:port`
 * @returns a function that rejects with an Error whose message says what is in the way, or with the signal's reason
 */
export function createOutsideFetch(
  reach: { readonly caBundle?: string | undefined; readonly proxy?: string | undefined },
  life: Life,
): OutsideFetch {
  const { caBundle, proxy } = reach;
  const agent = new Agent({
    keepAlive: true,
    secureContext: trustedContext({ ca: caBundle, host: true }),
    ...(proxy !== undefined && { proxyEnv: { HTTPS_PROXY: proxy } }),
  });
  life.defer(() => agent.destroy());

  return (url, { method, headers, body, signal }) =>
    new Promise((resolve, reject) => {
      if (!url.startsWith('https://')) {
        reject(new Error(`${url.slice(0, 200)} is no https address`));
        return;
      }
      const content = contentOf(body);
      const late = AbortSignal.timeout(answerWithin);
      const ended = AbortSignal.any([late, life.signal, ...(signal === undefined ? [] : [signal])]);
      const refuse = (error: unknown): void => {
        if (late.aborted) reject(new Error(`${originOf(url)} does not answer within ${answerWithin / 1000} s`));
        else reject(ended.aborted ? ended.reason : new Error(`${originOf(url)}: ${reasonOf(error)}`, { cause: error }));
      };
      const outgoing = request(url, {
        agent,
        method,
        headers: { ...headers, ...(content !== undefined && { 'content-length': String(Buffer.byteLength(content)) }) },
        signal: ended,
      });
      outgoing.once('error', refuse);
      outgoing.once('response', (answer) => {
        const chunks: Buffer[] = [];
        let size = 0;
        answer.on('data', (chunk: Buffer) => {
          size += chunk.length;
          if (size > longestAnswer) answer.destroy(new Error('its answer is too long'));
          else chunks.push(chunk);
        });
        answer.once('error', refuse);
        answer.once('end', () => {
          const status = answer.statusCode ?? 502;
          const bodiless = status === 204 || status === 205 || status === 304;
          const pairs = Object.entries(answer.headers).flatMap(([name, value]) =>
            [value ?? []].flat().map((one) => [name, one] as [string, string]),
          );
          resolve(new Response(bodiless ? null : Buffer.concat(chunks), { status, headers: pairs }));
        });
      });
      outgoing.end(content);
    });
}

function contentOf(body: unknown): string | Uint8Array | undefined {
  if (body === undefined || body === null) return undefined;
  if (typeof body === 'string' || body instanceof Uint8Array) return body;
  if (body instanceof URLSearchParams) return body.toString();
  throw new TypeError('a body of this form is not sent to providers');
}

function originOf(url: string): string {
  return URL.parse(url)?.origin ?? url.slice(0, 200);
}

function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text === '' ? (systemCode(error) ?? 'no connection') : text;
}
