// Counts in its Secret how often a made token was used.
import { type Clock, type Life, type Log, retry, sleep } from '@rfo/foundation';
import { isConflict, isNotFound, type KubeClient, type Secret } from '@rfo/kube';
import { type MadeToken, madeTokenRef, parseMadeToken, renderUses, withUses } from './made-token.ts';

export type UseCounter = {
  readonly note: (id: string, nodeName: string) => void;
  /** The token with the uses that this server has seen and that its Secret, as we know it, may not show yet. */
  readonly withSeen: (token: MadeToken) => MadeToken;
  /** The token is gone. */
  readonly forget: (id: string | undefined) => void;
};

/** Milliseconds in which uses are gathered into one write, and those that the last write has when we end. */
const gathering = 1000;
const lastWrite = 2000;

/** Gathers uses and writes them, as often as it takes. What is still unwritten when the life ends gets one more try. */
export function countUses(options: {
  readonly client: KubeClient;
  readonly life: Life;
  readonly log: Log;
  readonly clock: Clock;
}): UseCounter {
  const { client, life, log, clock } = options;
  const seen = new Map<string, Map<string, number>>();
  const unwritten = new Map<string, Map<string, number>>();
  let writing: Promise<void> | undefined;
  life.defer(() => writing);

  const write = async (): Promise<void> => {
    while (unwritten.size > 0) {
      // When we end, what is there is written at once.
      await sleep(gathering, life.signal).catch(() => undefined);
      const batch = [...unwritten];
      unwritten.clear();
      await Promise.all(batch.map(([id, joined]) => writeOne(id, joined)));
    }
    writing = undefined;
  };

  const writeOne = async (id: string, joined: ReadonlyMap<string, number>): Promise<void> => {
    const attempt = (signal: AbortSignal): Promise<void> => addUses({ client, id, joined, signal });
    try {
      await retry(() => attempt(life.signal), {
        initial: 100,
        max: 10_000,
        signal: life.signal,
        onError: (error) => {
          if (!isConflict(error)) log.warn('the use of a join token is not written yet', { token: id, error });
        },
      });
    } catch {
      // Only the end of the life leads here.
      await attempt(AbortSignal.timeout(lastWrite)).catch((error: unknown) =>
        log.warn('the use of a join token was not written', { token: id, error }),
      );
    }
  };

  const put = (into: Map<string, Map<string, number>>, id: string, nodeName: string): void => {
    const joined = into.get(id) ?? new Map<string, number>();
    into.set(id, joined.set(nodeName, clock.now()));
  };

  return {
    note: (id, nodeName) => {
      put(seen, id, nodeName);
      put(unwritten, id, nodeName);
      writing ??= write();
    },
    withSeen: (token) => {
      const joined = seen.get(token.id);
      return joined === undefined ? token : withUses(token, joined);
    },
    forget: (id) => {
      if (id !== undefined) seen.delete(id);
    },
  };
}

/** Throws Conflict where somebody else counted at the same time. */
async function addUses(input: {
  readonly client: KubeClient;
  readonly id: string;
  readonly joined: ReadonlyMap<string, number>;
  readonly signal: AbortSignal;
}): Promise<void> {
  const { client, id, joined, signal } = input;
  const ref = madeTokenRef(id);
  const secret = await client.find<Secret>(ref, { signal });
  const token = secret === undefined ? undefined : parseMadeToken(secret);
  // Deleted meanwhile: there is nothing left to count.
  if (secret === undefined || token === undefined) return;
  const { resourceVersion } = secret.metadata;
  const patch = { metadata: { resourceVersion }, stringData: renderUses(withUses(token, joined)) };
  await client.patch(ref, patch, { signal }).catch((error: unknown) => {
    if (!isNotFound(error)) throw error;
  });
}
