import { Agent, request } from 'node:https';
import { type ProbeOptions, poll } from './poll.ts';

export type HttpsTarget = {
  readonly url: string;
  /** PEM of the CA that signed the server's certificate; `unverified` takes any, for a probe that tells nothing and believes nothing. */
  readonly ca: string | Uint8Array | 'unverified';
  /** Our own certificate and key in PEM, for servers that ask for one. */
  readonly cert?: string | Uint8Array;
  readonly key?: string | Uint8Array;
  /** Name in the server's certificate where it is not the URL's host. */
  readonly servername?: string;
};
export type HttpsAnswer = { readonly status: number; readonly body: string };

/** Shared: it tells connections apart by host and certificates, and idle ones keep no process alive. */
const healthAgent = new Agent({ keepAlive: true, maxFreeSockets: 1 });

const readLimit = 64 * 1024;

/** Resolves when the URL answers as `expect` wants it, by default with status 200. One connection is kept for all attempts. */
export async function waitForHttps(
  target: HttpsTarget & { readonly expect?: (answer: HttpsAnswer) => boolean },
  options: ProbeOptions,
): Promise<void> {
  const { expect = ({ status }) => status === 200 } = target;
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  try {
    await poll(async () => {
      const answer = await get(target, agent, options.signal);
      if (!expect(answer)) throw new Error(`${target.url} answers ${answer.status}: ${answer.body.trim().slice(0, 300)}`);
    }, options);
  } finally {
    agent.destroy();
  }
}

/** One request over a connection kept from the last: resolves on status 200, else throws what the answer was. For health checks. */
export async function checkHttps(target: HttpsTarget, signal: AbortSignal): Promise<void> {
  const { status, body } = await get(target, healthAgent, signal);
  if (status !== 200) throw new Error(`${target.url} answers ${status}: ${body.trim().slice(0, 300)}`);
}

function get(target: HttpsTarget, agent: Agent, signal: AbortSignal): Promise<HttpsAnswer> {
  const { url, ca, cert, key, servername } = target;
  const trust = ca === 'unverified' ? { rejectUnauthorized: false } : { ca: pem(ca) };
  const tls = { ...trust, ...(cert && { cert: pem(cert) }), ...(key && { key: pem(key) }), ...(servername && { servername }) };
  return new Promise((resolve, reject) => {
    const sent = request(url, { agent, signal, ...tls }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        if (body.length < readLimit) body += chunk;
      });
      response.once('end', () => resolve({ status: response.statusCode ?? 0, body }));
      response.once('error', reject);
    });
    // A server that accepts but never answers must not hold the probe: the next attempt may find it awake.
    sent.setTimeout(5000, () => sent.destroy(new Error(`${url} does not answer`)));
    sent.once('error', reject);
    sent.end();
  });
}

function pem(value: string | Uint8Array): string | Buffer {
  return typeof value === 'string' ? value : Buffer.from(value);
}
