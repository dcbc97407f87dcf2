import { type Clock, fail, type Life, type Log, systemClock } from '@rfo/foundation';
import { stopUnlisted } from '@rfo/process';
import type { Change, Component, ComponentState } from './component.ts';
import { endChanged } from './end-changed.ts';
import { inOrder } from './order.ts';
import { runProcess } from './run-process.ts';
import { runTask } from './run-task.ts';
import { defaultPace, type Pace, type Runner } from './runner.ts';
import { renderTable } from './table.ts';
import { Track } from './track.ts';

export type ManagerOptions = {
  readonly components: readonly Component[];
  /** When it ends, everything is stopped, unless it was released before. */
  readonly life: Life;
  readonly log: Log;
  /** Folder of the process records: what is recorded there for no component is ended. */
  readonly processRecords: string;
  readonly clock?: Clock;
  readonly pace?: Partial<Pace>;
  readonly onChange?: (change: { readonly name: string; readonly state: ComponentState; readonly error: unknown }) => void;
};

export type Manager = {
  /** Resolves when all are ready but those apart; throws the error of the first that failed. */
  readonly allReady: () => Promise<void>;
  /** Resolves when it is ready (at once when it is); throws when it failed or was stopped. */
  readonly whenReady: (name: string) => Promise<void>;
  /** Renders it anew and applies the difference to it alone; resolves when it is ready with it. */
  readonly reconcile: (name: string) => Promise<Change>;
  /** Restarts it alone, also out of `failed`; resolves when it is ready. */
  readonly restart: (name: string) => Promise<void>;
  /** Stops all, each after those that need it. */
  readonly stopAll: () => Promise<void>;
  /** Like `stopAll`, but the processes to keep run on, for the next rfo to adopt. */
  readonly release: () => Promise<void>;
  readonly has: (name: string) => boolean;
  readonly stateOf: (name: string) => ComponentState;
  /** How long each took, as text. */
  readonly table: () => string;
};

type Member = { readonly component: Component; readonly track: Track; readonly log: Log; runner?: Runner; applying: Promise<unknown> };

/** Starts every component as soon as its needs are ready, adopting what an earlier rfo left running. Throws `internal` for impossible needs. */
export function startComponents(options: ManagerOptions): Manager {
  const { life, log, clock = systemClock, onChange } = options;
  const pace = { ...defaultPace, ...options.pace };
  const ordered = inOrder(options.components);
  const ending = new AbortController();
  const members = new Map(ordered.map((component) => [component.name, member(component)]));
  const ofNode = [...members.values()].filter(({ component }) => component.kind === 'task' || component.apart !== true);
  let ended: Promise<void> | undefined;

  function member(component: Component): Member {
    const own = log.part(component.name);
    const track = new Track(component.name, { log: own, clock, onChange: ({ name, state, error }) => onChange?.({ name, state, error }) });
    return { component, track, log: own, applying: Promise.resolve() };
  }

  const get = (name: string): Member => {
    const found = members.get(name);
    if (found === undefined) throw fail('internal', { what: `there is no component ${name}` });
    return found;
  };

  const bringUp = async (one: Member): Promise<void> => {
    try {
      await cleared;
      await Promise.all(one.component.needs.map((need) => needReady(one, get(need).track)));
    } catch (error) {
      if (ending.signal.aborted) return;
      throw error;
    }
    const { component, track } = one;
    const dependents = ordered.filter(({ needs }) => needs.includes(component.name));
    const run = { track, log: one.log, clock, pace, beforeReplace: () => endChanged(dependents, log) };
    if (!ending.signal.aborted) one.runner = component.kind === 'process' ? runProcess(component, run) : runTask(component, run);
  };

  /** A need that failed fails this one too, until the need is cured. */
  const needReady = async ({ track }: Member, need: Track): Promise<void> => {
    try {
      await need.whenReady(ending.signal);
    } catch (error) {
      ending.signal.throwIfAborted();
      track.set('failed', { error: fail('component-need-failed', { name: track.name, need: need.name }, error) });
      await need.until(['ready'], ending.signal);
    }
  };

  const restart = async (name: string): Promise<void> => {
    const { runner, track } = get(name);
    runner?.restart();
    await track.whenReady();
  };

  const reconcile = async (name: string): Promise<Change> => {
    const one = get(name);
    const apply = async (): Promise<Change> => {
      const { runner, track } = one;
      if (runner === undefined) return 'none';
      const failed = track.state === 'failed';
      if (failed) runner.restart();
      const change = failed ? 'restart' : await runner.reconcile();
      if (change === 'restart') await track.whenReady();
      return change;
    };
    // One at a time: two would compare with the same old state.
    const result = one.applying.then(apply);
    one.applying = result.catch(() => undefined);
    return result;
  };

  const finish = (how: 'stop' | 'release'): Promise<void> => {
    ended ??= finishAll(how);
    return ended;
  };
  const finishAll = async (how: 'stop' | 'release'): Promise<void> => {
    ending.abort(new Error(how));
    const done = new Map<string, Promise<void>>();
    for (const { name } of [...ordered].reverse()) {
      const dependents = ordered.filter(({ needs }) => needs.includes(name)).map((dependent) => done.get(dependent.name));
      const { runner, track } = get(name);
      const own = Promise.allSettled(dependents).then(() => runner?.[how]() ?? track.set('stopped'));
      done.set(name, own);
    }
    const errors = (await Promise.allSettled(done.values())).flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
    if (errors.length > 0) throw new AggregateError(errors, 'some components did not end');
  };

  const cleared = stopUnlisted({ folder: options.processRecords, names: new Set(members.keys()), log }).catch((error: unknown) =>
    log.error('cannot end what no component owns any more', { error }),
  );
  for (const one of members.values()) void bringUp(one);
  life.defer(() => finish('stop'));

  return {
    allReady: async () => void (await Promise.all(ofNode.map(({ track }) => track.whenReady()))),
    whenReady: (name) => get(name).track.whenReady(),
    ...{ reconcile, restart },
    stopAll: () => finish('stop'),
    release: () => finish('release'),
    has: (name) => members.has(name),
    stateOf: (name) => get(name).track.state,
    table: () =>
      renderTable([...members.values()].map(({ track: { name, state, times, restarts } }) => ({ name, state, times, restarts }))),
  };
}
