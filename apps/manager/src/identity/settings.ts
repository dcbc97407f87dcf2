/** Settings that bound how long sessions and tokens last. */
import type { Log } from '@rfo/foundation';
import type { Objects } from '../objects/open-objects.ts';
import { readDuration } from './read-duration.ts';

/** Seconds. */
export type Limits = {
  /** A session that is not used for so long ends. */
  readonly sessionIdle: number;
  /** A session ends so long after it was made, however much it is used. */
  readonly sessionMax: number;
  /** Of tokens of the kinds api and kubeconfig. */
  readonly tokenMax: number;
};

const [minute, hour, day] = [60, 3600, 86_400];
/** Name of the Setting, value without it, and the bounds of what is sensible. Less than five minutes would end sessions between two notes of their use. */
const known = {
  sessionIdle: { name: 'session-idle', preset: 2 * hour, least: 5 * minute, most: 30 * day },
  sessionMax: { name: 'session-max', preset: 16 * hour, least: 5 * minute, most: 90 * day },
  tokenMax: { name: 'token-max-ttl', preset: 90 * day, least: 5 * minute, most: 3650 * day },
} as const;

/** Reads them as they are now. A value that is no duration in the bounds is told to the log once, and the preset holds. */
export function createLimitsReader(objects: Pick<Objects, 'settings'>, log: Log): () => Limits {
  const told = new Map<string, string>();
  const read = ({ name, preset, least, most }: (typeof known)[keyof typeof known]): number => {
    const value = objects.settings.get(name)?.spec.value;
    const seconds = value === undefined || value === '' ? preset : readDuration(value.trim());
    if (seconds !== undefined && seconds >= least && seconds <= most) return seconds;
    if (value !== undefined && told.get(name) !== value) {
      told.set(name, value);
      log.warn('a setting has no usable value and is left out', {
        setting: name,
        value: value.slice(0, 40),
        least: `${least}s`,
        most: `${most}s`,
      });
    }
    return preset;
  };
  return () => ({ sessionIdle: read(known.sessionIdle), sessionMax: read(known.sessionMax), tokenMax: read(known.tokenMax) });
}
