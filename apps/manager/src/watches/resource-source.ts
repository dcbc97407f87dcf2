/** A page of the objects of a cluster that somebody may see, out of the index of their resource. */
import { fail, RfoError } from '@rfo/foundation';
import type { Caller } from '../identity/caller.ts';
import type { Rights } from '../rights/create-rights.ts';
import type { Indexes, Lease } from './indexes.ts';
import { planQuery, type ResourceQuery, type Row } from './select-page.ts';
import type { ResourceName } from './served-resource.ts';
import type { Listener, Source } from './source.ts';
import { believed, type Question, type Visibility } from './visibility.ts';

export type ResourceWish = {
  readonly caller: Caller;
  readonly cluster: string;
  readonly resource: ResourceName;
  readonly namespace?: string | undefined;
  readonly query: ResourceQuery;
  /** What the caller has to be allowed in the cluster: `list`, and `watch` to see changes. */
  readonly verbs: readonly Question['verb'][];
  readonly signal: AbortSignal;
};

export type ResourceParts = { readonly indexes: Indexes; readonly visibility: Visibility; readonly rights: Pick<Rights, 'onChange'> };

/** Everything, or what each namespace says. One that is not named has not been asked about. */
type Sight = 'all' | ReadonlyMap<string, boolean>;

/** Questions to a cluster at once, for one reader. */
const atOnce = 16;
/** Milliseconds until a question that could not be answered is asked again. */
const againAfter = 1000;

/**
 * Resolves when the page can be read. Without a namespace it shows all that the caller may list: everything, or what stands in the namespaces in which he may.
 * @throws api-request-invalid, cluster-forbidden, token-elsewhere, resource-forbidden, resource-unknown, cluster-away, cluster-away-unknown, cluster-broke-off,
 *   index-full, kube-unreachable, or the reason of the signal
 */
export async function openResource(wish: ResourceWish, { indexes, visibility, rights }: ResourceParts, on: Listener): Promise<Source> {
  const { caller, cluster, resource, namespace, query, verbs, signal } = wish;
  const plan = planQuery(query);
  const mayAll = async (place: string | undefined): Promise<boolean> => {
    for (const verb of verbs) if (!(await visibility.may({ caller, cluster, resource, verb, namespace: place }))) return false;
    return true;
  };
  const forbidden = (): Error => {
    const { username } = caller;
    const where = namespace === undefined ? `cluster ${cluster}` : `namespace ${namespace} of cluster ${cluster}`;
    return fail('resource-forbidden', { username, verb: verbs.join(' and '), resource: resource.resource, where });
  };

  visibility.enter(caller, cluster, namespace);
  // Before anything is fetched for somebody who may not.
  if (namespace !== undefined && !(await mayAll(namespace))) throw forbidden();
  const lease = await indexes.lease(cluster, resource);
  const { index } = lease;
  const look = async (): Promise<Sight> => {
    visibility.enter(caller, cluster, namespace);
    if (await mayAll(namespace)) return 'all';
    if (namespace !== undefined || !index.resource.namespaced) throw forbidden();
    return await eachAtOnce([...index.namespaces()], mayAll);
  };

  const undo: (() => void)[] = [lease.release];
  const close = (): void => {
    for (const each of undo.splice(0)) each();
  };
  try {
    if (namespace !== undefined && !index.resource.namespaced)
      throw fail('api-request-invalid', { problem: `${resource.resource} have no namespaces` });
    const ready = AbortSignal.any([signal, lease.signal]);
    await index.ready(ready);
    const columns = index.columns.hold(plan.sources);
    undo.push(() => index.columns.release(columns));
    const sight = createSight({ look, lease, on });
    undo.push(sight.end);
    // The first answer must not be of before a change that was told while it was asked for.
    undo.push(rights.onChange((_, touched) => touched(caller) && sight.hide()));
    await Promise.all([index.fill(columns), sight.first()]);
    undo.push(index.onChange(on.changed));
    return {
      close,
      problem: index.problem,
      page: () => {
        const seen = sight.now();
        if (seen === undefined) return undefined;
        let strange = false;
        const visible = (row: Row): boolean => {
          if (namespace !== undefined && row.namespace !== namespace) return false;
          if (seen === 'all') return true;
          const allowed = seen.get(row.namespace ?? '');
          strange ||= allowed === undefined;
          return allowed === true;
        };
        const { rows, total, next } = plan.select(index.rows(), columns, visible);
        // Something stands in a namespace that is new: it is shown as soon as it is known whether it may be.
        if (strange) sight.look();
        return { items: rows, total, next };
      },
    };
  } catch (error) {
    close();
    throw error;
  }
}

/** Keeps what a reader may see up to date. */
function createSight({ look, lease, on }: { readonly look: () => Promise<Sight>; readonly lease: Lease; readonly on: Listener }) {
  let sight: Sight | undefined;
  let asking: Promise<void> | undefined;
  let again = false;
  let ended = false;
  let timer: NodeJS.Timeout | undefined;

  const ask = async (): Promise<void> => {
    let seen: Sight;
    do {
      again = false;
      seen = await look();
    } while (again && !ended);
    sight = seen;
  };
  const start = (): Promise<void> => {
    clearTimeout(timer);
    asking = ask().finally(() => {
      asking = undefined;
    });
    return asking;
  };
  const wait = (milliseconds: number): void => {
    if (!ended) timer = setTimeout(renew, milliseconds).unref();
  };
  const renew = (): void => {
    if (ended) return;
    if (asking !== undefined) {
      again = true;
      return;
    }
    start().then(
      () => {
        wait(believed);
        if (!ended) on.changed();
      },
      (error: unknown) => {
        if (ended) return;
        // The cluster cannot be asked: what was hidden stays hidden until it can.
        if (error instanceof RfoError && error.retryable) wait(againAfter);
        else on.failed(error);
      },
    );
  };
  const gone = (): void => on.failed(lease.signal.reason);
  lease.signal.addEventListener('abort', gone, { once: true });

  return {
    now: () => sight,
    first: async () => {
      await start();
      wait(believed);
    },
    look: renew,
    hide: () => {
      sight = undefined;
      renew();
    },
    end: () => {
      ended = true;
      clearTimeout(timer);
      lease.signal.removeEventListener('abort', gone);
    },
  };
}

async function eachAtOnce(names: readonly string[], ask: (name: string) => Promise<boolean>): Promise<ReadonlyMap<string, boolean>> {
  const answers = new Map<string, boolean>();
  const rest = names.values();
  const work = async (): Promise<void> => {
    for (const name of rest) answers.set(name, await ask(name));
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return answers;
}
