/** Brings what a cluster has for the sake of rights in line with what is wanted: what is too much goes first, then what is missing comes. */
import { isDeepStrictEqual } from 'node:util';
import { type Log, toRfoError } from '@rfo/foundation';
import { formatRef, type Kind, type KubeClient, type KubeObject, objectKey, refOf } from '@rfo/kube';
import { type Amounts, sumAmounts } from './divide-quota.ts';
import { isBinding, isFormOfOurs, isLabelled, roleRefOf } from './is-ours.ts';
import { managedLabel } from './names.ts';
import { parseQuantity } from './quantity.ts';
import { guardKinds, renderGuard } from './render-guard.ts';
import { clusterRoleBindingKind, clusterRoleKind, resourceQuotaKind, roleBindingKind, type Wanted } from './render-rights.ts';

export type Problem = {
  /** Undefined: it concerns the cluster as a whole. */
  readonly project: string | undefined;
  readonly reason: 'NamespaceMissing' | 'NameTaken' | 'Refused' | 'Unguarded';
  readonly message: string;
};
export type Outcome = {
  readonly problems: readonly Problem[];
  /** What each project uses here of its quota, as far as the cluster has counted it. */
  readonly used: ReadonlyMap<string, Amounts>;
};

const fieldManager = 'rfo-manager';
const atOnce = 16;
/** Bindings go before what they bind. */
const kinds = [clusterRoleBindingKind, roleBindingKind, resourceQuotaKind, clusterRoleKind] as const;

/**
 * Writes by server-side apply and removes what is not wanted. Nothing foreign is touched: where something else has a name that is needed, that is a
 * problem of the outcome, as is what the API server refuses for good; the rest is done nevertheless.
 * Throws kube-busy and kube-unreachable, or the signal's reason: then some of it is done, and it has to be called again.
 * @param wanted nothing: everything is removed, the guard too
 * @param hasNamespace whether it exists and is not about to end
 */
export async function reconcileCluster({
  client,
  wanted,
  hasNamespace,
  signal,
  log,
}: {
  readonly client: KubeClient;
  readonly wanted: readonly Wanted[] | undefined;
  readonly hasNamespace: (name: string) => boolean;
  readonly signal: AbortSignal;
  readonly log: Log;
}): Promise<Outcome> {
  const problems: Problem[] = [];
  const guarded = await knowsKinds(client, guardKinds);
  if (!guarded && wanted !== undefined) problems.push({ project: undefined, reason: 'Unguarded', message: unguarded });
  const there = await readOurs(client, [...(guarded ? guardKinds : []), ...kinds], signal);

  const guard = guarded && wanted !== undefined ? renderGuard().map((object) => ({ object })) : [];
  const here: Wanted[] = [...guard, ...placeable(wanted ?? [], hasNamespace, problems)];
  const keys = new Set(here.map(({ object }) => keyOf(object)));

  const refused = async (project: string | undefined, act: () => Promise<void>): Promise<void> => {
    try {
      await act();
    } catch (error) {
      const { code, message } = toRfoError(error);
      if (signal.aborted || code !== 'kube-api') throw error;
      problems.push({ project, reason: 'Refused', message });
    }
  };
  for (const kind of [...kinds, ...guardKinds]) {
    const surplus = [...there.values()].filter((object) => object.kind === kind.kind && !keys.has(keyOf(object)));
    await inParallel(surplus, (object) => refused(undefined, () => remove(client, object, { signal, log })));
  }
  // Roles before what binds them; the guard last, so that a cluster whose API is slow to learn it has everything else.
  for (const group of [
    here.filter(({ object }) => object.kind === 'ClusterRole'),
    here.filter(({ object }) => object.kind !== 'ClusterRole'),
  ]) {
    await inParallel(group, ({ project, object }) =>
      refused(project, async () => {
        const taken = await put(client, object, { actual: there.get(keyOf(object)), signal, log });
        if (taken) problems.push({ project, reason: 'NameTaken', message: `${formatRef(refOf(object))} is not of the manager` });
      }),
    );
  }
  return { problems, used: usedQuotas(here, there) };
}

const unguarded =
  'Kubernetes before 1.30 cannot keep people who give roles in a namespace from giving them to users of the manager, which would outlive their membership';

async function knowsKinds(client: KubeClient, wanted: readonly Kind[]): Promise<boolean> {
  try {
    await Promise.all(wanted.map((kind) => client.resourceOf(kind)));
    return true;
  } catch (error) {
    if (toRfoError(error).code === 'kube-kind-unknown') return false;
    throw error;
  }
}

async function readOurs(client: KubeClient, wanted: readonly Kind[], signal: AbortSignal): Promise<Map<string, KubeObject>> {
  const labelSelector = `${managedLabel.name}=${managedLabel.value}`;
  const lists = await Promise.all(wanted.map((kind) => client.list<KubeObject>(kind, { labelSelector, signal })));
  return new Map(lists.flatMap(({ items }) => items.filter(isFormOfOurs).map((object): [string, KubeObject] => [keyOf(object), object])));
}

