/** Tells who a request comes from. Everything but the sign-in passes here. */
import type { IncomingHttpHeaders } from 'node:http';
import { type Clock, fail } from '@rfo/foundation';
import { limitRate } from '@rfo/http';
import type { Token, User } from '@rfo/schema';
import type { Objects } from '../objects/open-objects.ts';
import type { Caller } from './caller.ts';
import { checkCsrf, csrfTokenOf } from './csrf.ts';
import { heldGroups, isGone } from './held-groups.ts';
import { localProvider } from './local-provider.ts';
import type { Uses } from './note-uses.ts';
import { type Found, readCredentials } from './read-credentials.ts';
import type { Limits } from './settings.ts';
import { endOfToken } from './token-end.ts';
import { isSecretOf } from './token-format.ts';

export type Authenticator = {
  /**
   * @param options.method of the request; without it the request counts as one that changes something
   * @throws not-signed-in; credentials-refused, whatever of them is wrong; session-ended, csrf-refused (both only to who has the secret);
   *   server-overloaded while too many unknown tokens come
   */
  readonly authenticate: (headers: IncomingHttpHeaders, options?: { readonly method: string }) => Promise<Caller>;
  /** The CSRF token of the session whose cookie came, after `authenticate` has accepted it; undefined where no cookie was needed. */
  readonly csrfToken: (headers: IncomingHttpHeaders) => string | undefined;
};

/** A token that another replica made a moment ago is asked for at the API: so often at most, as anybody can invent ids. */
const lookUps = { burst: 100, perSecond: 50 };

export function createAuthenticator(parts: {
  readonly objects: Pick<Objects, 'tokens' | 'users' | 'authProviders' | 'settings'>;
  readonly limits: () => Limits;
  readonly uses: Uses;
  readonly clock: Clock;
}): Authenticator {
  const { objects, limits, uses, clock } = parts;
  const mayLookUp = limitRate({ ...lookUps, clock });

  const findToken = async (id: string): Promise<Token | undefined> => {
    const known = objects.tokens.get(id);
    if (known !== undefined) return known;
    if (!mayLookUp()) throw fail('server-overloaded', {});
    return await objects.tokens.find(id);
  };

  /** The token that the credentials are of; throws credentials-refused. */
  const tokenOf = async ({ from, credential }: Found): Promise<Token> => {
    if (credential === undefined) throw fail('credentials-refused', {});
    const token = await findToken(credential.id);
    const isRight = isSecretOf(credential.secret, token?.spec.hash ?? noHash);
    if (!isRight || token === undefined || token.metadata.deletionTimestamp !== undefined) throw fail('credentials-refused', {});
    if (from === 'cookie' && token.spec.kind !== 'session') throw fail('credentials-refused', {});
    return token;
  };

  return {
    authenticate: async (headers, { method } = { method: '' }) => {
      const found = readCredentials(headers);
      if (found === undefined) throw fail('not-signed-in', {});
      const token = await tokenOf(found);
      if (found.from === 'cookie') {
        const serverUrl = objects.settings.get('server-url')?.spec.value;
        checkCsrf(headers, { secret: found.credential?.secret ?? '', method, serverUrl });
      }
      const id = token.metadata.name;
      if (endOfToken(token, limits(), uses.last(id)) <= clock.now()) throw fail('session-ended', {});
      const user = await objects.users.find(token.spec.user);
      const { provider } = token.spec;
      if (user === undefined || !mayAct(user, provider) || !isEnabled(objects, provider)) throw fail('credentials-refused', {});
      uses.note(id);
      return callerOf(user, token);
    },
    csrfToken: (headers) => {
      const found = readCredentials(headers);
      return found?.from === 'cookie' && found.credential !== undefined ? csrfTokenOf(found.credential.secret) : undefined;
    },
  };
}

/** No secret has this hash. */
const noHash = '0'.repeat(64);

/** @param provider who has vouched for the user */
export function mayAct(user: User, provider: string): boolean {
  return user.spec.enabled && user.metadata.deletionTimestamp === undefined && !isGone(user, provider);
}

/** Whether users for whom this provider vouches are let in. */
export function isEnabled(objects: Pick<Objects, 'authProviders'>, provider: string): boolean {
  return provider === localProvider || objects.authProviders.get(provider)?.spec.enabled === true;
}

export function callerOf(user: User, { metadata, spec }: Token): Caller {
  return {
    user: user.metadata.name,
    username: user.spec.username,
    groups: heldGroups(user, spec.provider),
    token: {
      id: metadata.name,
      kind: spec.kind,
      ...(spec.clusters !== undefined && { clusters: spec.clusters }),
      readOnly: spec.readOnly ?? false,
    },
    provider: spec.provider,
  };
}
