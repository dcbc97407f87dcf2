import { type ClientHttp2Session, type ClientHttp2Stream, constants, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http2';
import type { TransportRequest, TransportResponse } from './transport.ts';

/** A request on its way. */
export type Exchange = {
  /** The server goes away and has looked at streams up to this one only. */
  readonly refuseAbove: (lastStreamId: number, code: number) => void;
};

/** Sends one request on a connection; resolves with the head of the answer. Rejects when the stream ends before. */
export function exchange(session: ClientHttp2Session, open: Set<Exchange>, request: TransportRequest): Promise<TransportResponse> {
  const stream = session.request(headersOf(request), { endStream: request.body === undefined });
  const running: Exchange = {
    refuseAbove: (last) => {
      if (stream.id === undefined || stream.id > last) stream.destroy(refused());
    },
  };
  open.add(running);
  const abort = (): void => {
    stream.close(constants.NGHTTP2_CANCEL);
    stream.destroy(toError(request.signal?.reason));
  };
  request.signal?.addEventListener('abort', abort, { once: true });
  stream.setTimeout(request.idle, () => stream.destroy(new Error(`no answer within ${request.idle / 1000} s`)));
  stream.once('close', () => {
    open.delete(running);
    request.signal?.removeEventListener('abort', abort);
  });
  const response = head(stream);
  stream.end(request.body);
  return response;
}

function head(stream: ClientHttp2Stream): Promise<TransportResponse> {
  return new Promise((resolve, reject) => {
    const ended = (): void => reject(stream.rstCode === constants.NGHTTP2_REFUSED_STREAM ? refused() : new Error('the connection ended'));
    stream.once('response', (headers: IncomingHttpHeaders & { ':status'?: number }) => {
      stream.off('close', ended);
      resolve({ status: headers[':status'] ?? 0, headers, body: whole(stream) });
    });
    // Stays for the body's time: whoever reads the body gets the error there, nobody else has to.
    stream.on('error', (error: Error) => reject(stream.rstCode === constants.NGHTTP2_REFUSED_STREAM ? refused() : error));
    stream.once('close', ended);
  });
}

/** Node ends the stream of a broken connection like that of a finished answer; only its code tells them apart. */
async function* whole(stream: ClientHttp2Stream): AsyncGenerator<Uint8Array> {
  // One that has come whole with its head counts as closed before it is read, which Node's iterator takes for a premature end.
  if (stream.closed) for (let chunk = stream.read(); chunk !== null; chunk = stream.read()) yield chunk;
  else yield* stream;
  if (stream.rstCode !== constants.NGHTTP2_NO_ERROR) throw new Error('the connection ended amid the answer');
}

function headersOf({ method, path, headers }: TransportRequest): OutgoingHttpHeaders {
  const own = Object.entries(headers ?? {}).map(([name, value]) => [name.toLowerCase(), typeof value === 'string' ? value : [...value]]);
  return { ':method': method, ':path': path, ...Object.fromEntries(own) };
}

function refused(): Error {
  return Object.assign(new Error('the server goes away'), { code: 'RFO_REFUSED_STREAM' });
}

function toError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}
