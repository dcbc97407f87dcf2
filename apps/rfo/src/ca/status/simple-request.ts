/**
 * Reads the HTTP requests that OCSP clients send: HTTP/1.1, GET, or POST with a length. It takes only what has one meaning for everybody; whatever
 * else stands there, right or wrong, is left to a complete parser.
 */
import { longestRequest } from './answer-http.ts';

export type SimpleRequest = {
  readonly kind: 'request';
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly ifNoneMatch: string | undefined;
  readonly body: Buffer;
  /** Where the next request begins. */
  readonly end: number;
};

/** `more`: it goes on beyond the end of the bytes. */
export function readSimpleRequest(bytes: Buffer, start: number): SimpleRequest | { readonly kind: 'more' } | { readonly kind: 'unusual' } {
  const headEnd = bytes.indexOf('\r\n\r\n', start, 'latin1');
  if (headEnd < 0) return bytes.length - start > longestHead ? unusual : more;
  if (headEnd - start > longestHead) return unusual;
  const head = readHead(bytes.toString('latin1', start, headEnd));
  if (head === undefined) return unusual;
  const bodyStart = headEnd + 4;
  const end = bodyStart + head.length;
  if (end > bytes.length) return more;
  const { method, url, ifNoneMatch } = head;
  return { kind: 'request', method, url, ifNoneMatch, body: bytes.subarray(bodyStart, end), end };
}

const more = { kind: 'more' } as const;
const unusual = { kind: 'unusual' } as const;
const longestHead = 4096;

type Head = Pick<SimpleRequest, 'method' | 'url' | 'ifNoneMatch'> & { readonly length: number };

/** RFC 9112 §3 and §5 without any of the leniency they allow. */
const requestLine = /^(GET|POST) (\/[\x21-\x7e]*) HTTP\/1\.1$/;
const headerLine = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([\t\x20-\x7e\x80-\xff]*)$/;

function readHead(text: string): Head | undefined {
  const lines = text.split('\r\n');
  const request = requestLine.exec(lines[0] ?? '');
  if (request === null) return undefined;
  let hosts = 0;
  let length: number | undefined;
  let ifNoneMatch: string | undefined;
  for (let index = 1; index < lines.length; index++) {
    const header = headerLine.exec(lines[index] ?? '');
    if (header === null) return undefined;
    const [, name = '', raw = ''] = header;
    const value = raw.trimEnd();
    switch (name.toLowerCase()) {
      case 'host':
        hosts++;
        break;
      case 'content-length':
        if (length !== undefined || !/^(?:0|[1-9]\d{0,4})$/.test(value)) return undefined;
        length = Number(value);
        break;
      case 'if-none-match':
        if (ifNoneMatch !== undefined) return undefined;
        ifNoneMatch = value;
        break;
      case 'connection':
        if (value.toLowerCase() !== 'keep-alive') return undefined;
        break;
      case 'transfer-encoding':
      case 'expect':
      case 'upgrade':
      case 'te':
      case 'trailer':
        return undefined;
    }
  }
  const [, verb = '', url = ''] = request;
  const method = verb === 'POST' ? 'POST' : 'GET';
  if (hosts !== 1 || (method === 'POST' ? length === undefined : (length ?? 0) > 0)) return undefined;
  if (length !== undefined && length > longestRequest) return undefined;
  return { method, url, ifNoneMatch, length: length ?? 0 };
}
