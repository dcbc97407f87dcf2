/**
 * Signing in by a provider in a browser: out to the provider and back. What the way back is checked against travels in a cookie of this browser,
 * sealed, so that any replica can end what another has begun, and nobody can have somebody else's sign-in ended in his browser.
 */
import { randomBytes } from 'node:crypto';
import { type ErrorCode, fail, toRfoError } from '@rfo/foundation';
import * as z from 'zod/mini';
import type { Objects } from '../../objects/open-objects.ts';
import type { OnEvent } from '../events.ts';
import type { Seals } from '../sealed.ts';
import type { SignedIn, SignIns } from '../sign-in.ts';
import { type CliWish, cliWish } from './cli-codes.ts';
import type { OpenProvider, Providers } from './open-providers.ts';
import type { OutsideUsers } from './outside-users.ts';
import type { Redirecting } from './provider-types.ts';

export type BrowserSignIn = {
  /** Sends a browser out. @throws provider-unknown, provider-unreachable, provider-settings, server-url-unknown */
  readonly begin: (wish: {
    readonly provider: string;
    /** What the session is for in the end, where a program waits for it. */
    readonly cli: CliWish | undefined;
    readonly signal: AbortSignal;
  }) => Promise<{ readonly location: string; readonly cookie: string }>;
  /**
   * Takes a browser back. @param back.query what the provider has added to the address
   * @throws sign-in-lost, provider-unknown, provider-refused, provider-not-allowed, provider-unreachable, credentials-refused
   */
  readonly complete: (back: {
    readonly provider: string;
    readonly query: string;
    readonly cookies: string | undefined;
    readonly address: string;
    readonly signal: AbortSignal;
  }) => Promise<{ readonly signedIn: SignedIn; readonly cli: CliWish | undefined; readonly cookies: readonly string[] }>;
  /** Where a browser goes on that has signed out of a session by the provider; undefined: nowhere. @throws provider-unreachable, provider-settings */
  readonly leave: (provider: string) => Promise<string | undefined>;
};

/** Seconds that somebody has at the provider. */
const patience = 600;
const purpose = 'trip';
const trip = z.object({
  provider: z.string(),
  redirectUri: z.string(),
  state: z.string(),
  nonce: z.string(),
  verifier: z.string(),
  cli: z.optional(cliWish),
});

type Parts = {
  readonly objects: Pick<Objects, 'settings'>;
  readonly providers: Pick<Providers, 'get'>;
  readonly users: Pick<OutsideUsers, 'admit'>;
  readonly sessions: Pick<SignIns, 'open'>;
  readonly seals: Seals;
  readonly onEvent: OnEvent;
};

/** What is told of as a refusal: somebody has come back and was not let in. */
const refusals: readonly ErrorCode[] = ['provider-refused', 'provider-not-allowed', 'credentials-refused'];

export function createBrowserSignIn({ objects, providers, users, sessions, seals, onEvent }: Parts): BrowserSignIn {
  const redirecting = (name: string): OpenProvider & { readonly browser: Redirecting } => {
    const provider = providers.get(name);
    const browser = provider?.ask.redirecting;
    if (provider === undefined || browser === undefined) throw fail('provider-unknown', { provider: name.slice(0, 80) });
    return { ...provider, browser };
  };
  const origin = (): string | undefined => {
    const serverUrl = objects.settings.get('server-url')?.spec.value;
    return serverUrl === undefined || serverUrl === '' ? undefined : new URL(serverUrl).origin;
  };
  return {
    begin: async ({ provider, cli, signal }) => {
      const { name, browser } = redirecting(provider);
      const own = origin();
      if (own === undefined) throw fail('server-url-unknown', {});
      const redirectUri = `${own}${returnPath(name)}`;
      const [state, nonce, verifier] = [secret(), secret(), secret()];
      const location = await browser.begin({ redirectUri, state, nonce, verifier }, signal);
      const sealed = await seals.seal(
        purpose,
        { provider: name, redirectUri, state, nonce, verifier, ...(cli !== undefined && { cli }) },
        patience,
      );
      return { location: location.href, cookie: `${cookieName(state)}=${sealed}; ${attributes}; Max-Age=${patience}` };
    },
    complete: async ({ provider, query, cookies, address, signal }) => {
      const state = new URLSearchParams(query).get('state') ?? '';
      const sealed = cookieOf(cookies, cookieName(state));
      const read = z.safeParse(trip, sealed === undefined ? undefined : await seals.open(purpose, sealed));
      if (!read.success || read.data.provider !== provider || read.data.state !== state) throw fail('sign-in-lost', {});
      const open = redirecting(provider);
      try {
        const proven = await open.browser.complete(new URL(`${read.data.redirectUri}?${query}`), read.data, signal);
        const user = await users.admit(open, proven);
        const stillHolds = async (): Promise<boolean> => providers.get(provider) !== undefined;
        const vouched = { user: user.metadata.name, mustChange: false, stillHolds };
        const signedIn = await sessions.open(vouched, { address, provider });
        return { signedIn, cli: read.data.cli, cookies: [signedIn.cookie, `${cookieName(state)}=; ${attributes}; Max-Age=0`] };
      } catch (error) {
        if (refusals.includes(toRfoError(error).code)) onEvent({ act: 'sign-in', result: 'refused', provider, address });
        throw error;
      }
    },
    leave: async (provider) => {
      const leave = providers.get(provider)?.ask.redirecting?.leave;
      const own = origin();
      return leave === undefined || own === undefined ? undefined : (await leave(`${own}/sign-in`)).href;
    },
  };
}

/** Where a provider sends browsers back to: what has to be registered there. */
export function returnPath(provider: string): string {
  return `/sign-in/back/${provider}`;
}

/** The way back is a navigation from another site, to which a browser adds no strict cookies. */
const attributes = 'Path=/; Secure; HttpOnly; SameSite=Lax';

/** One for each sign-in, so that two at once do not undo each other. */
function cookieName(state: string): string {
  return `__Host-rfo-trip-${state.slice(0, 8).replace(/[^\w-]/g, '')}`;
}

function cookieOf(cookies = '', name: string): string | undefined {
  const values = cookies.split(';').flatMap((pair) => {
    const [key = '', value = ''] = pair.trim().split('=', 2);
    return key === name ? [value] : [];
  });
  return values.length === 1 ? values[0] : undefined;
}

/** 256 bits: more than RFC 7636 asks for its verifier, and in its form. */
function secret(): string {
  return randomBytes(32).toString('base64url');
}
