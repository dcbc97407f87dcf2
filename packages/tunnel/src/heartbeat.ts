/** Tells whether the other end of a tunnel still answers. */
import type { Connection } from './connection.ts';

/** The other end closes a tunnel after 10 s of silence. */
const longestPause = 3000;

export type HeartbeatOptions = {
  /** Milliseconds from an answer to the next question; read each time. */
  readonly every: () => number;
  /** Milliseconds without an answer until `onSilent`, and until `onDead`. */
  readonly suspectAfter: number;
  readonly deadAfter: number;
  readonly onSilent: () => void;
  /** It answers again, after `onSilent`. */
  readonly onAnswered: () => void;
  readonly onDead: () => void;
};

/**
 * Pings, one at a time. While an answer is due any byte is a sign of life: on a slow link the answer waits behind all that is sent before it.
 * Ends with the connection.
 */
export function startHeartbeat({ socket, session, ended }: Connection, options: HeartbeatOptions): void {
  let timer: NodeJS.Timeout | undefined;
  let over = false;
  let silent = false;
  /** When it was last known to live, or was asked: silence counts from then. */
  let since = 0;
  let bytes = 0;

  const alive = (): void => {
    since = performance.now();
    bytes = socket.bytesRead;
    if (!silent) return;
    silent = false;
    options.onAnswered();
  };
  const ask = (): void => {
    if (session.destroyed) return;
    since = performance.now();
    bytes = socket.bytesRead;
    session.ping((error) => {
      if (over || error !== null) return;
      clearTimeout(timer);
      alive();
      timer = setTimeout(ask, Math.min(options.every(), longestPause));
    });
    timer = setTimeout(look, options.suspectAfter);
  };
  // What arrived while this process was busy has to be read first: timers run before it, immediates after it.
  const look = (): void => {
    const asked = timer;
    setImmediate(() => {
      if (over || timer !== asked) return;
      if (socket.bytesRead !== bytes) alive();
      else if (!silent) {
        silent = true;
        options.onSilent();
      } else if (performance.now() - since >= options.deadAfter) return options.onDead();
      timer = setTimeout(look, options.suspectAfter);
    });
  };
  void ended.then(() => {
    over = true;
    clearTimeout(timer);
  });
  ask();
}
