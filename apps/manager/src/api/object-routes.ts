// The routes that every kind of object has in the same form: list, get, create, change, delete.
import type { DraftOf, ManagerKind, ObjectOf } from '@rfo/schema';
import * as z from 'zod/mini';
import type { Caller } from '../identity/caller.ts';
import type { Rights } from '../rights/create-rights.ts';
import type { ManagedKind } from '../rights/may.ts';
import { type ListQuery, listPage, listQuery } from './list-query.ts';
import type { Store } from './parts.ts';
import { type Access, type Route, route } from './route.ts';
import { pageSchema, type View, type ViewSchema, viewOf } from './views.ts';
import { createObject, findObject, type Judge, labelKey, patchBody, patchObject, unknownObject } from './write-object.ts';

export type ObjectRoutesInput<K extends ManagerKind> = {
  readonly kind: K;
  readonly store: Store<K>;
  readonly view: ViewSchema;
  /** `/projects` */
  readonly path: string;
  readonly rights: Pick<Rights, 'may'>;
  /** Every user may list what he may see of them; else it takes the right to list them all. */
  readonly own: boolean;
  /** Reading is for tokens that are limited to clusters as well. */
  readonly narrow?: boolean;
  /** Whose an object is, where that counts. */
  readonly ownerOf?: (object: ObjectOf<K>) => string;
};

export const namePath = z.object({ name: z.string().check(z.minLength(1), z.maxLength(253), z.regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/)) });
/** The names that we give: they stand in labels, groups and paths. */
export const newName = z
  .string()
  .check(
    z.minLength(1),
    z.maxLength(63),
    z.regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/, 'use small letters, digits and, between them, hyphens'),
  );
export const newLabels = z.optional(z.record(labelKey, z.string()));

/** List and get. */
export function readRoutes<K extends ManagerKind>(input: ObjectRoutesInput<K>): readonly Route[] {
  const { kind, store, view, path, own, narrow = false } = input;
  const of = kind.kind as ManagedKind;
  const listAccess: Access = own ? { kind: 'listing', of } : { kind: 'right', verb: 'list', of };
  return [
    route({
      ...{ method: 'GET', path, tag: of, narrow, access: listAccess, summary: `List objects of the kind ${of}` },
      query: listQuery,
      answer: pageSchema(view),
      handle: async ({ caller, query }) => listVisible(input, caller, query),
    }),
    route({
      ...{ method: 'GET', path: `${path}/:name`, tag: of, narrow, access: { kind: 'right', verb: 'get', of }, summary: `Read a ${of}` },
      params: namePath,
      answer: view,
      handle: async ({ params }) => viewOf(await findObject(store, kind, params.name)),
    }),
  ];
}

/** What the caller may see of all objects, in the form of the answer: what is hidden cannot be searched for. */
export function listVisible<K extends ManagerKind>(
  { kind, store, view, rights, ownerOf }: Pick<ObjectRoutesInput<K>, 'kind' | 'store' | 'view' | 'rights' | 'ownerOf'>,
  caller: Caller,
  query: ListQuery,
  wanted: (object: ObjectOf<K>) => boolean = () => true,
) {
  const of = kind.kind as ManagedKind;
  const visible = store.list().filter((object) => {
    const owner = ownerOf?.(object);
    return (
      wanted(object) && rights.may(caller, { verb: 'get', kind: of, name: object.metadata.name, ...(owner !== undefined && { owner }) })
    );
  });
  const page = listPage<View>(
    visible.map((object) => z.parse(view, viewOf(object))),
    query,
  );
  return { ...page, items: [...page.items] };
}

/** PATCH. @param judge asked for each caller with what is about to be written */
export function changeRoute<K extends ManagerKind>(
  { kind, store, view, path }: ObjectRoutesInput<K>,
  judge: (caller: Caller) => Judge<K>,
  summary = `Change a ${kind.kind} by a JSON merge patch`,
): Route {
  const of = kind.kind as ManagedKind;
  return route({
    ...{ method: 'PATCH', path: `${path}/:name`, tag: of, access: { kind: 'right', verb: 'update', of }, summary },
    params: namePath,
    body: patchBody,
    answer: view,
    handle: async ({ caller, params: { name }, body, changed }) => {
      const { before, after } = await patchObject(store, { kind, name, patch: body, judge: judge(caller) });
      changed({ name, before: z.parse(view, viewOf(before)), after: z.parse(view, viewOf(after)) });
      return viewOf(after);
    },
  });
}

/** All five. @param makeName for an object that is made without a name; without it a name has to be given */
export function objectRoutes<K extends ManagerKind>(
  input: ObjectRoutesInput<K> & { readonly judge: (caller: Caller) => Judge<K>; readonly makeName?: () => string },
): readonly Route[] {
  const { kind, store, view, path, judge, makeName } = input;
  const of = kind.kind as ManagedKind;
  const given = makeName === undefined ? newName : z.prefault(newName, makeName);
  return [
    ...readRoutes(input),
    route({
      ...{ method: 'POST', path, tag: of, status: 201, access: { kind: 'right', verb: 'create', of }, summary: `Make a ${of}` },
      body: z.object({ name: given, labels: newLabels, spec: kind.spec }),
      answer: view,
      handle: async ({ caller, body, changed }) => {
        const draft = draftOf<K>(body);
        const made = await createObject(store, { kind, draft, judge: judge(caller) });
        changed({ name: made.metadata.name, after: z.parse(view, viewOf(made)) });
        return viewOf(made);
      },
    }),
    changeRoute(input, judge),
    route({
      ...{ method: 'DELETE', path: `${path}/:name`, tag: of, access: { kind: 'right', verb: 'delete', of }, summary: `Delete a ${of}` },
      params: namePath,
      handle: async ({ caller, params: { name }, changed }) => {
        const before = await findObject(store, kind, name);
        judge(caller)({ before });
        const { uid } = before.metadata;
        if (!(await store.delete(name, uid === undefined ? {} : { uid }))) throw unknownObject(kind, name);
        changed({ name, before: z.parse(view, viewOf(before)) });
        return undefined;
      },
    }),
  ];
}

/** The types are those of the kind: its own schema has parsed the spec. */
export function draftOf<K extends ManagerKind>(body: {
  readonly name: string;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly spec: unknown;
}): DraftOf<K> {
  const { name, labels: own, spec } = body;
  return { metadata: { name, ...(own !== undefined && { labels: own }) }, spec } as unknown as DraftOf<K>;
}