/** All but what belongs into namespaces that are not there; each of those is a problem of its project, once. */
function placeable(wanted: readonly Wanted[], hasNamespace: (name: string) => boolean, problems: Problem[]): Wanted[] {
  const told = new Set<string>();
  return wanted.filter(({ project, object }) => {
    const { namespace } = object.metadata;
    if (namespace === undefined || hasNamespace(namespace)) return true;
    const key = `${project}/${namespace}`;
    if (!told.has(key)) problems.push({ project, reason: 'NamespaceMissing', message: `there is no namespace ${namespace}` });
    told.add(key);
    return false;
  });
}

async function remove(
  client: KubeClient,
  object: KubeObject,
  { signal, log }: { readonly signal: AbortSignal; readonly log: Log },
): Promise<void> {
  const { uid } = object.metadata;
  await client.delete(refOf(object), { signal, ...(uid !== undefined && { uid }) });
  log.info('a right was taken away', { object: formatRef(refOf(object)) });
}

/** Gives true where something foreign has the name. */
async function put(
  client: KubeClient,
  object: KubeObject,
  { actual, signal, log }: { readonly actual: KubeObject | undefined; readonly signal: AbortSignal; readonly log: Log },
): Promise<boolean> {
  if (actual !== undefined && isAsWanted(actual, object)) return false;
  const found = actual ?? (await client.find<KubeObject>(refOf(object), { signal }));
  if (found !== undefined) {
    // Who has taken the label off a binding of ours has not made it his own: what it binds tells.
    if (!isFormOfOurs(found) || !(isLabelled(found) || isBinding(found))) return true;
    // What a binding binds never changes.
    if (isBinding(found) && roleRefOf(found) !== roleRefOf(object)) await remove(client, found, { signal, log });
  }
  await client.apply(object, { fieldManager, force: true, signal });
  log.info('a right was put in force', { object: formatRef(refOf(object)) });
  return false;
}

function isAsWanted(actual: KubeObject, wanted: KubeObject): boolean {
  if (!isLabelled(actual)) return false;
  const { apiVersion: _, kind, metadata: __, spec, ...rest } = wanted;
  if (!Object.entries(rest).every(([field, value]) => isDeepStrictEqual(actual[field], value))) return false;
  if (kind === 'ResourceQuota') return sameAmounts(hardOf(actual), hardOf(wanted));
  return spec === undefined || contains(actual.spec, spec);
}

function hardOf({ spec }: KubeObject): Amounts {
  return (spec as { readonly hard?: Amounts } | undefined)?.hard ?? {};
}

/** The API server writes quantities its own way. */
function sameAmounts(one: Amounts, other: Amounts): boolean {
  const names = new Set([...Object.keys(one), ...Object.keys(other)]);
  return [...names].every((name) => parseQuantity(one[name] ?? '') === parseQuantity(other[name] ?? ''));
}

/** Whether `actual` has everything of `wanted`: the API server fills in what was not said. */
function contains(actual: unknown, wanted: unknown): boolean {
  if (Array.isArray(wanted)) {
    return Array.isArray(actual) && actual.length === wanted.length && wanted.every((value, index) => contains(actual[index], value));
  }
  if (typeof wanted !== 'object' || wanted === null) return actual === wanted;
  if (typeof actual !== 'object' || actual === null) return false;
  return Object.entries(wanted).every(([name, value]) => contains((actual as Readonly<Record<string, unknown>>)[name], value));
}

function usedQuotas(here: readonly Wanted[], there: ReadonlyMap<string, KubeObject>): Map<string, Amounts> {
  const found = new Map<string, Amounts[]>();
  for (const { project, object } of here) {
    if (project === undefined || object.kind !== 'ResourceQuota') continue;
    const status = there.get(keyOf(object))?.status as { readonly used?: Amounts } | undefined;
    if (status?.used !== undefined) found.set(project, [...(found.get(project) ?? []), status.used]);
  }
  return new Map([...found].map(([project, all]) => [project, sumAmounts(all)]));
}

/** All are tried even if one fails; then the first failure is thrown. */
async function inParallel<T>(items: readonly T[], act: (item: T) => Promise<void>): Promise<void> {
  const rest = [...items];
  const failures: unknown[] = [];
  const work = async (): Promise<void> => {
    for (let item = rest.shift(); item !== undefined; item = rest.shift()) await act(item).catch((error: unknown) => failures.push(error));
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  if (failures.length > 0) throw failures[0];
}

function keyOf({ kind, metadata }: KubeObject): string {
  return `${kind} ${objectKey(metadata)}`;
}
