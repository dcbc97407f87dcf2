// Providers outside who vouch for users. Nothing of one is kept before it was tried with these settings, and its secret is answered to nobody.
import { fail } from '@rfo/foundation';
import type { AuthProvider, DraftOf, ManagerKinds } from '@rfo/schema';
import * as z from 'zod/mini';
import { returnPath } from '../../identity/providers/browser-sign-in.ts';
import { whereSecretGoes } from '../../identity/providers/where-secret-goes.ts';
import { managerKinds } from '../../objects/schema.ts';
import { checkOverProvider } from '../check-provider.ts';
import { mergePatch } from '../merge-patch.ts';
import { namePath, newName, readRoutes } from '../object-routes.ts';
import { parseInput } from '../parse-input.ts';
import type { ApiParts } from '../parts.ts';
import { type CallOf, openRoute, type Route, route } from '../route.ts';
import { viewOf, viewSchema } from '../views.ts';
import { createObject, findObject, patchBody, patchObject, unknownObject } from '../write-object.ts';

type Kind = ManagerKinds['authProviders'];
type Spec = AuthProvider['spec'];

const kind = managerKinds.authProviders;
const view = viewSchema(kind);
/** Client secret, or the password that the manager has at a directory. */
const secret = z.string().check(z.minLength(1), z.maxLength(4096));
const name = newName.check(z.maxLength(40));
const of = 'AuthProvider';
const path = '/authProviders';

const found = z.object({ kind: z.enum(['User', 'Group']), id: z.string(), name: z.string(), displayName: z.optional(z.string()) });
const changeBody = z.extend(patchBody, { secret: z.optional(secret) });
const tested = z.object({
  /** What has to be registered at the provider as the address that it sends browsers back to. */
  redirectUri: z.optional(z.string()),
});

