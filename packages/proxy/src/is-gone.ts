import { connect } from 'node:net';
import type { Endpoint } from './connect-first.ts';

/**
 * Whether a host is gone, so that nobody need wait for its answers: for `within` ms it neither takes nor refuses a connection, while another host
 * does. A host that is only busy takes connections by its kernel; where no other answers, the fault may be on this side.
 * @param options.within ms; well above what a connection takes
 */
export async function isGone(
  host: Endpoint,
  others: readonly Endpoint[],
  options: { readonly within: number; readonly signal: AbortSignal },
): Promise<boolean> {
  const { within, signal } = options;
  const over = new AbortController();
  const limit = AbortSignal.any([signal, over.signal]);
  // Two, so that it takes more than a lost packet.
  const silent = Promise.all([answers(host, limit), answers(host, limit)]);
  const other = Promise.all(others.map((each) => answers(each, limit)));
  // What has arrived while this process was busy is heard before the time is up: timers run first.
  const timer = setTimeout(() => setImmediate(() => over.abort()), within);
  try {
    return !(await silent).includes(true) && (await other).includes(true) && !signal.aborted;
  } finally {
    clearTimeout(timer);
    over.abort();
  }
}

/** Whether it says anything before the signal aborts: also a refusal tells that somebody is there. */
function answers({ host, port }: Endpoint, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const finish = (answer: boolean): void => {
      signal.removeEventListener('abort', abort);
      resolve(answer);
      socket.destroy();
    };
    const abort = (): void => finish(false);
    socket.once('connect', () => finish(true));
    socket.on('error', (error) => finish('code' in error && error.code === 'ECONNREFUSED'));
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
  });
}
