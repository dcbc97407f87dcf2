/** Requests beside the byte streams: what the two ends of a tunnel have to tell each other. */
import { type ClientHttp2Session, type ClientHttp2Stream, constants, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import { PassThrough, type Readable } from 'node:stream';
import { fail } from '@rfo/foundation';
import { problemOf } from './protocol.ts';

/** What the dialling end answers on one connection. */
export type Service = {
  /** Gets each request that is no stream to a target; it has to answer it. Errors of the stream itself are heard already. */
  readonly serve: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void;
  /** The connection counts as open when this resolves, and ends when it rejects. */
  readonly accepted: Promise<unknown>;
};

/** Called once for each connection. */
export type CreateService = (connection: {
  /** Ends it. */
  readonly end: (reason: string) => void;
  /** Another one is dialled, and when it is there this one ends with its last stream: the other end is about to go. */
  readonly replace: () => void;
  readonly websocket: boolean;
}) => Service;

/** An answer of the dialling end. Its body has to be read or destroyed. */
export type Answer = { readonly status: number; readonly body: Readable };

/**
 * Asks the other end. GET, or POST where there is a body.
 * @throws tunnel-closed, or the signal's reason; the signal also ends the body
 */
export function ask(
  session: ClientHttp2Session,
  options: { readonly path: string; readonly body?: string | undefined; readonly signal: AbortSignal | undefined },
): Promise<Answer> {
  const { path, body, signal } = options;
  signal?.throwIfAborted();
  const stream = session.request(
    { ':method': body === undefined ? 'GET' : 'POST', ':path': path, ':scheme': 'https', ':authority': 'tunnel' },
    { endStream: body === undefined, ...(signal && { signal }) },
  );
  return new Promise((resolve, reject) => {
    const reasonOf = (error?: Error): unknown =>
      signal?.aborted ? signal.reason : fail('tunnel-closed', { problem: error === undefined ? 'it ended' : problemOf(error) }, error);
    const failed = (error?: Error): void => reject(reasonOf(error));
    // Stays: what is wrong once the answer has begun is told by its body.
    stream.on('error', failed).once('close', failed);
    stream.once('response', (headers) => resolve({ status: Number(headers[':status']), body: bodyOf(stream, reasonOf) }));
    if (body !== undefined) stream.end(body);
  });
}

/**
 * What is read of the stream. Not the stream itself: one that has come whole with its head counts as closed before it is read, and Node takes that
 * for a premature end.
 */
function bodyOf(stream: ClientHttp2Stream, reasonOf: (error?: Error) => unknown): Readable {
  const body = new PassThrough();
  // Who has stopped reading hears of nothing any more.
  body.on('error', () => undefined);
  let problem: Error | undefined;
  stream.once('error', (error) => {
    problem = error;
  });
  stream.once('close', () => {
    if (stream.readableEnded && stream.rstCode === constants.NGHTTP2_NO_ERROR) return;
    const reason = reasonOf(problem);
    body.destroy(reason instanceof Error ? reason : new Error(String(reason)));
  });
  body.once('close', () => stream.destroy());
  return stream.pipe(body);
}

/** The whole of a body as text. Throws request-too-large beyond `limit` bytes, with the stream destroyed, and whatever ends the stream before. */
export async function readBody(body: Readable, { limit }: { readonly limit: number }): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  // The answer to a request is still to be written when it has been read.
  for await (const chunk of body.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > limit) {
      body.destroy();
      throw fail('request-too-large', { limit });
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

/** Each line of a body, as JSON, when it is there. Throws request-too-large for one beyond `limit` bytes, SyntaxError for one that is no JSON. */
export async function* readJsonLines(body: Readable, { limit }: { readonly limit: number }): AsyncGenerator<unknown> {
  let rest = '';
  body.setEncoding('utf8');
  for await (const chunk of body as AsyncIterable<string>) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > limit || lines.some(({ length }) => length > limit)) throw fail('request-too-large', { limit });
    for (const line of lines) if (line !== '') yield JSON.parse(line);
  }
}
