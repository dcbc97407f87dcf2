/** Opens and closes sessions: how a name and a password become a cookie. */
import { type Clock, type ErrorCode, fail, type Log, toRfoError } from '@rfo/foundation';
import type { Token, User } from '@rfo/schema';
import type { Objects } from '../objects/open-objects.ts';
import { who } from './attempt-counts.ts';
import { callerOf, mayAct } from './authenticate.ts';
import type { Caller } from './caller.ts';
import { csrfTokenOf } from './csrf.ts';
import type { OnEvent } from './events.ts';
import type { Guard } from './guard.ts';
import { type Issued, issueToken, type TokenWish } from './issue-token.ts';
import { localProvider } from './local-provider.ts';
import type { Provider, Vouched } from './provider.ts';
import { renderCookie } from './read-credentials.ts';
import type { Limits } from './settings.ts';
import { formatCredential } from './token-format.ts';
import { usernameKey } from './username.ts';

export type SignInRequest = {
  readonly username: string;
  readonly password: string;
  /** Replaces the password; needed where that has to be changed. */
  readonly newPassword?: string | undefined;
  /** Where the request comes from: an IP address without port. */
  readonly address: string;
  /** Who is to vouch for the user: `local` unless given. */
  readonly provider?: string | undefined;
};

export type SignedIn = {
  readonly caller: Caller;
  /** `rfo_<id>_<secret>`, for programs that send it as a bearer token. */
  readonly credential: string;
  /** The line of `set-cookie`, for browsers. */
  readonly cookie: string;
  /** To be sent as `x-rfo-csrf` with what changes something, where the cookie is the credential. */
  readonly csrf: string;
  /** RFC 3339. */
  readonly expiresAt: string;
  /** The session ends earlier when it is not used for so long. */
  readonly idleSeconds: number;
};

type SignInParts = {
  readonly objects: Pick<Objects, 'tokens' | 'users'>;
  readonly findUser: (username: string) => User | undefined;
  readonly guard: Guard;
  /** Undefined where there is none of the name to whom passwords are brought. */
  readonly providerOf: (name: string) => Provider | undefined;
  readonly limits: () => Limits;
  readonly onEvent: OnEvent;
  readonly clock: Clock;
  readonly log: Log;
};

/** Sessions of one user; the oldest make room. */
const most = 50;
/** Milliseconds for which it is not told again that somebody has to wait. */
const quiet = 60_000;

/** How somebody came whose session is to be opened. */
export type Arrival = {
  readonly address: string;
  readonly provider: string;
  /** Name of the session's Token, where it may be opened once alone. */
  readonly id?: string | undefined;
};

export type SignIns = {
  /**
   * Throws credentials-refused, whatever was wrong; sign-in-limited and sign-in-busy before anything is looked at; password-must-change and
   * password-weak to who has proven the old password; provider-not-allowed, provider-unreachable; and what the API says.
   */
  readonly signIn: (request: SignInRequest) => Promise<SignedIn>;
  /** Opens the session of somebody who has proven who he is. Throws credentials-refused, and what the API says. */
  readonly open: (vouched: Vouched, arrival: Arrival) => Promise<SignedIn>;
};

export function createSignIn(parts: SignInParts): SignIns {
  const { providerOf, guard, limits, clock, onEvent } = parts;
  const tellRefusal = createTeller(parts);

  const signIn: SignIns['signIn'] = async (request) => {
    const { username, password, newPassword, address, provider = localProvider } = request;
    const vouched = await guard({ provider: providerOf(provider), username, password, address }).catch((error: unknown) => {
      tellRefusal(request, error);
      throw error;
    });
    if (newPassword !== undefined && vouched.change !== undefined) await vouched.change(newPassword);
    else if (vouched.mustChange) throw fail('password-must-change', {});
    return await openSession(vouched, { address, provider });
  };

  const openSession: SignIns['open'] = async (vouched, { address, provider, id }) => {
    const { sessionIdle, sessionMax } = limits();
    const wish = { kind: 'session' as const, provider, idleSeconds: sessionIdle, expires: clock.now() + sessionMax * 1000 };
    const { user, token, credential } = await open(parts, vouched, { ...wish, id });
    await noteSignIn(parts, user, token);
    onEvent({ act: 'sign-in', result: 'done', address, provider, token: token.metadata.name, ...nameOf(user) });
    return {
      caller: callerOf(user, token),
      credential: formatCredential(credential),
      cookie: renderCookie(credential, sessionMax),
      csrf: csrfTokenOf(credential.secret),
      expiresAt: token.spec.expiresAt,
      idleSeconds: sessionIdle,
    };
  };
  return { signIn, open: openSession };
}

/** Those who came so far that a provider knew them are told of as well. */
const refusals: readonly ErrorCode[] = ['credentials-refused', 'provider-not-allowed'];

/** Tells the audit who was refused; of those who have to wait only the first time, so that a flood does not fill it. */
function createTeller({ findUser, onEvent, clock }: SignInParts): (request: SignInRequest, error: unknown) => void {
  const told = new Map<string, number>();
  return ({ username, address, provider = localProvider }, error) => {
    const { code } = toRfoError(error);
    if (!refusals.includes(code) && code !== 'sign-in-limited') return;
    const name = usernameKey(username.slice(0, 1024));
    const about = { act: 'sign-in' as const, address, provider, ...nameOf(findUser(name)) };
    if (code !== 'sign-in-limited') return onEvent({ ...about, result: 'refused' });
    const { user: key } = who(name, address);
    const now = clock.now();
    if ((told.get(key) ?? 0) > now) return;
    if (told.size >= 1000) told.clear();
    told.set(key, now + quiet);
    onEvent({ ...about, result: 'limited' });
  };
}

/** Makes the session, unless what it stands on was taken back meanwhile: before there was a session that could be ended with it. */
async function open(
  { objects }: SignInParts,
  vouched: Vouched,
  { id, ...wish }: Omit<TokenWish, 'user'> & { readonly id: string | undefined },
): Promise<Issued & { readonly user: User }> {
  const issued = await issueToken(objects, { ...wish, user: vouched.user }, id);
  const user = objects.users.get(vouched.user);
  if (user !== undefined && mayAct(user, wish.provider) && (await vouched.stillHolds())) return { ...issued, user };
  await objects.tokens.delete(issued.token.metadata.name);
  throw fail('credentials-refused', {});
}

/** What else a sign-in changes; the session is good without it. */
async function noteSignIn({ objects, clock, log }: SignInParts, user: User, token: Token): Promise<void> {
  const sessions = objects.tokens
    .by('user', user.metadata.name)
    .filter(({ metadata, spec }) => spec.kind === 'session' && metadata.name !== token.metadata.name)
    .sort((one, other) => (one.spec.expiresAt < other.spec.expiresAt ? 1 : -1));
  const writes = [
    objects.users.patchStatus(user.metadata.name, { lastLogin: new Date(clock.now()).toISOString() }),
    ...sessions.slice(most - 1).map(({ metadata }) => objects.tokens.delete(metadata.name)),
  ];
  for (const outcome of await Promise.allSettled(writes)) {
    if (outcome.status === 'rejected') log.warn('a sign-in is not noted everywhere', { user: user.metadata.name, error: outcome.reason });
  }
}

function nameOf(user: User | undefined): { readonly user?: string; readonly username?: string } {
  return user === undefined ? {} : { user: user.metadata.name, username: user.spec.username };
}
