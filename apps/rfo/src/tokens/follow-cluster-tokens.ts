// Keeps the tokens on this server's disk equal to those of the cluster.
import { type Clock, fail, type Life, type Log, orAbort, systemClock } from '@rfo/foundation';
import {
  createController,
  createInformer,
  fromInformer,
  isAlreadyExists,
  type KubeClient,
  objectKey,
  type Secret,
  secretKind,
} from '@rfo/kube';
import type { Paths } from '../paths.ts';
import type { BootstrapVault } from './bootstrap-vault.ts';
import { clusterTokenName, clusterTokenRef, parseTokenSecret, renderTokenSecret } from './cluster-token-secret.ts';
import { type ClusterTokens, isOldToken, readClusterTokens, renderClusterTokens, writeClusterTokens } from './cluster-tokens.ts';
import { tokenNamespace } from './made-token.ts';

export type FollowOptions = {
  readonly paths: Paths;
  /** May read and write Secrets in kube-system. */
  readonly client: KubeClient;
  readonly life: Life;
  readonly log: Log;
  readonly clock?: Clock;
  /** What is sealed with the server token and must stay open to it; absent on servers without etcd. */
  readonly vault?: BootstrapVault;
};

/** Milliseconds after which the clock is looked at again: it may have been set, and timers have an end. */
const lookAgain = 3_600_000;

/**
 * A task of every server, once the API answers: takes rotated tokens over from Secret `kube-system/rfo-cluster-token`, and puts its own
 * there where none, or an older state (etcd was restored from a snapshot), is found. Resolves when disk and cluster agree; goes on
 * until the life ends.
 */
export async function followClusterTokens(options: FollowOptions): Promise<void> {
  const { client, life, log, clock = systemClock, vault } = options;
  let saved: string | undefined;
  const first = Promise.withResolvers<void>();
  const informer = createInformer<Secret>({
    client,
    kind: secretKind,
    namespace: tokenNamespace,
    fieldSelector: `metadata.name=${clusterTokenName}`,
    life,
    log,
  });
  const key = objectKey(clusterTokenRef);
  const controller = createController({
    name: 'token of the cluster',
    sources: [fromInformer(informer)],
    life,
    log,
    reconcile: async (_, signal) => {
      const tokens = await agree(options, informer.store.get(key), signal);
      // It was written: the change of it comes back to us.
      if (tokens === undefined) return undefined;
      first.resolve();
      const ends = tokens.old.map(({ until }) => until).filter((until) => until > clock.now());
      const state = [tokens.revision, ...ends].join(' ');
      if (saved !== state) await vault?.save(signal);
      saved = state;
      return { requeueAfter: Math.max(0, Math.min(lookAgain, ...ends.map((until) => until - clock.now()))) };
    },
  });
  // Where there is no such Secret, nothing else would start the work.
  controller.enqueue(key);
  await orAbort(first.promise, life.signal);
}

/** The tokens that disk and cluster now have in common; undefined where the Secret was written. */
async function agree(options: FollowOptions, secret: Secret | undefined, signal: AbortSignal): Promise<ClusterTokens | undefined> {
  const { paths, client, log, vault } = options;
  const own = await readClusterTokens(paths);
  const shared = secret === undefined ? undefined : parseTokenSecret(secret);
  if (own !== undefined && (shared === undefined || shared.revision < own.revision)) {
    await publish(client, { tokens: own, secret, signal });
    return undefined;
  }
  if (shared === undefined) throw fail('data-unreadable', { file: paths.server.clusterTokens });
  if (own !== undefined && renderClusterTokens(own) === renderClusterTokens(shared)) return shared;
  if (own !== undefined && own.server !== shared.server) {
    // Now, while both are known. An old token that nobody remembers is over.
    const until = shared.old.find((old) => isOldToken(old, own.server))?.until ?? 0;
    await vault?.reseal({ token: shared.server, previous: own.server, until, signal });
  }
  await writeClusterTokens(paths, shared);
  log.info('the tokens of the cluster have changed', { revision: shared.revision });
  return shared;
}

async function publish(
  client: KubeClient,
  { tokens, secret, signal }: { readonly tokens: ClusterTokens; readonly secret: Secret | undefined; readonly signal: AbortSignal },
): Promise<void> {
  if (secret !== undefined) {
    // A conflict means that another was faster; the next look decides again.
    await client.replace(renderTokenSecret(tokens, secret.metadata.resourceVersion), { signal });
    return;
  }
  await client.create(renderTokenSecret(tokens), { signal }).catch((error: unknown) => {
    if (!isAlreadyExists(error)) throw error;
  });
}
