/** Renews the certificates that the CA needs itself, before they end, as long as it runs. Whoever reads them sees that their files have changed. */
import { Backoff, type Life, sleep } from '@rfo/foundation';
import { ensureOwnFiles, type OwnContext, type OwnFiles } from './own-files.ts';

/** Milliseconds: a longer wait is cut in pieces, for timers count 24 days at most and clocks are set. */
const longest = 3_600_000;

/** @param inputs `due`: when to look first, milliseconds since 1970 */
export function keepOwnFiles(inputs: OwnContext & { readonly own: OwnFiles; readonly due: number; readonly life: Life }): void {
  const { life, log } = inputs;
  keep(inputs).catch((error: unknown) => {
    if (!life.signal.aborted) log.error('certificates of the CA itself are renewed no longer', { error });
  });
}

async function keep({ own, due: first, life, ...context }: Parameters<typeof keepOwnFiles>[0]): Promise<void> {
  const { clock, log } = context;
  const pause = new Backoff({ initial: 10_000, max: longest, factor: 2, jitter: 0 });
  for (let due = first; ; ) {
    const wait = due - clock.now();
    if (wait > 0) {
      await sleep(Math.min(wait, longest), life.signal);
      continue;
    }
    try {
      ({ due } = await ensureOwnFiles(own, context));
      pause.reset();
    } catch (error) {
      log.error('a certificate of the CA itself could not be renewed; it is tried again', { error });
      await sleep(pause.next(), life.signal);
    }
  }
}
