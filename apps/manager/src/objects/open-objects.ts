// All objects of the manager: one store for each kind.
import { type Life, type Log, orAbort } from '@rfo/foundation';
import type { KubeClient } from '@rfo/kube';
import type { ManagerKind, ManagerKinds, ObjectOf } from '@rfo/schema';
import { managerKinds } from './schema.ts';
import { openSegmentChanges, type SegmentChanges } from './segment-changes.ts';
import { type ObjectStore, openStore } from './store.ts';

/** What the objects of a kind are found by, beside their names. */
const indexes = {
  clusters: {},
  users: {
    /** As it is typed, in lower case and in one of the ways to write the same letters (NFKC). */
    username: ({ spec }) => [spec.username.normalize('NFKC').trim().toLowerCase()],
    /** `provider/id` */
    identity: ({ spec }) => spec.identities.map(({ provider, id }) => `${provider}/${id}`),
    group: ({ spec }) => spec.groups,
  },
  roleTemplates: {
    scope: ({ spec }) => [spec.scope],
    inherits: ({ spec }) => spec.inherits,
  },
  globalRoleBindings: {
    role: ({ spec }) => [spec.role],
    /** `User/name` or `Group/name` */
    subject: ({ spec }) => spec.subjects.map(subjectKey),
  },
  projects: {
    cluster: ({ spec }) => spec.places.map(({ cluster }) => cluster),
    role: ({ spec }) => [...new Set(spec.members.map(({ role }) => role))],
    /** `User/name` or `Group/name` */
    subject: ({ spec }) => [...new Set(spec.members.map(subjectKey))],
  },
  tokens: {
    user: ({ spec }) => [spec.user],
    /** Of those that are good for one cluster alone. */
    cluster: ({ spec }) => (spec.clusters?.length === 1 ? spec.clusters : []),
  },
  authProviders: {},
  settings: {},
} as const satisfies {
  readonly [Name in StoredKind]: Readonly<Record<string, (object: ObjectOf<ManagerKinds[Name]>) => readonly string[]>>;
};

type Indexes = typeof indexes;

/** Segments of the audit have no store: whoever wants to see them asks the API. */
type StoredKind = Exclude<keyof ManagerKinds, 'auditSegments'>;

export type Objects = { readonly [Name in StoredKind]: ObjectStore<ManagerKinds[Name], keyof Indexes[Name] & string> } & {
  readonly auditSegments: SegmentChanges;
};

/**
 * Opens all stores and resolves when everything there is can be read; they follow the API until the life ends. The definitions of the kinds
 * have to be installed (`installCrds`). Rejects when the life ends before.
 */
export async function openObjects({
  client,
  life,
  log,
}: {
  readonly client: KubeClient;
  readonly life: Life;
  readonly log: Log;
}): Promise<Objects> {
  const stores = Object.fromEntries(
    Object.entries(indexes as Readonly<Record<string, object>>).map(([name, own]) => [
      name,
      openStore<ManagerKind, string>({ client, kind: managerKinds[name as StoredKind], indexes: own as Indexed, life, log }),
    ]),
  );
  await orAbort(Promise.all(Object.values(stores).map(({ synced }) => synced)), life.signal);
  return { ...stores, auditSegments: openSegmentChanges({ client, life, log }) } as unknown as Objects;
}

type Indexed = Readonly<Record<string, (object: ObjectOf<ManagerKind>) => readonly string[]>>;

function subjectKey({ kind, name }: { readonly kind: string; readonly name: string }): string {
  return `${kind}/${name}`;
}
