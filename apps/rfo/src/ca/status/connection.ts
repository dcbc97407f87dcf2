/** One connection of an OCSP client: simple requests are answered here, in order; at the first other one it goes to a complete HTTP server. */
import type { Socket } from 'node:net';
import type { StatusAnswer } from './answer-http.ts';
import { readSimpleRequest, type SimpleRequest } from './simple-request.ts';

export type ConnectionInputs = {
  readonly socket: Socket;
  /** The answer at once where it is known, otherwise as soon as it is; undefined for what somebody else has to answer. Must not reject. */
  readonly answer: (request: SimpleRequest) => StatusAnswer | Promise<StatusAnswer> | undefined;
  readonly wire: (answer: StatusAnswer) => Buffer;
  /** Takes the socket over, with everything that was not answered yet put back into it. */
  readonly handOver: (socket: Socket) => void;
};

export type Connection = {
  /** Milliseconds of `performance.now()` since which nothing has gone on: no request was finished, no answer taken. */
  readonly since: () => number;
  /** Answers what is under way, and closes. */
  readonly finish: () => void;
};

/** Milliseconds on the monotonic clock. */
const now = (): number => performance.now();

export function serveConnection({ socket, answer, wire, handOver }: ConnectionInputs): Connection {
  /** What came and is not answered yet. */
  let rest: Buffer = nothing;
  let since = now();
  let waiting = false;
  /** The client has said all it wants to; we should answer nothing more; somebody else has the socket. */
  let ended = false;
  let finishing = false;
  let left = false;

  const onData = (chunk: Buffer): void => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    if (!waiting) work();
  };
  const onEnd = (): void => {
    ended = true;
    if (!waiting) finish();
  };
  const onError = (): void => void socket.destroy();
  socket.on('data', onData).on('end', onEnd).on('error', onError);

  /** Answers what is there. Stops where an answer takes its time or the client reads too slowly, and goes on from there later. */
  function work(): void {
    let at = 0;
    let flowing = true;
    socket.cork();
    while (flowing && at < rest.length) {
      const request = readSimpleRequest(rest, at);
      if (request.kind === 'more') break;
      const reply = request.kind === 'unusual' ? undefined : answer(request);
      if (request.kind === 'unusual' || reply === undefined) {
        rest = rest.subarray(at);
        socket.uncork();
        leave();
        return;
      }
      at = request.end;
      if (reply instanceof Promise) {
        void wait(reply.then(write));
        flowing = false;
      } else if (!write(reply)) {
        void wait(drained());
        flowing = false;
      }
    }
    rest = at === rest.length ? nothing : rest.subarray(at);
    socket.uncork();
  }

  /** False: enough is on its way. */
  function write(reply: StatusAnswer): boolean {
    since = now();
    return socket.write(wire(reply));
  }

  /** Reads on when it is over. */
  async function wait(until: Promise<unknown>): Promise<void> {
    waiting = true;
    socket.pause();
    await until;
    if (socket.writableNeedDrain) await drained();
    waiting = false;
    if (socket.destroyed) return;
    if (finishing) return socket.destroySoon();
    work();
    if (waiting || left) return;
    if (ended) finish();
    else socket.resume();
  }

  function drained(): Promise<void> {
    return new Promise((resolve) => {
      if (socket.destroyed) return resolve();
      const done = (): void => {
        socket.off('drain', done).off('close', done);
        resolve();
      };
      socket.on('drain', done).on('close', done);
    });
  }

  function finish(): void {
    // What is cut short has nobody to answer to.
    if (rest.length > 0) socket.destroy();
    else socket.end();
  }

  function leave(): void {
    left = true;
    socket.off('data', onData).off('end', onEnd).off('error', onError);
    socket.pause();
    if (rest.length > 0) socket.unshift(rest);
    rest = nothing;
    handOver(socket);
  }

  return {
    since: () => since,
    finish: () => {
      finishing = true;
      if (!waiting) socket.destroySoon();
    },
  };
}

const nothing = Buffer.alloc(0);
