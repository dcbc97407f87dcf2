/** Who is who: users, their passwords, sessions and tokens. What the other parts of the manager see of it. */
import { type Clock, fail, type Life, type Log } from '@rfo/foundation';
import type { KubeClient } from '@rfo/kube';
import { managerNamespace, type Token, type User } from '@rfo/schema';
import type { Objects } from '../objects/open-objects.ts';
import { ensureAdministrator, forgetPassword } from './administrator.ts';
import { createAttemptCounts, keyOfUser } from './attempt-counts.ts';
import { type Authenticator, createAuthenticator } from './authenticate.ts';
import type { Caller } from './caller.ts';
import { changePassword, type PasswordChange } from './change-password.ts';
import { createToken, type TokenRequest } from './create-token.ts';
import type { IdentityEvent, OnEvent } from './events.ts';
import { createGuard } from './guard.ts';
import { type Cost, createPasswordHasher } from './hash-password.ts';
import { createLocalProvider } from './local-provider.ts';
import { noteUses } from './note-uses.ts';
import { createPasswordStore } from './password-store.ts';
import type { Provider } from './provider.ts';
import { type BrowserSignIn, createBrowserSignIn } from './providers/browser-sign-in.ts';
import { type CliCodes, createCliCodes } from './providers/cli-codes.ts';
import { createKeptSecrets, type KeptSecrets } from './providers/kept-secrets.ts';
import { createProviders, type Providers } from './providers/open-providers.ts';
import { outsidePassword } from './providers/outside-password.ts';
import { createOutsideUsers } from './providers/outside-users.ts';
import { refreshOutside } from './providers/refresh-outside.ts';
import { endCookie } from './read-credentials.ts';
import { removeEndedTokens } from './remove-ended.ts';
import { createRevocations, type Revocations } from './revocations.ts';
import { createSeals } from './sealed.ts';
import { replacePassword, setPassword } from './set-password.ts';
import { createLimitsReader } from './settings.ts';
import { shareAttempts } from './share-attempts.ts';
import { createSignIn, type SignedIn, type SignInRequest } from './sign-in.ts';
import { formatCredential } from './token-format.ts';
import { usernameKey } from './username.ts';
import { createUser, deleteUser, findUser, setEnabled, type UserRequest } from './users.ts';

/** Whether somebody may do one of these things is for the caller of it to decide. All throw what the API says, beside what is named. */
export type Identity = Authenticator &
  Revocations & {
    /** Throws credentials-refused, sign-in-limited, sign-in-busy, password-must-change, password-weak, provider-not-allowed, provider-unreachable. */
    readonly signIn: (request: SignInRequest) => Promise<SignedIn>;
    readonly browser: BrowserSignIn;
    readonly cliCodes: CliCodes;
    /** Those outside who vouch for users. */
    readonly providers: Providers & Pick<KeptSecrets, 'ofProvider' | 'setOfProvider'>;
    /** Ends the caller's session or token. Gives the line of `set-cookie` that makes a browser forget it. */
    readonly signOut: (caller: Caller) => Promise<string>;
    /** `credential` is `rfo_<id>_<secret>`: it cannot be seen again. Throws access-token-wish, access-tokens-too-many. */
    readonly createToken: (request: TokenRequest) => Promise<{ readonly token: Token; readonly credential: string }>;
    /** Throws access-token-unknown. @param by who does it */
    readonly deleteToken: (id: string, by?: Caller) => Promise<void>;
    /** Throws username-invalid, username-taken, password-weak, sign-in-busy. */
    readonly createUser: (request: UserRequest, by?: Caller) => Promise<User>;
    /** With all tokens and the password. Throws user-unknown. */
    readonly deleteUser: (user: string, by?: Caller) => Promise<void>;
    /** Everything that the user has open ends, on every replica. Throws user-unknown. */
    readonly disable: (user: string, by?: Caller) => Promise<User>;
    readonly enable: (user: string, by?: Caller) => Promise<User>;
    /**
     * Sets somebody's password, ends his sessions and lets him try again at once where too many attempts had failed.
     * Throws user-unknown, password-weak, sign-in-busy. @param options.mustChange it is good for one sign-in (true)
     */
    readonly setPassword: (
      user: string,
      password: string,
      options?: { readonly mustChange?: boolean; readonly by?: Caller },
    ) => Promise<void>;
    /** Sets the caller's own, by the old one; his other sessions end. Throws credentials-refused, sign-in-limited, sign-in-busy, password-weak. */
    readonly changePassword: (request: PasswordChange) => Promise<void>;
    /** At the start, on every replica: makes the first administrator. `password` while his is still the one that was made for him. */
    readonly ensureAdministrator: () => Promise<{ readonly password?: string }>;
    /** What one replica alone does, until the life ends: removes ended tokens. For `electLeader`. */
    readonly lead: (life: Life) => Promise<void>;
  };

type IdentityOptions = {
  readonly objects: Pick<Objects, 'users' | 'tokens' | 'settings' | 'authProviders' | 'globalRoleBindings'>;
  /** Of the cluster that the manager runs in. */
  readonly client: KubeClient;
  /** Namespace of the manager's Secrets; it has to exist. */
  readonly namespace?: string;
  readonly clock: Clock;
  /** Told every act and refusal, for the audit. */
  readonly onEvent?: OnEvent;
  /** Of new hashes of passwords; others are replaced by such when their user signs in. */
  readonly passwordCost?: Cost;
  readonly life: Life;
  readonly log: Log;
};

