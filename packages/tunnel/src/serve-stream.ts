/** Serves one byte stream of a tunnel on the node: connects to the target and lets the bytes through. */
import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import { connect, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { parseTarget, problemHeader, problemOf, type Target } from './protocol.ts';

const { HTTP_STATUS_OK, HTTP_STATUS_BAD_GATEWAY, HTTP_STATUS_FORBIDDEN, NGHTTP2_NO_ERROR } = constants;

/** Milliseconds for a target to accept. */
const connectWithin = 10_000;

/**
 * Gives a stream that tells by `connect` that it is there, and by `error` that it cannot be; or a promise of one that is there.
 */
export type Reach = (target: Target) => Duplex | Promise<Duplex>;

/** @param options.reach TCP when left out */
export function serveStream(
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  options: { readonly allow: (target: Target) => boolean; readonly reach?: Reach | undefined },
): void {
  // Every failure ends in `close`, which is where it is handled.
  stream.on('error', () => undefined);
  const target = headers[':method'] === 'CONNECT' ? parseTarget(headers[':authority'] ?? '') : undefined;
  if (target === undefined || !options.allow(target)) {
    respond(stream, { ':status': HTTP_STATUS_FORBIDDEN });
    return;
  }
  const far = (options.reach ?? reachByTcp)(target);
  if (far instanceof Promise) return void far.then(joinTo(stream), refuse(stream));
  const timer = setTimeout(() => far.destroy(new Error(`no answer within ${connectWithin / 1000} s`)), connectWithin);
  const refused = (error: Error): void => {
    clearTimeout(timer);
    refuse(stream)(error);
  };
  const abandoned = (): void => {
    clearTimeout(timer);
    far.destroy();
  };
  far.once('error', refused);
  stream.once('close', abandoned);
  far.once('connect', () => {
    clearTimeout(timer);
    far.off('error', refused);
    stream.off('close', abandoned);
    joinTo(stream)(far);
  });
}

function joinTo(stream: ServerHttp2Stream): (far: Duplex) => void {
  return (far) => {
    if (stream.destroyed) return void far.destroy();
    stream.respond({ ':status': HTTP_STATUS_OK });
    splice(stream, far);
  };
}

function refuse(stream: ServerHttp2Stream): (error: unknown) => void {
  return (error) => respond(stream, { ':status': HTTP_STATUS_BAD_GATEWAY, [problemHeader]: printable(problemOf(error)) });
}

function reachByTcp({ host, port }: Target): Socket {
  return connect({ host, port, allowHalfOpen: true, noDelay: true, keepAlive: true, keepAliveInitialDelay: 30_000 });
}

function respond(stream: ServerHttp2Stream, headers: Record<string, string | number>): void {
  if (!stream.destroyed && !stream.closed) stream.respond(headers, { endStream: true });
}

/** Each end of input is passed on as such, each break as a break: a target must not take half of something for all of it. */
function splice(stream: ServerHttp2Stream, far: Duplex): void {
  stream.pipe(far, { end: false });
  far.pipe(stream);
  stream.once('end', () => {
    if (stream.rstCode === NGHTTP2_NO_ERROR && !stream.aborted) far.end();
    else reset(far);
  });
  stream.once('close', () => {
    if (!stream.readableEnded || !far.readableEnded) reset(far);
  });
  far.on('error', () => {
    // Broken after it had said everything: what it said is still on its way and must arrive.
    if (far.readableEnded) stream.close(NGHTTP2_NO_ERROR);
  });
  far.once('close', () => {
    // Not by `close(code)`: Node sends the end of the stream before the code, as if the target had finished.
    if (!far.readableEnded) stream.destroy(new Error('the target broke off'));
  });
}

function reset(far: Duplex): void {
  if (far instanceof Socket) far.resetAndDestroy();
  else far.destroy();
}

/** What a header may hold. */
function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?').slice(0, 300);
}
