// Signing in and out, and what users see and change of themselves.
import * as z from 'zod/mini';
import type { Caller } from '../../identity/caller.ts';
import { localProvider } from '../../identity/local-provider.ts';
import { managerKinds } from '../../objects/schema.ts';
import type { ApiParts } from '../parts.ts';
import { openRoute, type Route, route } from '../route.ts';
import { viewOf } from '../views.ts';
import { findObject } from '../write-object.ts';
import { tokenView } from './tokens.ts';

const secret = z.string().check(z.minLength(1), z.maxLength(1024));

const signIn = z.object({
  username: z.string().check(z.minLength(1), z.maxLength(1024)),
  password: secret,
  /** Replaces the password; needed where it was given for one sign-in. */
  newPassword: z.optional(secret),
  /** Who is to vouch for the user: a directory by its name, or the manager itself. */
  provider: z.prefault(z.string().check(z.minLength(1), z.maxLength(63)), localProvider),
  /** A browser keeps the session in a cookie that no script can read; a program is given the token. */
  as: z.prefault(z.enum(['cookie', 'token']), 'cookie'),
});

const session = z.object({
  user: z.string(),
  username: z.string(),
  expiresAt: z.string(),
  /** The session ends earlier when it is not used for so long. */
  idleSeconds: z.number(),
  /** With a cookie: to be sent as x-rfo-csrf with everything but GET. */
  csrf: z.optional(z.string()),
  /** Without a cookie. Shown this once. */
  token: z.optional(z.string()),
});

const self = z.object({
  name: z.string(),
  username: z.string(),
  displayName: z.optional(z.string()),
  email: z.optional(z.string()),
  groups: z.array(z.string()),
  provider: z.string(),
  /** Global roles that were given to the user or to one of the groups. */
  roles: z.array(z.string()),
  token: z.optional(tokenView),
  csrf: z.optional(z.string()),
});

export function sessionRoutes({ objects, identity }: ApiParts): readonly Route[] {
  const tag = 'Session';
  return [
    openRoute({
      ...{ method: 'POST', path: '/session', tag, status: 201, summary: 'Sign in by name and password' },
      body: signIn,
      answer: session,
      handle: async ({ body, address, header }) => {
        const { username, password, newPassword, provider, as } = body;
        const opened = await identity.signIn({ username, password, newPassword, provider, address });
        const { caller, credential, cookie, csrf, expiresAt, idleSeconds } = opened;
        if (as === 'cookie') header('set-cookie', cookie);
        const common = { user: caller.user, username: caller.username, expiresAt, idleSeconds };
        return as === 'cookie' ? { ...common, csrf } : { ...common, token: credential };
      },
    }),
    openRoute({
      ...{ method: 'POST', path: '/session/code', tag, status: 201, summary: 'Get the session that was granted to a program in a browser' },
      body: z.object({ code: z.string().check(z.maxLength(4096)), verifier: z.string().check(z.minLength(43), z.maxLength(128)) }),
      answer: session,
      handle: async ({ body, address }) => {
        const { caller, credential, expiresAt, idleSeconds } = await identity.cliCodes.redeem({ ...body, address });
        return { user: caller.user, username: caller.username, expiresAt, idleSeconds, token: credential };
      },
    }),
    route({
      ...{
        method: 'DELETE',
        path: '/session',
        tag,
        narrow: true,
        access: { kind: 'self' },
        summary: 'Sign out: end the session or token that is used',
      },
      ...{ act: 'sign-out', recorded: 'refusals' },
      handle: async ({ caller, header }) => {
        header('set-cookie', await identity.signOut(caller));
        return undefined;
      },
    }),
    route({
      ...{ method: 'GET', path: '/self', tag, narrow: true, access: { kind: 'self' }, summary: 'Read who is signed in' },
      answer: self,
      handle: async ({ caller, headers }) => {
        const { metadata, spec } = await findObject(objects.users, managerKinds.users, caller.user);
        const token = await objects.tokens.find(caller.token.id);
        const csrf = identity.csrfToken(headers);
        return {
          name: metadata.name,
          ...{ username: spec.username, displayName: spec.displayName, email: spec.email },
          ...{ groups: [...caller.groups], provider: caller.provider, roles: rolesOf(caller) },
          ...(token !== undefined && { token: viewOf(token) }),
          ...(csrf !== undefined && { csrf }),
        };
      },
    }),
    route({
      ...{
        method: 'POST',
        path: '/self/password',
        tag,
        access: { kind: 'self' },
        summary: "Change one's own password; other sessions end",
      },
      ...{ act: 'set-password', recorded: 'refusals' },
      body: z.object({ current: secret, password: secret }),
      handle: async ({ caller, body, address }) => {
        await identity.changePassword({ caller, ...body, address });
        return undefined;
      },
    }),
  ];

  function rolesOf({ user, groups }: Caller): string[] {
    const subjects = [`User/${user}`, ...groups.map((group) => `Group/${group}`)];
    const bindings = subjects.flatMap((subject) => objects.globalRoleBindings.by('subject', subject));
    return [...new Set(bindings.map(({ spec }) => spec.role))].sort();
  }
}
