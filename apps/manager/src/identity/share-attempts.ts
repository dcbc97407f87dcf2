/**
 * Lets the replicas know of each other's counts of failed attempts: each writes one Secret of its own, at most once a second and only if something
 * changed, and watches those of the others. The Secrets outlive their replicas, so that a restart pardons nobody.
 */
import { type Clock, type Life, type Log, sleep } from '@rfo/foundation';
import { createInformer, type KubeClient, readEntry, renderEntries, type Secret, secretKind } from '@rfo/kube';
import * as z from 'zod/mini';
import { type AttemptCounts, type Counts, isKept } from './attempt-counts.ts';
import { randomName } from './token-format.ts';

type Shared = {
  /** What other replicas have counted before we came is known. */
  readonly synced: Promise<void>;
  /** Our counts have changed. */
  readonly changed: () => void;
};

const label = 'rfo.io/failed-sign-ins';
/** Milliseconds between two writes, and those that the last write has when we end. */
const [between, lastWrite] = [1000, 2000];
const countsForm = z.record(z.string(), z.tuple([z.number(), z.number(), z.number()]));

export function shareAttempts(options: {
  readonly counts: AttemptCounts;
  readonly client: KubeClient;
  readonly namespace: string;
  readonly clock: Clock;
  readonly life: Life;
  readonly log: Log;
}): Shared {
  const { counts, client, namespace, clock, life, log } = options;
  const name = `rfo-failed-sign-ins-${randomName(8)}`;
  const refOf = (secret: string) => ({ ...secretKind, namespace, name: secret });
  let dirty = false;
  let failing = false;
  let writing: Promise<void> | undefined;

  const write = async (): Promise<void> => {
    while (dirty) {
      dirty = false;
      const signal = life.signal.aborted ? AbortSignal.timeout(lastWrite) : life.signal;
      try {
        await client.apply(render({ name, namespace }, counts.own(clock.now())), { fieldManager: 'rfo-manager', force: true, signal });
        failing = false;
      } catch (error) {
        log[failing ? 'debug' : 'warn']('the other replicas cannot be told of failed attempts to sign in', { error });
        failing = true;
        // When we end there is no second try.
        dirty = !life.signal.aborted;
      }
      await sleep(between, life.signal).catch(() => undefined);
    }
    writing = undefined;
  };
  life.defer(() => writing);

  /** The Secret of a replica that is gone is deleted when nothing in it counts any more. */
  const learn = (secret: Secret | undefined, replica: string): void => {
    if (replica === name) return;
    const told = secret === undefined ? undefined : parse(secret, log);
    counts.setOther(replica, told);
    if (secret === undefined || told === undefined || [...told.values()].some((count) => isKept(count, clock.now()))) return;
    client
      .delete(refOf(replica), { ...(secret.metadata.uid !== undefined && { uid: secret.metadata.uid }), signal: life.signal })
      .catch((error: unknown) => {
        if (!life.signal.aborted) log.debug('an old count of failed attempts to sign in was not deleted', { error });
      });
  };

  const informer = createInformer<Secret>({ client, kind: secretKind, namespace, labelSelector: label, life, log });
  life.defer(informer.subscribe(({ after, before }) => learn(after, (after ?? before)?.metadata.name ?? '')));
  return {
    synced: informer.synced,
    changed: () => {
      dirty = true;
      writing ??= write();
    },
  };
}

function render(place: { readonly name: string; readonly namespace: string }, counts: Counts): Secret {
  const plain = Object.fromEntries([...counts].map(([key, { failures, last, cleared }]) => [key, [failures, last, cleared]]));
  return {
    ...secretKind,
    metadata: { ...place, labels: { [label]: '' } },
    type: 'rfo.io/failed-sign-ins',
    data: renderEntries({ counts: JSON.stringify(plain) }),
  };
}

/** Undefined, and a line in the log, where it is not what a replica writes. */
function parse(secret: Secret, log: Log): Counts | undefined {
  try {
    const plain = countsForm.parse(JSON.parse(readEntry(secret, 'counts') ?? ''));
    return new Map(Object.entries(plain).map(([key, [failures, last, cleared]]) => [key, { failures, last, cleared }]));
  } catch (error) {
    log.warn('a Secret with counts of failed attempts to sign in is not readable and is left out', { secret: secret.metadata.name, error });
    return undefined;
  }
}
