import { fail, orAbort, sleep } from '@rfo/foundation';
import type { ProcessComponent, ProcessContext } from './component.ts';
import type { RunOptions } from './runner.ts';

/**
 * Checks a ready component until the signal aborts, seldom while it is well, often while it is not; throws `component-unhealthy` after too many
 * failures in a row.
 */
export async function watchHealth(component: ProcessComponent, context: ProcessContext, { track, pace }: RunOptions): Promise<void> {
  if (component.health === undefined) return;
  for (let failures = 0; failures < pace.healthFailures; ) {
    await sleep(failures === 0 ? pace.healthEvery : pace.doubtEvery, context.signal);
    const signal = AbortSignal.any([context.signal, AbortSignal.timeout(pace.healthWithin)]);
    try {
      await orAbort(component.health({ ...context, signal }), signal);
      context.signal.throwIfAborted();
      failures = 0;
      track.set('ready');
    } catch (error) {
      context.signal.throwIfAborted();
      failures++;
      track.set('unhealthy', { error });
    }
  }
  const problem = track.error instanceof Error ? track.error.message : String(track.error);
  const { name, logFile } = context.process;
  throw fail('component-unhealthy', { name, times: pace.healthFailures, problem, log: logFile });
}
