/**
 * Writes into the status of a Token when it was used last: at most once a minute over all replicas, however often it is used. Each write names the
 * version that it was decided upon, so of several replicas one writes and the others learn of it.
 */
import { type Clock, type Life, type Log, toRfoError } from '@rfo/foundation';
import { isConflict, isNotFound, type KubeClient } from '@rfo/kube';
import type { Token } from '@rfo/schema';
import type { Objects } from '../objects/open-objects.ts';
import { managerApiVersion } from '../objects/schema.ts';

export type Uses = {
  readonly note: (id: string) => void;
  /** When this replica has seen the token used last, milliseconds since 1970; undefined for never. */
  readonly last: (id: string) => number | undefined;
};

/** Milliseconds since 1970: seen last, written by us last, and when the timer for the next write ends. */
type Use = { last: number; written: number; due: number; timer: NodeJS.Timeout | undefined; writing: boolean };

/** Milliseconds: between two writes for one token, until the next try after a failure, and for the last writes when we end. */
const [between, afterFailure, lastWrites] = [60_000, 2000, 2000];

export function noteUses(parts: {
  readonly objects: Pick<Objects, 'tokens'>;
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly life: Life;
  readonly log: Log;
}): Uses {
  const { objects, client, clock, life, log } = parts;
  const uses = new Map<string, Use>();

  const note = (id: string): void => {
    const use = uses.get(id) ?? { last: 0, written: 0, due: 0, timer: undefined, writing: false };
    uses.set(id, use);
    use.last = clock.now();
    arm(id);
  };

  const arm = (id: string, atLeast = 0): void => {
    const use = uses.get(id);
    if (use === undefined || use.writing || life.signal.aborted) return;
    if (use.timer !== undefined && use.due > clock.now()) return;
    const known = Math.max(use.written, lastUsed(objects.tokens.get(id)));
    if (use.last <= known) return;
    const delay = Math.max(atLeast, known + between - clock.now(), 0);
    use.due = clock.now() + delay;
    clearTimeout(use.timer);
    use.timer = setTimeout(() => {
      use.timer = undefined;
      void write(id, life.signal);
    }, delay).unref();
  };

  const write = async (id: string, signal: AbortSignal): Promise<void> => {
    const [use, token] = [uses.get(id), objects.tokens.get(id)];
    if (use === undefined || token === undefined) return;
    const known = Math.max(use.written, lastUsed(token));
    // Another replica was first, and there is less than a minute between the two.
    if (!signal.aborted && !life.signal.aborted && known + between > clock.now()) return arm(id);
    if (use.last <= known) return;
    const at = use.last;
    let wait = 0;
    use.writing = true;
    try {
      const { resourceVersion } = token.metadata;
      const patch = { metadata: { resourceVersion }, status: { lastUsed: new Date(at).toISOString() } };
      await client.patch({ apiVersion: managerApiVersion, kind: 'Token', name: id }, patch, { subresource: 'status', signal });
      use.written = at;
    } catch (error) {
      if (isNotFound(error) || signal.aborted) return;
      const level = isConflict(error) || toRfoError(error).retryable ? 'debug' : 'warn';
      log[level]('the use of a token is not written yet', { token: id, error });
      wait = afterFailure;
    } finally {
      use.writing = false;
    }
    // It may have been used meanwhile.
    arm(id, wait);
  };

  // A session that was used a moment ago must not look idle to those who go on.
  const writeRest = async (): Promise<void> => {
    const signal = AbortSignal.timeout(lastWrites);
    for (const { timer } of uses.values()) clearTimeout(timer);
    await Promise.all([...uses.keys()].filter((id) => isSession(objects.tokens.get(id))).map((id) => write(id, signal)));
  };
  life.defer(writeRest);
  life.defer(
    objects.tokens.onChange((id, now) => {
      if (now !== undefined) return;
      clearTimeout(uses.get(id)?.timer);
      uses.delete(id);
    }),
  );
  return { note, last: (id) => uses.get(id)?.last };
}

function lastUsed(token: Token | undefined): number {
  return token?.status?.lastUsed === undefined ? 0 : Date.parse(token.status.lastUsed);
}

function isSession(token: Token | undefined): boolean {
  return token?.spec.kind === 'session';
}