export function createIdentity(options: IdentityOptions): Identity {
  const { objects, client, namespace = managerNamespace, clock, life } = options;
  const log = options.log.part('identity');
  const onEvent = (event: IdentityEvent): void => {
    try {
      options.onEvent?.(event);
    } catch (error) {
      log.error('an act was not recorded', { act: event.act, error });
    }
  };
  const limits = createLimitsReader(objects, log);
  const hasher = createPasswordHasher(options.passwordCost);
  const passwords = createPasswordStore(client, namespace);
  const users = { objects, client, passwords, hasher };
  const uses = noteUses({ objects, client, clock, life, log });
  const attempts = createAttemptCounts();
  const shared = shareAttempts({ counts: attempts, client, namespace, clock, life, log });
  const find = (username: string): User | undefined => findUser(objects, username);
  const named = async (name: string): Promise<User> => {
    const user = await objects.users.find(name);
    if (user === undefined) throw fail('user-unknown', { user: name });
    return user;
  };
  const pardon = (username: string): void => {
    if (attempts.clear(keyOfUser(usernameKey(username)), clock.now())) shared.changed();
  };
  const told = (act: IdentityEvent['act'], { metadata, spec }: User, by?: Caller): void =>
    onEvent({ act, result: 'done', user: metadata.name, username: spec.username, ...(by !== undefined && { by }) });

  const local = createLocalProvider({
    findUser: find,
    passwords,
    hasher,
    log,
    change: async (user, wish) => {
      const version = await replacePassword(users, user, wish);
      await forgetPassword({ client, namespace }, user.metadata.name);
      told('set-password', user);
      return version;
    },
  });
  const counting = { attempts, attemptsKnown: shared.synced, attemptsChanged: shared.changed };
  const guard = createGuard({ ...counting, clock });
  const secrets = createKeptSecrets(client, namespace);
  const providers = createProviders({ objects, secrets, clock, life, log });
  const outsideUsers = createOutsideUsers({
    ...{ objects, client, secrets, clock, signal: life.signal, log },
    createUser: async (request) => {
      const user = await createUser(users, request);
      told('create-user', user);
      return user;
    },
    deleteUser: async (name) => void (await deleteUser(users, name)),
  });
  const providerOf = (name: string): Provider | undefined => {
    if (name === local.name) return local;
    const provider = providers.get(name);
    return provider && outsidePassword(provider, { users: outsideUsers, providers, signal: life.signal, log });
  };
  const sessions = createSignIn({ objects, findUser: find, guard, providerOf, limits, onEvent, clock, log });
  const seals = createSeals(client, namespace, clock);

  return {
    ...createAuthenticator({ objects, limits, uses, clock }),
    ...createRevocations({ objects, limits, uses, clock, life, log }),
    signIn: sessions.signIn,
    browser: createBrowserSignIn({ objects, providers, users: outsideUsers, sessions, seals, onEvent }),
    cliCodes: createCliCodes({ objects, sessions, seals }),
    providers: { ...providers, ofProvider: secrets.ofProvider, setOfProvider: secrets.setOfProvider },
    signOut: async ({ user, username, token: { id } }) => {
      await objects.tokens.delete(id);
      onEvent({ act: 'sign-out', result: 'done', user, username, token: id });
      return endCookie;
    },
    createToken: async (request) => {
      const { token, credential } = await createToken({ objects, limits, clock }, request);
      const { caller: by } = request;
      onEvent({ act: 'create-token', result: 'done', user: by.user, username: by.username, token: token.metadata.name, by });
      return { token, credential: formatCredential(credential) };
    },
    deleteToken: async (id, by) => {
      const token = await objects.tokens.find(id);
      if (token === undefined || !(await objects.tokens.delete(id))) throw fail('access-token-unknown', { id });
      onEvent({ act: 'delete-token', result: 'done', user: token.spec.user, token: id, ...(by !== undefined && { by }) });
    },
    createUser: async (request, by) => {
      const user = await createUser(users, request);
      told('create-user', user, by);
      return user;
    },
    deleteUser: async (name, by) => {
      const user = await named(name);
      await deleteUser(users, name);
      await Promise.all([forgetPassword({ client, namespace }, name), secrets.deleteUser(name)]);
      told('delete-user', user, by);
    },
    disable: async (name, by) => {
      const user = await setEnabled(users, name, false);
      told('disable-user', user, by);
      return user;
    },
    enable: async (name, by) => {
      const user = await setEnabled(users, name, true);
      told('enable-user', user, by);
      return user;
    },
    setPassword: async (name, password, { mustChange = true, by } = {}) => {
      const user = await named(name);
      await setPassword(users, user, { password, mustChange });
      await forgetPassword({ client, namespace }, name);
      pardon(user.spec.username);
      told('set-password', user, by);
    },
    changePassword: (request) => changePassword({ guard, provider: local }, request),
    ensureAdministrator: () => ensureAdministrator({ ...users, objects, namespace }),
    lead: async (leading) => {
      const refreshing = refreshOutside({ objects, providers, users: outsideUsers, secrets, clock, log }, leading);
      await Promise.all([removeEndedTokens({ objects, limits, clock, log }, leading), refreshing]);
    },
  };
}
