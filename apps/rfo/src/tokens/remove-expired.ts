// Takes away the Secrets of made tokens a day after they expired: until then a joiner is told that his token did.
import type { Clock, Life, Log } from '@rfo/foundation';
import { createController, fromInformer, type Informer, type KubeClient, objectKey, refOf, type Secret } from '@rfo/kube';
import { parseMadeToken } from './made-token.ts';

const day = 86_400_000;
/** Milliseconds after which the clock is looked at again: it may have been set, and timers have an end. */
const lookAgain = 3_600_000;

/** Every server does so: deleting what is gone already is no mistake. */
export function removeExpired(options: {
  readonly client: KubeClient;
  readonly informer: Informer<Secret>;
  readonly life: Life;
  readonly log: Log;
  readonly clock: Clock;
}): void {
  const { client, informer, life, log, clock } = options;
  createController({
    name: 'removal of expired join tokens',
    sources: [fromInformer(informer, ({ after }) => (after === undefined ? [] : [objectKey(after.metadata)]))],
    life,
    log,
    reconcile: async (key, signal) => {
      const secret = informer.store.get(key);
      const token = secret === undefined ? undefined : parseMadeToken(secret);
      if (secret === undefined || token?.expires === undefined) return undefined;
      const left = token.expires + day - clock.now();
      if (left > 0) return { requeueAfter: Math.min(left, lookAgain) };
      const { uid } = secret.metadata;
      const removed = await client.delete(refOf(secret), { signal, ...(uid !== undefined && { uid }) });
      if (removed) log.info('an expired join token was removed', { token: token.id, expired: new Date(token.expires).toISOString() });
      return undefined;
    },
  });
}
