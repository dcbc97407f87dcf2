/** One POST to another CA, over a connection of its own. */
import { request as httpRequest } from 'node:http';
import { request as httpsRequest, type RequestOptions } from 'node:https';
import { getCACertificates } from 'node:tls';
import { CfsslError } from '../cfssl-error.ts';

export type PostTls = {
  /** PEM of the CAs that the other side is checked against (`-tls-remote-ca`); without them those of the system. */
  readonly ca?: string;
  /** PEM of a client certificate with its key (`-mutual-tls-client-cert`, `-mutual-tls-client-key`). */
  readonly certificate?: string;
  readonly key?: string;
};

type Post = { readonly body: string; readonly tls: PostTls; readonly signal: AbortSignal };

/** Milliseconds for the whole of it; signing takes a CA some of them at most. */
const limit = 30_000;
/** Bytes of an answer; one with a bundle has some 10 kB. */
const mostBytes = 4_000_000;

/** The answer, whatever its status. Throws CfsslError 7400 when none came, and the signal's reason. */
export async function postJson(url: URL, { body, tls, signal }: Post): Promise<{ readonly status: number; readonly text: Buffer }> {
  const end = AbortSignal.any([signal, AbortSignal.timeout(limit)]);
  const headers = { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) };
  const options: RequestOptions = { method: 'POST', headers, agent: false, signal: end };
  try {
    return await exchange(url, { body, options: url.protocol === 'https:' ? { ...options, ...secured(tls) } : options });
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw new CfsslError(7400, `failed POST to ${url.href}: ${problemOf(end.aborted ? end.reason : error)}`);
  }
}

function secured({ ca, certificate, key }: PostTls): RequestOptions {
  return {
    ca: ca ?? getCACertificates('system'),
    ...(certificate !== undefined && { cert: certificate }),
    ...(key !== undefined && { key }),
  };
}

function exchange(url: URL, { body, options }: { body: string; options: RequestOptions }): Promise<{ status: number; text: Buffer }> {
  return new Promise((resolve, reject) => {
    const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
    const request = send(url, options, (response) => {
      const parts: Buffer[] = [];
      let size = 0;
      response.on('data', (part: Buffer) => {
        parts.push(part);
        size += part.length;
        if (size > mostBytes) response.destroy(new Error('the answer is too long'));
      });
      response.on('error', reject);
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text: Buffer.concat(parts) }));
    });
    request.on('error', reject);
    request.end(body);
  });
}

function problemOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
