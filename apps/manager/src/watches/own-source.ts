/** A page of the manager's own objects that somebody may see. */
import { fail } from '@rfo/foundation';
import type { ManagerKind, WatchSubscribe } from '@rfo/schema';
import type { ListQuery } from '../api/list-query.ts';
import { listVisible } from '../api/object-routes.ts';
import { clusterView } from '../api/routes/clusters.ts';
import { tokenView } from '../api/routes/tokens.ts';
import { userView } from '../api/routes/users.ts';
import { type ViewSchema, viewSchema } from '../api/views.ts';
import type { Caller } from '../identity/caller.ts';
import type { Objects } from '../objects/open-objects.ts';
import { managerKinds } from '../objects/schema.ts';
import type { Rights } from '../rights/create-rights.ts';
import { parseLabelSelector } from './label-selector.ts';
import type { Listener, Source } from './source.ts';

export type OwnKind = Extract<WatchSubscribe['of'], { readonly kind: unknown }>['kind'];

type Followed = {
  readonly store: keyof typeof managerKinds & keyof Objects;
  readonly view: ViewSchema;
  /** Everybody sees what is his; else it takes the right to list them all, as for the route. */
  readonly own: boolean;
};

const followed: Readonly<Record<OwnKind, Followed>> = {
  Cluster: { store: 'clusters', view: clusterView, own: true },
  Project: { store: 'projects', view: viewSchema(managerKinds.projects), own: true },
  User: { store: 'users', view: userView, own: true },
  Token: { store: 'tokens', view: tokenView, own: true },
  RoleTemplate: { store: 'roleTemplates', view: viewSchema(managerKinds.roleTemplates), own: false },
  GlobalRoleBinding: { store: 'globalRoleBindings', view: viewSchema(managerKinds.globalRoleBindings), own: false },
  Setting: { store: 'settings', view: viewSchema(managerKinds.settings), own: false },
};

export type OwnWish = {
  readonly caller: Caller;
  readonly kind: OwnKind;
  readonly query: ListQuery & { readonly selector?: string | undefined; readonly cursor?: string | undefined };
};

/** @throws api-request-invalid, api-forbidden, api-token-narrow */
export function openOwn(
  { caller, kind, query }: OwnWish,
  { objects, rights }: { readonly objects: Objects; readonly rights: Pick<Rights, 'may' | 'onChange'> },
  on: Listener,
): Source {
  const { store: name, view, own } = followed[kind];
  const { token, username } = caller;
  if (kind !== 'Cluster' && (token.kind === 'kubeconfig' || token.clusters !== undefined)) throw fail('api-token-narrow', {});
  const { selector, cursor, ...rest } = query;
  if (cursor !== undefined) throw fail('api-request-invalid', { problem: 'objects of the manager have no cursor: name a page' });
  const holds = selector === undefined ? undefined : parseLabelSelector(selector);
  // One type for all of them: what is done here is the same for each kind.
  const store = objects[name] as unknown as Store;
  const input = { kind: managerKinds[name] as ManagerKind, store, view, rights, ...(kind === 'Token' && { ownerOf }) };

  const page: Source['page'] = () => {
    if (!own && !rights.may(caller, { verb: 'list', kind }))
      throw fail('api-forbidden', { username, verb: 'list', what: `objects of the kind ${kind}` });
    const { items, total } = listVisible(input, caller, rest, ({ metadata }) => holds?.(metadata.labels ?? {}) ?? true);
    return {
      items: items.map((item) => ({ key: item.name, version: item.resourceVersion ?? '', text: JSON.stringify(item) })),
      total,
      next: undefined,
    };
  };
  // What is wrong with the query shows at once.
  page();
  const undo = [store.onChange(() => on.changed()), rights.onChange((_, touched) => touched(caller) && on.changed())];
  return {
    page,
    problem: () => undefined,
    close: () => {
      for (const each of undo) each();
    },
  };
}

type Store = Parameters<typeof listVisible<ManagerKind>>[0]['store'];

function ownerOf({ spec }: { readonly spec: unknown }): string {
  return (spec as { readonly user: string }).user;
}
