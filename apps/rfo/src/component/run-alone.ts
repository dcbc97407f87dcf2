import { type Clock, type Log, systemClock } from '@rfo/foundation';
import type { ProcessComponent } from './component.ts';
import { runProcess } from './run-process.ts';
import { defaultPace } from './runner.ts';
import { Track } from './track.ts';

/** A process that runs before there is a manager. */
export type Alone = {
  /** Resolves when it can be used; throws its error when it cannot be started, and the signal's reason. */
  readonly ready: (signal: AbortSignal) => Promise<void>;
  /** Whether an earlier rfo had left it running. */
  readonly adopted: () => boolean;
  readonly stop: () => Promise<void>;
  /** Lets it run on. */
  readonly release: () => Promise<void>;
};

/** Starts one component, or adopts it, for a work that has to be done before the others: supervised and probed as ever. */
export function runAlone(component: ProcessComponent, given: { readonly log: Log; readonly clock?: Clock }): Alone {
  const { clock = systemClock } = given;
  const log = given.log.part(component.name);
  const track = new Track(component.name, { log, clock, onChange: () => undefined });
  const { stop, release } = runProcess(component, { track, log, clock, pace: defaultPace });
  return { ready: (signal) => track.whenReady(signal), adopted: () => track.times.how === 'adopted', stop, release };
}
