/**
 * One client: its subscriptions, and the one message at a time that it is sent. Nothing waits in a queue but the names of subscriptions that have something to
 * tell: what it is, is looked up when the client has taken all that came before. So a slow reader costs nothing, and reads what is now.
 */
import { fail, type Log, RfoError } from '@rfo/foundation';
import type { WatchRequest, WatchSubscribe } from '@rfo/schema';
import type { WebSocket } from 'ws';
import * as z from 'zod/mini';
import { managerSchema } from '../objects/schema.ts';
import { refusalText } from './refusal-text.ts';
import type { Listener, Source } from './source.ts';
import { createSubscription, type Subscription } from './subscription.ts';

export type ConnectionInput = {
  readonly websocket: WebSocket;
  /** Rejects with what the client is told. */
  readonly open: (request: WatchSubscribe, on: Listener, signal: AbortSignal) => Promise<Source>;
  readonly log: Log;
};

export type Connection = {
  /** Tells why, and closes. */
  readonly end: (error: RfoError, code: number) => void;
  readonly subscriptions: () => number;
};

/** Subscriptions of one client. */
const most = 64;
/** Milliseconds between two messages of a subscription; where finding out takes long, ten times as long as that. */
const gap = 100;
/** Answers that wait to be sent, and subscriptions that are being opened, above which nothing more is read. */
const mostPending = 32;
/** Milliseconds: so often it is looked whether the client is there; one that has not answered until the next time is gone. */
const heartbeat = 30_000;

type Open = {
  readonly controller: AbortController;
  subscription?: Subscription;
  /** When it may be told of again, `performance.now()`. */
  due: number;
  timer?: NodeJS.Timeout;
};

export function serveConnection({ websocket, open, log }: ConnectionInput): Connection {
  const all = new Map<string, Open>();
  const ready = new Set<Open>();
  const answers: string[] = [];
  let opening = 0;
  let sending = false;

  const pace = (): void => {
    const full = answers.length + opening >= mostPending;
    if (full && !websocket.isPaused) websocket.pause();
    else if (!full && websocket.isPaused) websocket.resume();
  };
  const answer = (message: object): void => {
    answers.push(JSON.stringify(message));
    pump();
  };
  const remove = (id: string, one: Open): void => {
    if (all.get(id) === one) all.delete(id);
    ready.delete(one);
    clearTimeout(one.timer);
    one.controller.abort(new Error('the subscription is over'));
    one.subscription?.close();
  };
  const refuse = (id: string, error: unknown): void => {
    if (!(error instanceof RfoError)) log.error('a subscription failed', { error });
    answer({ type: 'error', id, ...refusalText(error) });
  };

  const mark = (one: Open): void => {
    if (one.subscription === undefined || one.controller.signal.aborted || ready.has(one)) return;
    const wait = one.due - performance.now();
    if (wait <= 0) {
      ready.add(one);
      pump();
    } else
      one.timer ??= setTimeout(() => {
        delete one.timer;
        mark(one);
      }, wait).unref();
  };

  const render = (one: Open, subscription: Subscription): string | undefined => {
    const began = performance.now();
    try {
      return subscription.render();
    } catch (error) {
      remove(subscription.id, one);
      refuse(subscription.id, error);
      return undefined;
    } finally {
      const took = performance.now() - began;
      one.due = performance.now() + Math.max(gap, 10 * took);
    }
  };

  /** The next message, if there is any. */
  const take = (): string | undefined => {
    const first = answers.shift();
    if (first !== undefined) {
      pace();
      return first;
    }
    for (const one of ready) {
      ready.delete(one);
      const text = one.subscription === undefined ? undefined : render(one, one.subscription);
      // A refusal that it became is the next answer.
      const message = text ?? answers.shift();
      if (message !== undefined) return message;
    }
    return undefined;
  };

  const pump = (): void => {
    if (sending || websocket.readyState !== websocket.OPEN) return;
    // What it renders may mark others, which must not come in here again.
    sending = true;
    const text = take();
    if (text === undefined) {
      sending = false;
      return;
    }
    websocket.send(text, () => {
      sending = false;
      pump();
    });
  };

  const subscribe = async (request: WatchSubscribe): Promise<void> => {
    const { id, known } = request;
    if (all.has(id)) throw fail('watch-message-invalid', { problem: `there is a subscription ${JSON.stringify(id)} already` });
    if (all.size >= most) throw fail('watches-too-many', { limit: most, what: 'subscriptions on this connection' });
    const one: Open = { controller: new AbortController(), due: 0 };
    all.set(id, one);
    const on: Listener = {
      changed: () => mark(one),
      failed: (error) => {
        if (one.controller.signal.aborted) return;
        remove(id, one);
        refuse(id, error);
      },
    };
    opening++;
    pace();
    try {
      const source = await open(request, on, one.controller.signal);
      if (one.controller.signal.aborted) return source.close();
      one.subscription = createSubscription({ id, source, known });
      mark(one);
    } catch (error) {
      if (one.controller.signal.aborted) return;
      remove(id, one);
      throw error;
    } finally {
      opening--;
      pace();
    }
  };

  const handle = (request: WatchRequest): void => {
    if (request.type === 'ping') answer({ type: 'pong' });
    else if (request.type === 'subscribe') subscribe(request).catch((error: unknown) => refuse(request.id, error));
    else {
      const one = all.get(request.id);
      if (one !== undefined) remove(request.id, one);
    }
  };

  let alive = true;
  const beating = setInterval(() => {
    if (!alive) return websocket.terminate();
    alive = false;
    websocket.ping();
  }, heartbeat).unref();
  websocket.on('pong', () => {
    alive = true;
  });
  websocket.on('message', (data, binary) => {
    // Whoever speaks is there, also while what he was sent is still on its way.
    alive = true;
    try {
      handle(parseRequest(data.toString(), binary));
    } catch (error) {
      answer({ type: 'error', ...refusalText(error) });
    }
  });
  // `close` follows.
  websocket.on('error', (error) => log.debug('a WebSocket of a client failed', { error }));
  websocket.once('close', () => {
    clearInterval(beating);
    for (const [id, one] of [...all]) remove(id, one);
  });

  return {
    subscriptions: () => all.size,
    end: (error, code) => {
      for (const [id, one] of [...all]) remove(id, one);
      const { message, ...rest } = refusalText(error);
      websocket.send(JSON.stringify({ type: 'error', message, ...rest }), () => undefined);
      // A reason has 123 bytes at most (RFC 6455 §5.5).
      websocket.close(code, Buffer.from(error.code).subarray(0, 123).toString());
      setTimeout(() => websocket.terminate(), farewell).unref();
    },
  };
}

/** Milliseconds for a client to take what it is told at the end. */
const farewell = 2000;

function parseRequest(text: string, binary: boolean): WatchRequest {
  const invalid = (problem: string): Error => fail('watch-message-invalid', { problem });
  if (binary) throw invalid('messages are text');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw invalid('it is no JSON');
  }
  const read = z.safeParse(managerSchema.watchRequestSchema, value, { error: z.locales.en().localeError });
  if (read.success) return read.data;
  throw invalid(
    read.error.issues
      .map(({ path, message }) => `${path.join('.') || 'it'}: ${message}`)
      .slice(0, 3)
      .join('; '),
  );
}
