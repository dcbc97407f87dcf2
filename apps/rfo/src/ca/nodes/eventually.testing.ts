import { retry } from '@rfo/foundation';

/** Until it works: of an API server that heeds a change when it has read it, and tells nobody. Fails with the last error after a minute and a half. */
export async function eventually(act: () => Promise<unknown>, signal: AbortSignal): Promise<void> {
  let last: unknown;
  const limit = AbortSignal.timeout(90_000);
  try {
    await retry(act, {
      initial: 50,
      max: 500,
      signal: AbortSignal.any([signal, limit]),
      onError: (error) => {
        last = error;
      },
    });
  } catch (error) {
    throw limit.aborted ? last : error;
  }
}
