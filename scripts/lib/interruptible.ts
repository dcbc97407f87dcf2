import { toRfoError } from '@rfo/foundation';

/**
 * Runs a command's whole story with a signal that Ctrl-C aborts, and makes its result or its error the exit status of this process.
 * A second Ctrl-C is not needed: what hangs on the signal ends.
 */
export async function interruptible(story: (signal: AbortSignal) => Promise<number>): Promise<void> {
  const controller = new AbortController();
  const abort = (): void => controller.abort();
  const wishes = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const wish of wishes) process.on(wish, abort);
  try {
    process.exitCode = await story(controller.signal);
  } catch (error) {
    if (controller.signal.aborted) {
      process.stderr.write('rfo: interrupted\n');
      process.exitCode = 130;
      return;
    }
    const known = toRfoError(error);
    process.stderr.write(`rfo: ${known.message}\n`);
    process.exitCode = known.exit;
  } finally {
    for (const wish of wishes) process.off(wish, abort);
  }
}
