/** Keeps in every cluster that has an endpoint of its own what its API servers have to know of tokens. What is revoked goes at once, while the cluster is connected. */
import { isDeepStrictEqual } from 'node:util';
import type { Clock, Life, Log } from '@rfo/foundation';
import { createController, type KeySource, type KubeClient, renderDirectUser, secretKind } from '@rfo/kube';
import { agentNamespace, type Cluster, type Token } from '@rfo/schema';
import type { Connections } from '../clusters/connections.ts';
import { createLimitsReader } from '../identity/settings.ts';
import type { Objects } from '../objects/open-objects.ts';
import type { Rights } from '../rights/create-rights.ts';
import { ensureNamespace } from '../seed.ts';
import { contentOf, ensureServing, findApiServers, readDirectUsers, removeEndpoint } from './endpoint-objects.ts';
import { createProbe } from './probe-endpoint.ts';
import { renderDirectUsers } from './render-direct-users.ts';

type EndpointOptions = {
  readonly connections: Pick<Connections, 'clientOf' | 'onChange' | 'connect'>;
  readonly objects: Pick<Objects, 'clusters' | 'tokens' | 'users' | 'authProviders' | 'settings'>;
  readonly rights: Pick<Rights, 'in' | 'onChange'>;
  readonly clock: Clock;
  /** Milliseconds after which an API server that did not know tokens is asked again. */
  readonly askAgain?: number;
  readonly life: Life;
  readonly log: Log;
};

/** What is in a cluster, as far as it was not meddled with since (ms, monotonic). */
type Held = {
  readonly client: KubeClient;
  readonly since: number;
  readonly secrets: Map<string, string>;
  asked?: { readonly ready: boolean; readonly at: number; readonly tries: number };
};

/** Milliseconds after which a cluster is looked over though nothing is known to have changed. */
const lookOverAfter = 600_000;
const backoff = { initial: 200, max: 60_000 };
const fieldManager = 'rfo-manager';

