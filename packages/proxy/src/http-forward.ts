/** Passes a plain request on to the server behind, and its answer back: nothing is kept but what is on its way. */
import type { ClientRequest, IncomingMessage, ServerResponse } from 'node:http';
import type { Framing } from './http-framing.ts';
import type { Upstream } from './http-upstream.ts';

export type Forwarding = {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly upstream: Upstream;
  /** Path with query, as the server behind knows it. */
  readonly path: string;
  /** All that the server behind is to see; framing is added. */
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  /** Of the request, checked. */
  readonly framing: Framing;
  /** Ends it at once on both sides. */
  readonly signal: AbortSignal;
  /** Milliseconds from the end of the request to the head of the answer; without it, as long as the client waits. */
  readonly answerWithin?: number | undefined;
  /** Gives the headers to answer with; may throw to have the answer refused. Whoever wants to see the body listens to its `data` here. */
  readonly onAnswer: (answer: IncomingMessage) => Readonly<Record<string, string | readonly string[]>>;
};

/**
 * Resolves with the status when the answer has been passed on. A request without a body that fails on a connection used before is sent once more.
 * @throws what `connect` of the upstream throws, what `onAnswer` throws, the signal's reason, an error of the network: as long as
 *   `response.headersSent` is false nothing was answered and the caller has to; afterwards the client sees a connection that broke.
 */
export async function forward(forwarding: Forwarding): Promise<number> {
  const { request, upstream, framing, signal } = forwarding;
  const repeatable = framing.kind === 'none' && (request.method === 'GET' || request.method === 'HEAD');
  for (let attempt = 1; ; attempt++) {
    signal.throwIfAborted();
    const sent = send(forwarding);
    try {
      return await passOn(await sent.answer, sent.outgoing, forwarding);
    } catch (error) {
      // What is still to come of it concerns nobody.
      sent.outgoing.destroy();
      if (signal.aborted) throw signal.reason;
      // Closed by the server while it was idle: its fellows are likely to be, too.
      if (!repeatable || attempt > 1 || !sent.outgoing.reusedSocket || sent.answered()) throw error;
      upstream.dropIdle();
    } finally {
      sent.release();
    }
  }
}

type Sent = {
  readonly outgoing: ClientRequest;
  readonly answer: Promise<IncomingMessage>;
  readonly answered: () => boolean;
  readonly release: () => void;
};

function send(forwarding: Forwarding): Sent {
  const { request, response, upstream, path, headers, framing, signal, answerWithin } = forwarding;
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const expects = framing.kind !== 'none' && 'expect' in request.headers;
  let answered = false;
  let timer: NodeJS.Timeout | undefined;

  const lines = { ...headers, ...framingHeaders(framing, request.method) };
  const outgoing = upstream.request({ method: request.method ?? 'GET', path, headers: lines }, () => {
    if (framing.kind === 'none') outgoing.end();
    else if (!expects) request.pipe(outgoing);
    else {
      // Not before: Node sends the head as soon as it knows of this one.
      outgoing.setHeader('expect', '100-continue');
      outgoing.flushHeaders();
    }
  });
  const abort = (): void => {
    outgoing.destroy();
    reject(signal.reason);
  };
  signal.addEventListener('abort', abort, { once: true });
  // The server behind wants the body, so the client may send it.
  outgoing.once('continue', () => {
    if (answered || !expects) return;
    response.writeContinue();
    request.pipe(outgoing);
  });
  outgoing.once('finish', () => {
    if (answerWithin === undefined || answered) return;
    timer = setTimeout(() => outgoing.destroy(new Error(`no answer within ${answerWithin / 1000} s`)), answerWithin);
  });
  outgoing.once('response', (answer) => {
    answered = true;
    clearTimeout(timer);
    resolve(answer);
  });
  // Stays for its time: where an answer is under way, its own end tells that it broke.
  outgoing.on('error', reject);
  // To a request that asked for no upgrade: nothing that can be passed on.
  outgoing.once('upgrade', (_, socket) => {
    socket.destroy();
    reject(new Error('the server changed the protocol unasked'));
  });
  outgoing.once('close', () => {
    clearTimeout(timer);
    reject(new Error('the server closed the connection without an answer'));
  });
  // Nobody may be waiting for it any more.
  promise.catch(() => undefined);
  return {
    outgoing,
    answer: promise,
    answered: () => answered,
    release: () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
    },
  };
}

function framingHeaders(framing: Framing, method: string | undefined): Record<string, string> {
  if (framing.kind === 'chunked') return { 'transfer-encoding': 'chunked' };
  if (framing.kind === 'length') return { 'content-length': String(framing.bytes) };
  return method === 'GET' || method === 'HEAD' || method === 'OPTIONS' ? {} : { 'content-length': '0' };
}

function passOn(answer: IncomingMessage, outgoing: ClientRequest, forwarding: Forwarding): Promise<number> {
  const { request, response, onAnswer } = forwarding;
  const { statusCode: status = 502, statusMessage } = answer;
  const headers: Record<string, string | readonly string[]> = { ...onAnswer(answer) };
  // Answered before the body was read to its end: what is left of it must not be taken for the next request.
  const unread = !request.complete;
  if (unread) headers.connection = 'close';
  response.writeHead(status, statusMessage, headers as Record<string, string | string[]>);
  // Of an answer without a known length nobody knows when its first byte comes: that of a watch may take an hour.
  if (headers['content-length'] === undefined) response.flushHeaders();
  return copy(answer, response)
    .then(() => status)
    .finally(() => {
      request.unpipe(outgoing);
      // A connection on which a request is unfinished can carry no other.
      if (!outgoing.writableFinished) outgoing.destroy();
      if (unread) discard(request);
    });
}

/** Breaks the one where the other breaks. What `pipeline` does, without what it costs each short request. */
function copy(answer: IncomingMessage, response: ServerResponse): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (problem?: unknown): void => {
      answer.off('close', answerClosed);
      response.off('finish', settle).off('close', responseClosed);
      if (problem === undefined) resolve();
      else reject(problem);
    };
    const answerClosed = (): void => {
      if (answer.complete && answer.readableEnded) return;
      response.destroy();
      settle(answer.errored ?? new Error('the server broke its answer off'));
    };
    const responseClosed = (): void => {
      answer.destroy();
      settle(new Error('the client closed the connection'));
    };
    // Ends in `close`.
    answer.on('error', () => undefined);
    response.on('error', () => undefined);
    answer.once('close', answerClosed);
    response.once('finish', settle).once('close', responseClosed);
    if (response.destroyed) responseClosed();
    else answer.pipe(response);
  });
}

/** Bytes of an unwanted body that are still read: a connection that is closed while the client writes takes the answer with it. */
const mostDiscarded = 1024 * 1024;

/** Reads on past a body that nobody wants any more, within bounds; the connection has to be closed after it. */
export function discard(request: IncomingMessage): void {
  let size = 0;
  request.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size > mostDiscarded) request.destroy();
  });
  // It may break off, which is all right.
  request.on('error', () => undefined);
}
