import { type Life, type Log, sleep } from '@rfo/foundation';

export type ClockSource = {
  /** What the server is called in the warning. */
  readonly name: string;
  /** Milliseconds by which its clock goes before ours. */
  readonly ahead: (signal: AbortSignal) => Promise<number>;
};

/** Milliseconds: how far clocks may differ, between two looks, and for one server's answer. */
const allowed = 1_000;
const usualPace = { every: 10 * 60_000, within: 10_000 };

/** Warns of servers whose clocks differ from ours, every ten minutes until its life ends: tokens and certificates are judged by them. */
export function careForClocks(input: {
  /** The other servers, as they are known now. */
  readonly servers: () => readonly ClockSource[];
  readonly life: Life;
  readonly log: Log;
  readonly pace?: typeof usualPace;
}): void {
  const { servers, life, log, pace = usualPace } = input;
  const look = async ({ name, ahead }: ClockSource): Promise<void> => {
    try {
      const warning = renderClockSkew(name, await ahead(AbortSignal.any([life.signal, AbortSignal.timeout(pace.within)])));
      if (warning !== undefined) log.warn(warning);
    } catch (error) {
      // That a server is away is others' to say.
      if (!life.signal.aborted) log.debug('the clock of a server cannot be asked', { server: name, error });
    }
  };
  const loop = async (): Promise<void> => {
    while (!life.signal.aborted) {
      await Promise.all(servers().map(look));
      await sleep(pace.every, life.signal).catch(() => undefined);
    }
  };
  const looping = loop();
  life.defer(() => looping);
}

/** The warning, or undefined up to a second. @param ahead milliseconds by which that server's clock goes before ours */
export function renderClockSkew(name: string, ahead: number): string | undefined {
  if (Math.abs(ahead) <= allowed) return undefined;
  const seconds = Math.abs(ahead) / 1000;
  const size = seconds < 120 ? `${seconds.toFixed(1)} s` : `${Math.round(seconds / 60)} min`;
  return `the clock of ${name} goes ${size} ${ahead > 0 ? 'before' : 'behind'} the one here: set both by NTP`;
}