/** For one replica alone; until the life ends. */
export function keepEndpoints({ connections, objects, rights, clock, askAgain = 30_000, life, log }: EndpointOptions): void {
  const probe = createProbe(connections);
  const limits = createLimitsReader(objects, log);
  const held = new Map<string, Held>();

  const open = async (name: string, client: KubeClient, signal: AbortSignal): Promise<Held> => {
    const known = held.get(name);
    if (known?.client === client && performance.now() - known.since < lookOverAfter) return known;
    await ensureNamespace(client, agentNamespace, { signal });
    await ensureServing(client, { now: clock.now(), signal });
    const servers = await findApiServers(client, { signal });
    // Said first: it is also what tells the next replica that there is something to take away.
    if (!isDeepStrictEqual(objects.clusters.get(name)?.status?.endpoint?.servers, servers))
      await objects.clusters.patchStatus(name, { endpoint: { servers } }, { signal });
    const fresh = { client, since: performance.now(), secrets: await readDirectUsers(client, { signal }) };
    held.set(name, fresh);
    return fresh;
  };

  const bring = async (name: string, client: KubeClient, signal: AbortSignal): Promise<void> => {
    const { secrets } = await open(name, client, signal);
    const tokens = objects.tokens.by('cluster', name);
    const users = renderDirectUsers({ cluster: name, tokens, objects, rights, limits: limits(), now: clock.now() });
    const wanted = new Map(
      [...users, probe.user(clock.now())]
        .map((user) => renderDirectUser(user, agentNamespace))
        .map((secret) => [secret.metadata.name, secret]),
    );
    const failures: unknown[] = [];
    // What cannot be written of one person must not keep what was taken from another.
    const attempt = (act: () => Promise<unknown>): Promise<void> =>
      act().then(
        () => undefined,
        (error: unknown) => void failures.push(error),
      );
    // What is taken away comes before what is given.
    for (const secret of [...secrets.keys()].filter((each) => !wanted.has(each))) {
      const ref = { ...secretKind, namespace: agentNamespace, name: secret };
      await attempt(() => client.delete(ref, { signal }).then(() => secrets.delete(secret)));
    }
    for (const [secret, object] of [...wanted].sort(([a], [b]) => Number(secrets.has(b)) - Number(secrets.has(a)))) {
      const content = contentOf(object);
      if (secrets.get(secret) === content) continue;
      if (!isOpen(objects.clusters.get(name))) return;
      await attempt(() => client.apply(object, { fieldManager, force: true, signal }).then(() => secrets.set(secret, content)));
    }
    if (failures.length > 0) throw failures[0];
  };

  /** Says in the status whether the API servers know what they were told; gives the milliseconds until they are to be asked again. */
  const ask = async (name: string, signal: AbortSignal): Promise<number> => {
    const known = held.get(name);
    if (known === undefined || known.asked?.ready === true) return lookOverAfter;
    const { at, tries } = known.asked ?? { at: Number.NEGATIVE_INFINITY, tries: 0 };
    // Soon at first: what was written a moment ago may not have been read there yet.
    const left = at + Math.min(askAgain, 500 * 2 ** tries) - performance.now();
    if (left > 0) return left;
    const { ready, message } = await probe.ask(name, signal);
    known.asked = { ready, at: performance.now(), tries: tries + 1 };
    const endpoint = objects.clusters.get(name)?.status?.endpoint;
    if (endpoint !== undefined && (endpoint.ready !== ready || endpoint.message !== message))
      await objects.clusters.patchStatus(name, { endpoint: { ...endpoint, ready, message } }, { signal });
    return ready ? lookOverAfter : Math.min(askAgain, 500 * 2 ** (tries + 1));
  };

  createController({
    name: 'endpoints',
    sources: [changesOf({ connections, objects, rights }), objects.clusters.keys()],
    reconcile: async (name, signal) => {
      const cluster = objects.clusters.get(name);
      const client = cluster === undefined ? undefined : connections.clientOf(name);
      try {
        if (client === undefined || cluster?.metadata.deletionTimestamp !== undefined) held.delete(name);
        else if (isOpen(cluster)) {
          await bring(name, client, signal);
          return { requeueAfter: await ask(name, signal) };
        } else if (cluster?.status?.endpoint !== undefined) {
          held.delete(name);
          await removeEndpoint(client, { signal });
          await objects.clusters.patchStatus(name, { endpoint: null } as object, { signal });
        }
        return undefined;
      } catch (error) {
        // Nobody knows what has come of it.
        held.delete(name);
        throw error;
      }
    },
    workers: 8,
    backoff,
    life,
    log,
  });
}

function isOpen(cluster: Cluster | undefined): boolean {
  return cluster?.spec.authorizedEndpoint?.enabled === true && cluster.metadata.deletionTimestamp === undefined;
}

/** Whatever may change who is let in, and where. */
function changesOf({ connections, objects, rights }: Pick<EndpointOptions, 'connections' | 'objects' | 'rights'>): KeySource {
  const { clusters, tokens, users, authProviders, settings } = objects;
  return {
    synced: Promise.resolve(),
    subscribe: (enqueue) => {
      const all = (): void => {
        for (const cluster of clusters.list()) if (isOpen(cluster)) enqueue(cluster.metadata.name);
      };
      const ofToken = (token: Token | undefined): void => {
        for (const name of token?.spec.clusters ?? []) if (isOpen(clusters.get(name))) enqueue(name);
      };
      const undo = [
        connections.onChange(enqueue),
        rights.onChange(all),
        tokens.onChange((_, is, was) => [is, was].forEach(ofToken)),
        users.onChange((name) => tokens.by('user', name).forEach(ofToken)),
        authProviders.onChange(all),
        settings.onChange(all),
      ];
      return () => {
        for (const end of undo) end();
      };
    },
  };
}
