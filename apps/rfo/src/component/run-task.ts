import { Backoff, Life, sleep } from '@rfo/foundation';
import { isFinal, whenAborted } from '@rfo/process';
import { released, type TaskComponent } from './component.ts';
import type { Runner, RunOptions } from './runner.ts';
import { untilReady } from './until-ready.ts';

/** Runs a task component: again after a delay while it fails, until its error is final; `restart` and `reconcile` run it anew. */
export function runTask(component: TaskComponent, options: RunOptions): Runner {
  const { track, log, pace } = options;
  const backoff = new Backoff(pace.backoff);
  let stopped = false;
  /** Aborts when it is to stop or to be run anew. */
  let turn = new AbortController();

  const loop = async (): Promise<void> => {
    while (!stopped) {
      turn = new AbortController();
      const life = new Life();
      const error = await runOnce(life, turn.signal);
      await life.end(error).catch((problem: unknown) => log.error('cannot clean up after itself', { error: problem }));
      if (!turn.signal.aborted) await pause(error, turn.signal);
    }
    track.set('stopped');
  };

  /** Gives the error it failed by, or the reason why it is to end. */
  const runOnce = async (life: Life, signal: AbortSignal): Promise<unknown> => {
    try {
      track.set('starting');
      await untilReady(component.run({ life, log, note: track.note }), { ...options, signal });
      signal.throwIfAborted();
      backoff.reset();
      track.set('ready', { how: 'task' });
      await whenAborted(signal);
      return signal.reason;
    } catch (error) {
      return error;
    }
  };

  const pause = async (error: unknown, signal: AbortSignal): Promise<void> => {
    if (isFinal(error)) {
      track.set('failed', { error });
      return whenAborted(signal);
    }
    const delay = backoff.next();
    track.set('restarting', { error, delay: Math.round(delay) });
    // A stop or a restart cuts the delay short: the loop looks next.
    await sleep(delay, signal).catch(() => undefined);
  };

  const ended = loop();
  const restart = (): void => {
    track.set('restarting', { because: 'asked to' });
    turn.abort(new Error('runs anew'));
  };
  const end = async (reason: Error): Promise<void> => {
    stopped = true;
    track.set('stopping');
    turn.abort(reason);
    await ended;
  };
  const reconcile = async (): Promise<'restart'> => {
    restart();
    return 'restart';
  };
  return { reconcile, restart, stop: () => end(new Error('stopped')), release: () => end(released) };
}
