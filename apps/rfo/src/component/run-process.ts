import { Life } from '@rfo/foundation';
import { binaryIdentity, type RunningProcess, type SupervisedState, supervise } from '@rfo/process';
import { applyRendered } from './apply-rendered.ts';
import type { Change, ProcessComponent, ProcessContext, Rendered } from './component.ts';
import { defaultChange } from './default-change.ts';
import type { Runner, RunOptions } from './runner.ts';
import type { Track } from './track.ts';
import { untilReady } from './until-ready.ts';
import { watchHealth } from './watch-health.ts';

/** Runs a process component: supervised, probed, and reconciled. */
export function runProcess(component: ProcessComponent, options: RunOptions): Runner {
  const { track, log, clock, pace } = options;
  const life = new Life();
  let previous: { readonly rendered: Rendered; readonly binary: string } | undefined;

  const prepare = async () => {
    const rendered = await component.render();
    previous = { rendered, binary: await binaryIdentity(rendered.process) };
    return applyRendered(rendered);
  };
  const accompany = async (process: RunningProcess, signal: AbortSignal): Promise<void> => {
    const context: ProcessContext = { process, signal, log, note: track.note };
    signal.throwIfAborted();
    await untilReady(component.ready(context), { ...options, signal });
    signal.throwIfAborted();
    track.set('ready', { how: process.adopted ? 'adopted' : 'started', pid: process.pid });
    await watchHealth(component, context, options);
  };
  const supervised = supervise({
    ...{ name: component.name, prepare, accompany, life, log, clock, backoff: pace.backoff },
    ...(component.beforeStart && { beforeStart: component.beforeStart }),
    ...(options.beforeReplace && { beforeReplace: options.beforeReplace }),
    onState: (state) => reportState(track, state),
  });

  const reconcile = async (): Promise<Change> => {
    if (previous === undefined) return 'none';
    const old = previous;
    const next = { rendered: await component.render(), binary: await binaryIdentity(old.rendered.process) };
    const decide = component.reconcile ?? defaultChange;
    const change = next.binary === old.binary ? decide(old.rendered, next.rendered) : 'restart';
    if (change === 'restart') {
      track.set('restarting', { because: 'its configuration changed' });
      supervised.restart();
      return change;
    }
    const spec = await applyRendered(next.rendered);
    previous = next;
    if (change === 'reload') log.info('reloads', { because: 'its configuration changed' });
    await (change === 'reload' ? supervised.reload(spec) : supervised.record(spec));
    return change;
  };
  const restart = (): void => {
    track.set('restarting', { because: 'asked to' });
    supervised.restart();
  };
  const stop = (): Promise<void> => {
    track.set('stopping');
    return life.end();
  };
  const release = async (): Promise<void> => {
    if (component.onRelease === 'stop') return stop();
    await supervised.release();
    await life.end();
  };
  return { reconcile, restart, stop, release };
}

/** The supervisor's states in the component's words; `ready` and `unhealthy` come from the probes. */
function reportState(track: Track, state: SupervisedState): void {
  if (state.kind === 'restarting') track.set('restarting', { error: state.error, delay: Math.round(state.delay) });
  else if (state.kind === 'failed') track.set('failed', { error: state.error });
  // Stopping is said by who asked for it: the supervisor also stops in order to restart.
  else if (state.kind !== 'running' && state.kind !== 'stopping') track.set(state.kind);
}
