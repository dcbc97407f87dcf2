/** Opens one byte stream of a tunnel: CONNECT on the accepting end. */
import { type ClientHttp2Session, type ClientHttp2Stream, constants, type IncomingHttpHeaders } from 'node:http2';
import type { Duplex } from 'node:stream';
import { fail, RfoError } from '@rfo/foundation';
import { formatTarget, problemHeader, problemOf, type Target } from './protocol.ts';

/** @param options.open the streams of the tunnel; this one is in it for its life */
export function openStream(options: {
  readonly session: ClientHttp2Session;
  readonly open: Set<ClientHttp2Stream>;
  readonly target: Target;
  readonly signal: AbortSignal | undefined;
}): Promise<Duplex> {
  const { session, open, target, signal } = options;
  const stream = session.request({ ':method': 'CONNECT', ':authority': formatTarget(target) }, { endStream: false });
  open.add(stream);
  stream.once('close', () => open.delete(stream));
  // Stays for the stream's time: whoever uses the stream hears of the error as well.
  stream.on('error', () => undefined);
  cancelWhenDestroyed(stream);
  return new Promise((resolve, reject) => {
    const settle = (problem?: unknown): void => {
      signal?.removeEventListener('abort', abort);
      stream.off('response', answered).off('error', settle).off('close', ended);
      if (problem === undefined) {
        resolve(stream);
        return;
      }
      stream.destroy();
      reject(problem instanceof RfoError ? problem : fail('tunnel-closed', { problem: problemOf(problem) }, problem));
    };
    const abort = (): void => {
      stream.destroy();
      reject(signal?.reason);
    };
    const answered = (headers: IncomingHttpHeaders & { ':status'?: number }): void => settle(problemIn(headers, target));
    const ended = (): void => settle(new Error('it ended'));
    signal?.addEventListener('abort', abort, { once: true });
    stream.once('response', answered).once('error', settle).once('close', ended);
  });
}

function problemIn(headers: IncomingHttpHeaders & { ':status'?: number }, target: Target): Error | undefined {
  const { ':status': status, [problemHeader]: problem } = headers;
  if (status === constants.HTTP_STATUS_OK) return undefined;
  if (status === constants.HTTP_STATUS_FORBIDDEN) return fail('tunnel-refused', { target: formatTarget(target) });
  return fail('tunnel-unreachable', {
    target: formatTarget(target),
    problem: problem === undefined ? `status ${status}` : String(problem),
  });
}

/** Node resets a stream that is destroyed amid its life as if it had been finished; the target would take half of the bytes for all. */
function cancelWhenDestroyed(stream: ClientHttp2Stream): void {
  const destroy = stream._destroy.bind(stream);
  stream._destroy = (error, callback) => {
    if (!stream.closed && !stream.writableFinished) stream.close(constants.NGHTTP2_CANCEL);
    destroy(error, callback);
  };
}
