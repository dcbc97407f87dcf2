/** Where the body of a request ends has to be beyond doubt: two servers in a row that disagree let one request be smuggled within another. */
import { eachHeader } from './http-headers.ts';

/** `length`: so many bytes. `chunked`: until the last chunk. */
export type Framing = { readonly kind: 'none' } | { readonly kind: 'length'; readonly bytes: number } | { readonly kind: 'chunked' };

/**
 * How the body of a request is framed (RFC 9112 §6), or what is wrong with it. What may be understood in two ways is refused, also where the
 * standard would say which counts.
 * @param message `rawHeaders` and `httpVersion` of the request
 */
export function readFraming(message: {
  readonly rawHeaders: readonly string[];
  readonly httpVersion: string;
}): Framing | { readonly problem: string } {
  const lengths: string[] = [];
  const codings: string[] = [];
  let odd: string | undefined;
  eachHeader(message.rawHeaders, (name, value) => {
    if (name === 'content-length') lengths.push(value);
    else if (name === 'transfer-encoding') codings.push(value);
    // Another server may take these for the real ones.
    else if (/^(content[^a-z]length|transfer[^a-z]encoding)$/.test(name)) odd = name;
  });
  if (odd !== undefined) return { problem: `the header ${odd} looks like another` };
  if (codings.length > 0) {
    if (lengths.length > 0) return { problem: 'it has both Content-Length and Transfer-Encoding' };
    if (codings.length > 1 || codings[0]?.toLowerCase() !== 'chunked') return { problem: 'its Transfer-Encoding is not plainly "chunked"' };
    if (message.httpVersion !== '1.1') return { problem: `it is chunked, which HTTP/${message.httpVersion} does not know` };
    return { kind: 'chunked' };
  }
  if (lengths.length === 0) return { kind: 'none' };
  const [length = ''] = lengths;
  if (lengths.length > 1) return { problem: 'it has more than one Content-Length' };
  if (!/^\d{1,15}$/.test(length)) return { problem: 'its Content-Length is no number of bytes' };
  return { kind: 'length', bytes: Number(length) };
}
