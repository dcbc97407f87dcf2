import { fail, followersOf, orAbort } from '@rfo/foundation';

/**
 * Does the work with a signal that ends it after so many milliseconds, and settles by then even if the work does not listen.
 * Throws timeout, the signal's reason, and what the work throws.
 */
export async function within<T>(
  work: (signal: AbortSignal) => Promise<T>,
  bounds: { readonly what: string; readonly milliseconds: number; readonly signal: AbortSignal },
): Promise<T> {
  const { what, milliseconds } = bounds;
  const followers = followersOf(bounds.signal);
  const ending = followers.add();
  const cure = 'Try again; the log of the server may say what it waits for';
  const timer = setTimeout(() => ending.abort(fail('timeout', { what, seconds: milliseconds / 1000, cure })), milliseconds);
  try {
    return await orAbort(work(ending.signal), ending.signal);
  } finally {
    clearTimeout(timer);
    followers.end();
  }
}
