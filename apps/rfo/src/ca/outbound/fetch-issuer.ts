/** The certificate of an issuer from where a certificate says that it is (RFC 5280 §4.2.2.1): over HTTP, small, without detours. */
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { RfoError } from '@rfo/foundation';
import { type CertificateInfo, certificateInfo, decodeCertificate } from '@rfo/pki';
import type { Outbound } from './outbound.ts';

/** A certificate is about 2 kB. */
const largest = 64 * 1024;
const timeout = 5000;

/**
 * The certificate at a URL, DER or PEM; undefined where none can be had there. Redirects are not followed, and only `http:` is asked: what
 * is fetched is worth nothing before its signature is verified anyway.
 */
export async function fetchIssuer(url: string, { outbound, signal }: FetchOptions): Promise<CertificateInfo | undefined> {
  if (!URL.canParse(url)) return undefined;
  const { protocol, hostname, port, pathname, search, host } = new URL(url);
  if (protocol !== 'http:') return undefined;
  const to = { host: hostname.replace(/^\[(.*)\]$/, '$1'), port: Number(port || 80) };
  const limit = AbortSignal.any([signal, AbortSignal.timeout(timeout)]);
  try {
    const socket = await outbound.connect(to, { signal: limit, timeout });
    const query = request({
      createConnection: () => socket,
      path: `${pathname}${search}`,
      headers: { host, accept: 'application/pkix-cert' },
      signal: limit,
    });
    return read(await body(query));
  } catch (error) {
    signal.throwIfAborted();
    // An issuer that cannot be fetched is one that is not there: the caller says which certificate it lacks.
    if (error instanceof Error) return undefined;
    throw error;
  }
}

type FetchOptions = { readonly outbound: Outbound; readonly signal: AbortSignal };

async function body(query: ClientRequest): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  query.once('response', resolve).once('error', reject).end();
  const response = await promise;
  try {
    if (response.statusCode !== 200) throw new Error(`status ${response.statusCode}`);
    const parts: Buffer[] = [];
    let size = 0;
    for await (const part of response as AsyncIterable<Buffer>) {
      size += part.length;
      if (size > largest) throw new Error(`more than ${largest} bytes`);
      parts.push(part);
    }
    return Buffer.concat(parts);
  } finally {
    query.on('error', () => undefined).destroy();
  }
}

function read(bytes: Buffer): CertificateInfo {
  try {
    return decodeCertificate(bytes);
  } catch (error) {
    if (!(error instanceof RfoError)) throw error;
    return certificateInfo(bytes.toString('latin1'));
  }
}