export function providerRoutes({ objects, identity, rights }: ApiParts): readonly Route[] {
  const { authProviders: store } = objects;
  const { providers } = identity;

  /** Settings that do not work are refused, but for those of a provider that nobody can sign in by. */
  const demand = async (
    { name, spec }: { readonly name: string; readonly spec: Spec },
    given: string | undefined,
    signal: AbortSignal,
  ): Promise<void> => {
    const kept = given ?? (await providers.ofProvider(name));
    await providers.check(name, spec, kept, signal);
  };
  const returnUri = (provider: string, { type }: Spec): { redirectUri?: string } => {
    const server = objects.settings.get('server-url')?.spec.value;
    return type === 'ldap' || server === undefined ? {} : { redirectUri: `${new URL(server).origin}${returnPath(provider)}` };
  };
  const setEnabled = (enabled: boolean) =>
    route({
      ...{ method: 'POST', path: `${path}/:name/${enabled ? 'enable' : 'disable'}`, tag: of },
      access: { kind: 'right', verb: 'update', of },
      act: enabled ? 'enable' : 'disable',
      summary: enabled
        ? 'Try a provider, and let users sign in by it'
        : 'Let nobody sign in by a provider any more; everything opened by it ends',
      params: namePath,
      answer: view,
      handle: async ({ params, caller, changed, signal }) => {
        const before = await findObject(store, kind, params.name);
        if (enabled) checkOverProvider({ objects, rights }, caller, params.name);
        if (enabled) await demand({ name: params.name, spec: before.spec }, undefined, signal);
        const after = await store.patch(params.name, { spec: { enabled } });
        changed({ name: params.name, ...shown({ before, after }) });
        return viewOf(after);
      },
    });

  const change = async ({ params, body, caller, changed, signal }: CallOf<{ name: string }, unknown, z.output<typeof changeBody>>) => {
    const { secret: given, ...patch } = body;
    const before = await findObject(store, kind, params.name);
    const wanted = mergedSpec(before, patch.spec);
    checkOverProvider({ objects, rights }, caller, params.name);
    // Who may change settings need not know the secret, and must not come to know it.
    if (
      given === undefined &&
      whereSecretGoes(before.spec) !== whereSecretGoes(wanted) &&
      (await providers.ofProvider(params.name)) !== undefined
    )
      throw fail('provider-secret-elsewhere', { provider: params.name });
    if (wanted.enabled) await demand({ name: params.name, spec: wanted }, given, signal);
    // The secret first: if what follows fails, the one in use was tried with either.
    const was = given === undefined ? undefined : await providers.ofProvider(params.name);
    if (given !== undefined) await providers.setOfProvider(params.name, given);
    try {
      const done = await patchObject(store, {
        kind,
        name: params.name,
        patch,
        judge: ({ after }) => {
          if (after !== undefined && JSON.stringify(after.spec) !== JSON.stringify(wanted))
            throw fail('api-conflict', { what: kind.kind, name: params.name, actual: 'another', given: 'the one that was tried' });
        },
      });
      changed({ name: params.name, ...shown(done) });
      return viewOf(done.after);
    } catch (error) {
      if (given !== undefined) await providers.setOfProvider(params.name, was);
      throw error;
    }
  };

  return [
    ...readRoutes({ kind, store, view, path, rights, own: false }),
    openRoute({
      ...{ method: 'GET', path: '/signIn/providers', tag: of, summary: 'List by whom one can sign in' },
      answer: z.object({
        items: z.array(z.object({ name: z.string(), displayName: z.string(), by: z.enum(['browser', 'password']) })),
      }),
      handle: async () => ({
        items: providers.list().map(({ name, spec, ask }) => ({
          name,
          displayName: spec.displayName,
          by: ask.redirecting === undefined ? ('password' as const) : ('browser' as const),
        })),
      }),
    }),
    route({
      ...{ method: 'POST', path, tag: of, status: 201, access: { kind: 'right', verb: 'create', of }, summary: 'Make a provider' },
      body: z.object({ name, spec: kind.spec, secret: z.optional(secret) }),
      answer: z.object({ provider: view, redirectUri: z.optional(z.string()) }),
      handle: async ({ body, caller, changed, signal }) => {
        const { name, secret: given } = body;
        checkOverProvider({ objects, rights }, caller, name);
        const spec = body.spec as Spec;
        if ((await store.find(name)) !== undefined) throw fail('api-object-exists', { what: kind.kind, name });
        if (spec.enabled) await providers.check(name, spec, given, signal);
        // Switched on last: nobody meets it without its secret.
        const draft = { metadata: { name }, spec: { ...spec, enabled: false } } as DraftOf<Kind>;
        const made = await createObject(store, { kind, draft, judge: () => undefined });
        await providers.setOfProvider(name, given);
        const after = spec.enabled ? await store.patch(name, { spec: { enabled: true } }) : made;
        changed({ name, ...shown({ after }) });
        return { provider: viewOf(after), ...returnUri(name, spec) };
      },
    }),
    route({
      ...{ method: 'PATCH', path: `${path}/:name`, tag: of, access: { kind: 'right', verb: 'update', of } },
      summary: 'Change a provider by a JSON merge patch, and its secret',
      params: namePath,
      body: changeBody,
      answer: view,
      handle: change,
    }),
    route({
      ...{ method: 'POST', path: `${path}/:name/test`, tag: of, harmless: true, access: { kind: 'right', verb: 'update', of } },
      summary: 'Try a provider with the settings that it has, also where it is not enabled',
      params: namePath,
      answer: tested,
      handle: async ({ params, signal }) => {
        const { spec } = await findObject(store, kind, params.name);
        await demand({ name: params.name, spec }, undefined, signal);
        return returnUri(params.name, spec);
      },
    }),
    setEnabled(true),
    setEnabled(false),
    route({
      ...{ method: 'GET', path: `${path}/:name/found`, tag: of, access: { kind: 'right', verb: 'get', of } },
      summary: 'Search a directory for users and groups to give rights to',
      params: namePath,
      query: z.object({ search: z.string().check(z.minLength(1), z.maxLength(256)) }),
      answer: z.object({ items: z.array(found) }),
      handle: async ({ params, query, signal }) => {
        const search = providers.get(params.name)?.ask.search;
        if (search === undefined) throw fail('provider-unknown', { provider: params.name });
        return { items: [...(await search(query.search, { limit: 50, signal }))] };
      },
    }),
    route({
      ...{ method: 'DELETE', path: `${path}/:name`, tag: of, access: { kind: 'right', verb: 'delete', of } },
      summary: 'Delete a provider with everything that was opened by it; users stay, and lose who they are there',
      params: namePath,
      handle: async ({ params, changed }) => {
        const before = await findObject(store, kind, params.name);
        const { uid } = before.metadata;
        if (!(await store.delete(params.name, uid === undefined ? {} : { uid }))) throw unknownObject(kind, params.name);
        await providers.setOfProvider(params.name, undefined);
        changed({ name: params.name, ...shown({ before }) });
        return undefined;
      },
    }),
  ];
}

/** For the audit. */
function shown(objects: { readonly before?: AuthProvider; readonly after?: AuthProvider }): {
  readonly before?: unknown;
  readonly after?: unknown;
} {
  return Object.fromEntries(Object.entries(objects).map(([when, object]) => [when, z.parse(view, viewOf<Kind>(object))]));
}

/** As `patchObject` makes it. */
function mergedSpec(before: AuthProvider, patch: Readonly<Record<string, unknown>> | undefined): Spec {
  return parseInput(kind.spec, mergePatch(before.spec, patch ?? {}), 'what the patch makes of the spec') as Spec;
}
