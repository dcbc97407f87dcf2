// Users: who may sign in.
import { randomBytes } from 'node:crypto';
import { fail } from '@rfo/foundation';
import type { User } from '@rfo/schema';
import * as z from 'zod/mini';
import { heldGroups } from '../../identity/held-groups.ts';
import { managerKinds } from '../../objects/schema.ts';
import { changeRoute, namePath, readRoutes } from '../object-routes.ts';
import type { ApiParts } from '../parts.ts';
import { type Route, route } from '../route.ts';
import { viewOf, viewSchema } from '../views.ts';
import { findObject } from '../write-object.ts';

const kind = managerKinds.users;
export const userView = viewSchema(kind);
const password = z.string().check(z.minLength(1), z.maxLength(1024));
const { displayName, email } = kind.spec.shape;

type Identity = User['spec']['identities'][number];

const wish = z.object({
  username: z.string().check(z.minLength(1), z.maxLength(128)),
  displayName,
  email,
  groups: z.prefault(z.array(z.string().check(z.minLength(1), z.maxLength(128))).check(z.maxLength(256)), []),
  /** Good for one sign-in; made and answered this once unless given. */
  password: z.optional(password),
});

export function userRoutes({ objects, identity, rights }: ApiParts): readonly Route[] {
  const { users } = objects;
  const tag = 'User';
  const input = { kind, store: users, view: userView, path: '/users', rights, own: true } as const;
  return [
    ...readRoutes(input),
    route({
      ...{
        method: 'GET',
        path: '/principals/:username',
        tag,
        access: { kind: 'self' },
        summary: 'Find the user of a user name, to name it as a member',
      },
      params: z.object({ username: z.string().check(z.minLength(1), z.maxLength(128)) }),
      answer: z.object({ name: z.string(), username: z.string(), displayName: z.optional(z.string()) }),
      handle: async ({ params: { username } }) => {
        const found = users.by('username', username.normalize('NFKC').trim().toLowerCase())[0] ?? (await users.find(username));
        if (found === undefined) throw fail('user-unknown', { user: username });
        return { name: found.metadata.name, username: found.spec.username, displayName: found.spec.displayName };
      },
    }),
    route({
      ...{
        method: 'POST',
        path: '/users',
        tag,
        status: 201,
        access: { kind: 'right', verb: 'create', of: 'User' },
        summary: 'Make a user',
      },
      body: wish,
      answer: z.object({ user: userView, password: z.optional(z.string()) }),
      ...{ recorded: 'refusals' },
      handle: async ({ caller, body }) => {
        const made = body.password === undefined ? randomBytes(15).toString('base64url') : undefined;
        const spec = { username: body.username, enabled: true, identities: [], groups: body.groups };
        rights.checkChange(caller, { kind: 'User', after: { metadata: { name: '' }, spec } });
        const user = await identity.createUser({ ...body, password: body.password ?? made }, caller);
        return { user: viewOf(user), ...(made !== undefined && { password: made }) };
      },
    }),
    changeRoute(input, (caller) => ({ before, after }) => {
      const { before: was, after: is } = { before, after };
      if (was !== undefined && is !== undefined && was.spec.username !== is.spec.username) {
        throw fail('api-request-invalid', { problem: 'the username of a user never changes: make another user' });
      }
      if (
        was !== undefined &&
        is !== undefined &&
        !(is.spec.identities ?? []).every((one) => was.spec.identities.some((own) => sameIdentity(own, one)))
      ) {
        throw fail('api-request-invalid', { problem: 'identities are added by signing in alone; they can be taken away' });
      }
      if (was !== undefined && is !== undefined && was.spec.enabled !== is.spec.enabled) {
        throw fail('api-request-invalid', { problem: 'enabled is changed by POST to /users/:name/enable and /users/:name/disable' });
      }
      rights.checkChange(caller, { kind: 'User', before: was, after: is as Pick<User, 'metadata' | 'spec'> | undefined });
    }),
    ...(['enable', 'disable'] as const).map((act) =>
      route({
        ...{
          method: 'POST',
          path: `/users/:name/${act}`,
          tag,
          access: { kind: 'right', verb: 'update', of: 'User' },
          act: `${act}-user`,
          recorded: 'refusals',
        },
        summary: act === 'enable' ? 'Let a user sign in again' : 'Keep a user out; everything that it has open ends',
        params: namePath,
        answer: userView,
        handle: async ({ caller, params: { name } }) => {
          const before = await findObject(users, kind, name);
          rights.checkChange(caller, { kind: 'User', before, after: { ...before, spec: { ...before.spec, enabled: act === 'enable' } } });
          return viewOf(await identity[act](name, caller));
        },
      }),
    ),
    route({
      ...{
        method: 'POST',
        path: '/users/:name/password',
        tag,
        access: { kind: 'right', verb: 'update', of: 'User' },
        act: 'set-password',
        recorded: 'refusals',
      },
      summary: 'Give a user a password that is good for one sign-in; its sessions end',
      params: namePath,
      body: z.object({ password }),
      handle: async ({ caller, params: { name }, body }) => {
        const { metadata, spec, status = {} } = await findObject(users, kind, name);
        rights.checkOver(caller, { user: metadata.name, groups: heldGroups({ spec, status }) });
        await identity.setPassword(name, body.password, { by: caller });
        return undefined;
      },
    }),
    route({
      ...{
        method: 'DELETE',
        path: '/users/:name',
        tag,
        access: { kind: 'right', verb: 'delete', of: 'User' },
        act: 'delete',
        recorded: 'refusals',
      },
      summary: 'Delete a user with its tokens',
      params: namePath,
      handle: async ({ caller, params: { name } }) => {
        rights.checkChange(caller, { kind: 'User', before: await findObject(users, kind, name) });
        await identity.deleteUser(name, caller);
        return undefined;
      },
    }),
  ];
}

/** Whoever could add one could have somebody else's sign-in end in an account of his own. */
function sameIdentity(one: Identity, other: Identity): boolean {
  return one.provider === other.provider && one.id === other.id;
}
