/** Remembers answers for a time, so that what many ask for is asked for once. */
import type { Clock } from '@rfo/foundation';

/** Failures are not remembered. Throws what `find` throws. @param key tells what `find` looks for, its type too */
export type Remembered = <T>(key: string, find: () => Promise<T>) => Promise<T>;

/** @param options.most answers that are kept; the oldest make room */
export function remember(options: { readonly clock: Clock; readonly seconds: number; readonly most: number }): Remembered {
  const { clock, seconds, most } = options;
  const answers = new Map<string, { readonly until: number; readonly answer: unknown }>();
  return async <T>(key: string, find: () => Promise<T>): Promise<T> => {
    const known = answers.get(key);
    // The key says which type it has.
    if (known !== undefined && known.until > clock.now()) return known.answer as T;
    answers.delete(key);
    const answer = await find();
    answers.delete(key);
    answers.set(key, { until: clock.now() + seconds * 1000, answer });
    const [oldest] = answers.keys();
    if (answers.size > most && oldest !== undefined) answers.delete(oldest);
    return answer;
  };
}
