// What goes on for long is begun again when it breaks off.
import { Backoff, sleep, toRfoError } from '@rfo/foundation';
import type { CommandContext } from '../../cli/context.ts';

export type ComeBack = {
  /** It does not go on for now. @param why a sentence */
  readonly interrupted: (why: string) => void;
  /** It goes on. */
  readonly well: () => void;
  /** Resolves when it is time to try again. Rejects with the error itself where time does not cure it, or with the reason of the life. */
  readonly wait: (error: unknown) => Promise<void>;
};

/** Tries again after half a second at first, fifteen at most. What keeps it is told on the standard error, once each time. */
export function comeBack({ life, stderr }: Pick<CommandContext, 'life' | 'stderr'>): ComeBack {
  const backoff = new Backoff({ initial: 500, max: 15_000 });
  let away = false;
  const interrupted = (why: string): void => {
    if (!away) stderr.write(`rfo: ${why} It goes on by itself as soon as it can.\n`);
    away = true;
  };
  return {
    interrupted,
    well: () => {
      backoff.reset();
      if (away) stderr.write('rfo: It goes on.\n');
      away = false;
    },
    wait: async (error) => {
      const problem = toRfoError(error);
      if (!problem.retryable) throw error;
      interrupted(problem.message);
      await sleep(backoff.next(), life.signal);
    },
  };
}
