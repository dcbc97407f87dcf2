/** The HTTP face of certificate status, free of sockets: OCSP by GET and POST (RFC 6960 appendix A, RFC 5019 §5), lists by GET. */
import { isKnown } from './caching.ts';
import type { Ocsp } from './ocsp.ts';
import type { Caching, Crl, OcspReply } from './types.ts';

export type StatusRequest = {
  readonly method: string;
  /** As it stands in the request line. */
  readonly url: string;
  readonly ifNoneMatch: string | undefined;
  /** Of a POST. */
  readonly body: Buffer;
};

export type StatusAnswer = { readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly body: Buffer };

export type OcspSource = Pick<Ocsp, 'recognise' | 'answer'>;

export type StatusSources = {
  readonly ocsp: OcspSource;
  /** The list of the CA key with that id (lower-case hex); without one, of the present CA. Undefined: no such CA. */
  readonly crl: (authorityKeyId?: string) => Promise<Crl> | undefined;
};

/** The longest OCSP request that is read: that of 64 certificates takes about 8 KiB. */
export const longestRequest = 16 * 1024;

/** @throws ca-store-failed where a list cannot be made */
export async function answerStatus(request: StatusRequest, sources: StatusSources): Promise<StatusAnswer> {
  const { method, url } = request;
  const path = url.split('?', 1)[0] ?? '';
  const list = crlPath.exec(path);
  if (list !== null) return answerCrl(request, { authorityKeyId: list[1], inPem: list[2] !== undefined }, sources);
  if (method !== 'GET' && method !== 'POST') return plain(405, { Allow: 'GET, POST' });
  return answerOcsp(request, sources.ocsp);
}

/** A GET or POST to a responder. */
export function answerOcsp(request: StatusRequest, ocsp: OcspSource): StatusAnswer | Promise<StatusAnswer> {
  const alias = aliasOf(request);
  const known = ocsp.recognise(alias);
  if (known !== undefined) return fromReply(known, request.ifNoneMatch);
  const der = request.method === 'POST' ? request.body : decodePath(request.url.split('?', 1)[0] ?? '');
  if (der === undefined) return plain(400);
  return ocsp.answer(der, alias).then((reply) => fromReply(reply, request.ifNoneMatch));
}

/** By what an OCSP request is recognised that was answered before. One begins with the tag of a sequence, the other with a slash. */
function aliasOf({ method, url, body }: Pick<StatusRequest, 'method' | 'url' | 'body'>): string {
  return method === 'POST' ? body.toString('latin1') : url;
}

/** `/crl`, `/crl.pem`, and the same below `/crl/<id of the CA's key>`. */
const crlPath = /^\/crl(?:\/([0-9a-f]{2,128}))?(\.pem)?$/;

type WhichCrl = { readonly authorityKeyId: string | undefined; readonly inPem: boolean };

async function answerCrl({ method, ifNoneMatch }: StatusRequest, which: WhichCrl, sources: StatusSources): Promise<StatusAnswer> {
  if (method !== 'GET' && method !== 'HEAD') return plain(405, { Allow: 'GET, HEAD' });
  const crl = await sources.crl(which.authorityKeyId);
  if (crl === undefined) return plain(404);
  if (which.inPem) return withCaching({ body: crl.pem, caching: crl.pemCaching, type: 'application/x-pem-file' }, ifNoneMatch);
  return withCaching({ body: crl.der, caching: crl.caching, type: 'application/pkix-crl' }, ifNoneMatch);
}

/** The same reply gives the same object, so that its bytes can be kept by it; but for a 304. */
function fromReply(reply: OcspReply, ifNoneMatch: string | undefined): StatusAnswer {
  const { status, der: body, caching } = reply;
  if (caching === undefined) return { status, headers: { 'Content-Type': ocspType, 'Cache-Control': neverKept }, body };
  if (isKnown(ifNoneMatch, caching)) return withCaching({ body, caching, type: ocspType }, ifNoneMatch);
  const before = answers.get(reply);
  if (before !== undefined) return before;
  const answer = withCaching({ body, caching, type: ocspType }, undefined);
  answers.set(reply, answer);
  return answer;
}

const answers = new WeakMap<OcspReply, StatusAnswer>();

const ocspType = 'application/ocsp-response';
const neverKept = 'max-age=0, no-cache, no-store';

function withCaching(found: { body: Buffer; caching: Caching; type: string }, ifNoneMatch: string | undefined): StatusAnswer {
  const { body, caching, type } = found;
  const headers = {
    'Cache-Control': caching.cacheControl,
    'ETag': caching.etag,
    'Expires': caching.expires,
    'Last-Modified': caching.lastModified,
  };
  if (isKnown(ifNoneMatch, caching)) return { status: 304, headers, body: nothing };
  return { status: 200, headers: { 'Content-Type': type, ...headers }, body };
}

/**
 * The request in a path, with what clients do to it mended as cfssl does: base64 comes escaped or not, its `+` as a blank, and a URL that ended in a
 * slash brings a second one.
 */
function decodePath(path: string): Buffer | undefined {
  let text: string;
  try {
    text = decodeURIComponent(path.slice(1));
  } catch {
    return undefined;
  }
  const base64 = text.replaceAll(' ', '+').replace(/^\//, '');
  if (base64.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(base64)) return undefined;
  return Buffer.from(base64, 'base64');
}

const nothing = Buffer.alloc(0);

function plain(status: number, headers: Readonly<Record<string, string>> = {}): StatusAnswer {
  return { status, headers, body: nothing };
}
