import {
  Backoff,
  type BackoffOptions,
  type Clock,
  fail,
  type Life,
  type Log,
  orAbort,
  RfoError,
  sleep,
  systemClock,
} from '@rfo/foundation';
import { adoptProcess } from './adopt-process.ts';
import { hashSpec } from './hash.ts';
import { recordOf, writeRecord } from './record.ts';
import type { RunningProcess } from './running-process.ts';
import type { ProcessSpec } from './spec.ts';
import { startProcess } from './start-process.ts';
import { stopProcess } from './stop-process.ts';
import { whenAborted } from './when-aborted.ts';

export type SuperviseOptions = {
  readonly name: string;
  /** Called before each start: writes the files the process reads and says how to run it. */
  readonly prepare: (signal: AbortSignal) => Promise<ProcessSpec>;
  /** Called before a process is ended that an earlier rfo left running with other settings. */
  readonly beforeReplace?: (signal: AbortSignal) => Promise<void>;
  /** Called when nothing runs that could be adopted, right before a new process is started. */
  readonly beforeStart?: (signal: AbortSignal) => Promise<void>;
  /**
   * Goes with the process while it runs, for readiness and health; `signal` aborts when the process ends or is to end.
   * When it rejects, the process is ended and started again.
   */
  readonly accompany: (process: RunningProcess, signal: AbortSignal) => Promise<void>;
  readonly onState: (state: SupervisedState) => void;
  /** When it ends, the process is stopped, unless it was released before. */
  readonly life: Life;
  readonly log: Log;
  readonly clock?: Clock;
  /** Delays between starts, in milliseconds; 100 up to 30000 by default. */
  readonly backoff?: BackoffOptions;
  /** A process that ran for this many milliseconds (a minute) starts the delays anew. */
  readonly healthyAfter?: number;
};

export type SupervisedState =
  | { readonly kind: 'starting' }
  | { readonly kind: 'running'; readonly process: RunningProcess }
  /** It ended or failed by `error` and is started again in `delay` ms. */
  | { readonly kind: 'restarting'; readonly delay: number; readonly error: unknown }
  /** An error that a new attempt does not cure; only `restart` leads out. */
  | { readonly kind: 'failed'; readonly error: unknown }
  | { readonly kind: 'stopping' }
  | { readonly kind: 'stopped' }
  /** Left running for the next rfo. */
  | { readonly kind: 'released' };

export type Supervised = {
  /** Ends the process and starts it anew at once, freshly prepared. */
  readonly restart: () => void;
  /** Sends the reload signal, then records that the process now has the spec's files. */
  readonly reload: (spec: ProcessSpec) => Promise<void>;
  /** Records that the running process is as this spec wants it, for the next rfo to adopt. */
  readonly record: (spec: ProcessSpec) => Promise<void>;
  readonly stop: () => Promise<void>;
  /** Supervises it no longer; the process runs on, and the next rfo adopts it. */
  readonly release: () => Promise<void>;
};

type Wish = 'run' | 'restart' | 'stop' | 'release';

/** Keeps a process running: adopts or starts it, and starts it again with growing delays whenever it ends, until its life ends. */
export function supervise(options: SuperviseOptions): Supervised {
  const { onState, life, log, clock = systemClock, healthyAfter = 60_000 } = options;
  const backoff = new Backoff(options.backoff ?? { initial: 100, max: 30_000 });
  let wish: Wish = 'run';
  /** Aborts when the wish changes. */
  let turn = new AbortController();
  let current: RunningProcess | undefined;
  /** Why the last process could not be ended. */
  let stuck: unknown;

  const express = (next: Wish): void => {
    if (wish === 'stop' || wish === 'release') return;
    wish = next;
    turn.abort(new Error(next));
  };
  const finish = async (how: 'stop' | 'release'): Promise<void> => {
    express(how);
    await ended;
  };

  const loop = async (): Promise<void> => {
    while (wish === 'run' || wish === 'restart') {
      wish = 'run';
      stuck = undefined;
      turn = new AbortController();
      const error = await runOnce(turn.signal);
      if (wish === 'run') await pause(error);
      else backoff.reset();
    }
    onState({ kind: wish === 'release' ? 'released' : 'stopped' });
    if (stuck !== undefined) throw stuck;
  };

  /** From preparation to the end of the process; gives what it failed by. */
  const runOnce = async (signal: AbortSignal): Promise<unknown> => {
    try {
      onState({ kind: 'starting' });
      const spec = await orAbort(options.prepare(signal), signal);
      current = (await adopt(spec, signal)) ?? (await start(spec, signal));
      const since = clock.now();
      onState({ kind: 'running', process: current });
      const error = await untilOver(current, signal);
      if (clock.now() - since >= healthyAfter) backoff.reset();
      await settle(current, spec);
      return error;
    } catch (error) {
      return error;
    } finally {
      current = undefined;
    }
  };

  /** What an earlier rfo left running with the same settings; with other settings it is ended. */
  const adopt = async (spec: ProcessSpec, signal: AbortSignal): Promise<RunningProcess | undefined> => {
    const adoption = await adoptProcess(spec);
    if (adoption.kind === 'adopted') return adoption.process;
    if (adoption.kind === 'changed') {
      log.info('runs with other settings and is replaced', { pid: adoption.process.pid });
      if (options.beforeReplace !== undefined) await orAbort(options.beforeReplace(signal), signal);
      await stopProcess(adoption.process, spec, log);
    }
    return undefined;
  };

  const start = async (spec: ProcessSpec, signal: AbortSignal): Promise<RunningProcess> => {
    if (options.beforeStart !== undefined) await orAbort(options.beforeStart(signal), signal);
    return startProcess(spec, log);
  };

  const untilOver = (process: RunningProcess, signal: AbortSignal): Promise<unknown> => {
    const over = AbortSignal.any([signal, process.gone]);
    const companion = options.accompany(process, over);
    return new Promise((resolve) => {
      void whenAborted(over).then(() => resolve(over.reason));
      // Its own failure counts only while the process is to run.
      companion.catch(resolve);
    });
  };

  const settle = async (process: RunningProcess, spec: ProcessSpec): Promise<void> => {
    if (wish === 'release') return process.forget();
    if (!process.gone.aborted) onState({ kind: 'stopping' });
    try {
      await stopProcess(process, spec, log);
    } catch (error) {
      stuck = error;
      log.error('cannot be ended', { error });
    }
  };

  const pause = async (error: unknown): Promise<void> => {
    if (isFinal(error)) {
      onState({ kind: 'failed', error });
      return whenAborted(turn.signal);
    }
    const delay = backoff.next();
    onState({ kind: 'restarting', delay, error });
    // A changed wish cuts the delay short: the loop looks at the wish next.
    await sleep(delay, turn.signal).catch(() => undefined);
  };

  const reload = async (spec: ProcessSpec): Promise<void> => {
    if (spec.reloadSignal === undefined) throw fail('internal', { what: `${spec.name} has no reload signal` });
    current?.kill(spec.reloadSignal);
    await record(spec);
  };
  const record = async (spec: ProcessSpec): Promise<void> => {
    const specHash = await hashSpec(spec);
    if (current !== undefined) writeRecord(spec.recordFile, recordOf(spec, specHash, current.identity));
  };

  const ended = loop();
  life.defer(() => finish('stop'));
  return { restart: () => express('restart'), reload, record, stop: () => finish('stop'), release: () => finish('release') };
}

/** Whether a new attempt is useless. Only an error that says so itself is final: an unknown one may be gone next time. */
export function isFinal(error: unknown): boolean {
  return error instanceof RfoError && !error.retryable;
}
