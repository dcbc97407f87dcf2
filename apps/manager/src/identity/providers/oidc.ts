/**
 * OpenID Connect Core 1.0: code flow with PKCE and nonce. The algorithm of ID tokens and the tolerance of clocks are fixed; the description of the
 * provider is read once an hour, its keys when an ID token names one that is not known. Signing out there: RP-Initiated Logout 1.0.
 */
import { type Clock, fail, type Life, RfoError } from '@rfo/foundation';
import type { AuthProvider } from '@rfo/schema';
import * as oidc from 'openid-client';
import * as z from 'zod/mini';
import { checkCertificates } from './check-certificates.ts';
import type { Outside } from './outside.ts';
import { createOutsideFetch } from './outside-fetch.ts';
import type { OutsideProvider, Proven } from './provider-types.ts';

export type OidcSettings = NonNullable<AuthProvider['spec']['oidc']>;

/** Seconds that clocks may differ. */
const tolerance = 30;
/** Milliseconds for which the description of the provider is kept. */
const describedFor = 3600_000;
const always = ['openid', 'profile', 'email'];

/** @param parts.secret client secret; undefined for a public client */
export function createOidcProvider(parts: {
  readonly name: string;
  readonly settings: OidcSettings;
  readonly secret: () => Promise<string | undefined>;
  readonly clock: Clock;
  readonly life: Life;
}): OutsideProvider {
  const { name, settings, clock, life } = parts;
  const fetchOutside = createOutsideFetch(settings, life);
  let described: { readonly metadata: oidc.ServerMetadata; readonly until: number } | undefined;
  let keys: oidc.ExportedJWKSCache | undefined;

  let describing: Promise<oidc.ServerMetadata> | undefined;

  /** One question at a time: whoever knocks at the page for signing in must not have the provider asked for each knock. */
  const describe = async (): Promise<oidc.ServerMetadata> => {
    if (described !== undefined && described.until > clock.now()) return described.metadata;
    describing ??= discover().finally(() => {
      describing = undefined;
    });
    return await describing;
  };
  const discover = async (): Promise<oidc.ServerMetadata> => {
    const options = { [oidc.customFetch]: fetchOutside as oidc.CustomFetch };
    const config = await oidc
      .discovery(new URL(settings.issuer), settings.clientId, undefined, oidc.None(), options)
      .catch((error: unknown) => {
        throw flawOfDescription(name, settings, error) ?? error;
      });
    const metadata = config.serverMetadata();
    described = { metadata, until: clock.now() + describedFor };
    return metadata;
  };

  /** With the secret as it is now: it may have been replaced. */
  const configure = async (): Promise<oidc.Configuration> => {
    const [metadata, secret] = await Promise.all([describe(), parts.secret()]);
    const client = { id_token_signed_response_alg: settings.algorithm, [oidc.clockTolerance]: tolerance };
    const config = new oidc.Configuration(metadata, settings.clientId, client, authenticationOf(metadata, secret));
    config[oidc.customFetch] = fetchOutside as oidc.CustomFetch;
    // The library believes the connection that an ID token came by; a proxy with a CA of its own could stand in it.
    oidc.enableNonRepudiationChecks(config);
    if (keys !== undefined) oidc.setJwksCache(config, keys);
    return config;
  };

  const ask = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw errorOf(name, error);
    }
  };

  const prove = async (config: oidc.Configuration, tokens: Tokens, subject: string, kept?: string): Promise<Proven | 'unknown'> => {
    const claims = await claimsOf(config, tokens, { subject, settings });
    if (claims === undefined) return 'unknown';
    return { outside: outsideOf(claims, subject, settings), kept: tokens.refresh_token ?? kept };
  };

  return {
    redirecting: {
      begin: ({ redirectUri, state, nonce, verifier }) =>
        ask(async () => {
          const config = await configure();
          return oidc.buildAuthorizationUrl(config, {
            redirect_uri: redirectUri,
            scope: scopesOf(config.serverMetadata(), settings).join(' '),
            state,
            nonce,
            code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
            code_challenge_method: 'S256',
          });
        }),
      complete: (callback, { state, nonce, verifier }) =>
        ask(async () => {
          const config = await configure();
          const checks = { expectedState: state, expectedNonce: nonce, pkceCodeVerifier: verifier, idTokenExpected: true };
          const tokens = await oidc.authorizationCodeGrant(config, callback, checks);
          keys = oidc.getJwksCache(config);
          const subject = tokens.claims()?.sub;
          if (subject === undefined) throw refused(name, 'it names nobody');
          const proven = await prove(config, tokens, subject);
          if (proven === 'unknown') throw refused(name, 'it says nothing of you');
          return proven;
        }),
      // RP-Initiated Logout 1.0 §2. By the client ID alone: the provider asks its user, and no ID token has to be kept.
      ...(settings.endSession && {
        leave: (back) => ask(async () => oidc.buildEndSessionUrl(await configure(), { post_logout_redirect_uri: back })),
      }),
    },
    check: () =>
      ask(async () => {
        checkCertificates(name, settings);
        const config = await configure();
        const metadata = config.serverMetadata();
        const { id_token_signing_alg_values_supported: algorithms, authorization_endpoint, token_endpoint } = metadata;
        if (authorization_endpoint === undefined || token_endpoint === undefined)
          throw unusable(name, 'it describes no authorization_endpoint or no token_endpoint', 'Give an issuer that serves the code flow');
        if (algorithms !== undefined && !algorithms.includes(settings.algorithm))
          throw unusable(
            name,
            `it does not sign ID tokens by ${settings.algorithm}, but by ${algorithms.join(', ')}`,
            'Set oidc.algorithm to one of these',
          );
        if (settings.endSession && !metadata.end_session_endpoint?.startsWith('https://'))
          throw unusable(name, 'it describes no end_session_endpoint', 'Leave oidc.endSession out: nobody can be signed out there');
        await checkSecret(name, config);
      }),
    refresh: (id, kept) =>
      ask(async () => {
        if (kept === undefined) return 'unknown';
        const config = await configure();
        try {
          const tokens = await oidc.refreshTokenGrant(config, kept);
          if (tokens.claims() !== undefined && tokens.claims()?.sub !== id) return undefined;
          return await prove(config, tokens, id, kept);
        } catch (error) {
          // RFC 6749 §5.2: the grant was taken back, or its user is gone.
          if (error instanceof oidc.ResponseBodyError && error.error === 'invalid_grant') return undefined;
          throw error;
        }
      }),
  };
}

type Tokens = Awaited<ReturnType<typeof oidc.authorizationCodeGrant>>;
type Claims = Readonly<Record<string, unknown>>;

/** As the provider says that it takes it; RFC 8414 has it basic where it says nothing. */
function authenticationOf(metadata: oidc.ServerMetadata, secret: string | undefined): oidc.ClientAuth {
  if (secret === undefined) return oidc.None();
  const methods = metadata.token_endpoint_auth_methods_supported ?? ['client_secret_basic'];
  return methods.includes('client_secret_basic') ? oidc.ClientSecretBasic(secret) : oidc.ClientSecretPost(secret);
}

/** With `offline_access` where it is known: by what that gives, the provider can be asked again. */
function scopesOf({ scopes_supported: known = [] }: oidc.ServerMetadata, { scopes }: OidcSettings): readonly string[] {
  return [...new Set([...always, ...scopes, ...(known.includes('offline_access') ? ['offline_access'] : [])])];
}

/**
 * ID tokens may be short: what is missing there is asked at the userinfo endpoint (OpenID Connect Core §5.3). Undefined where neither came, as
 * after some refreshes: that nothing is said of groups does not mean that there are none.
 */
async function claimsOf(
  config: oidc.Configuration,
  tokens: Tokens,
  { subject, settings }: { readonly subject: string; readonly settings: OidcSettings },
): Promise<Claims | undefined> {
  const own: Claims | undefined = tokens.claims();
  const complete = own?.[settings.usernameClaim] !== undefined && own?.[settings.groupsClaim] !== undefined;
  if (complete || config.serverMetadata().userinfo_endpoint === undefined) return own;
  return { ...own, ...(await oidc.fetchUserInfo(config, tokens.access_token, subject)) };
}

/** The pure part. */
export function outsideOf(
  claims: Claims,
  id: string,
  { usernameClaim, groupsClaim }: Pick<OidcSettings, 'usernameClaim' | 'groupsClaim'>,
): Outside {
  const text = (claim: string): string | undefined => {
    const value = claims[claim];
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
  const given = claims[groupsClaim];
  const groups = (typeof given === 'string' ? [given] : Array.isArray(given) ? given : []).filter(
    (group): group is string => typeof group === 'string' && group !== '',
  );
  // What the provider has not verified may be anybody's.
  const email = claims.email_verified === false ? undefined : text('email');
  const displayName = text('name');
  return {
    id,
    username: text(usernameClaim) ?? email ?? id,
    ...(displayName !== undefined && { displayName }),
    ...(email !== undefined && { email }),
    groups: [...new Set(groups)].map((name) => ({ id: name, name })),
  };
}

/** What leads to no description, or to that of somebody else; undefined where nobody answers. */
function flawOfDescription(name: string, { issuer }: OidcSettings, error: unknown): RfoError | undefined {
  if (!(error instanceof oidc.ClientError)) return undefined;
  const address = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  const elsewhere = 'Set oidc.issuer to the address below which the provider has that document';
  const { code, cause } = error;
  if (code === 'OAUTH_JSON_ATTRIBUTE_COMPARISON_FAILED') {
    const said = issuerIn(cause);
    return unusable(
      name,
      `${address} is of the issuer ${said}, and not of ${issuer}`,
      `Set oidc.issuer to ${said}, if that is the one that you mean`,
    );
  }
  if (code === 'OAUTH_RESPONSE_IS_NOT_CONFORM' && cause instanceof Response) {
    const problem = `${address} answers with status ${cause.status}`;
    return cause.status < 500 ? unusable(name, problem, elsewhere) : fail('provider-unreachable', { provider: name, problem }, error);
  }
  return ['OAUTH_RESPONSE_IS_NOT_JSON', 'OAUTH_PARSE_ERROR', 'OAUTH_INVALID_RESPONSE'].includes(code ?? '')
    ? unusable(name, `${address} is no description of an OpenID provider`, elsewhere)
    : undefined;
}

const ofAnother = z.object({ body: z.object({ issuer: z.string() }) });

/** As openid-client has it with its error. */
function issuerIn(cause: unknown): string {
  const read = z.safeParse(ofAnother, cause);
  return read.success ? read.data.body.issuer.slice(0, 200) : 'somebody else';
}

/** A code that cannot exist: who knows the client refuses the code, who does not refuses the client (RFC 6749 §5.2). */
async function checkSecret(name: string, config: oidc.Configuration): Promise<void> {
  try {
    await oidc.genericGrantRequest(config, 'authorization_code', {
      code: 'rfo-checks-the-client',
      redirect_uri: 'https://rfo.invalid/',
      code_verifier: oidc.randomPKCECodeVerifier(),
    });
  } catch (error) {
    if (error instanceof oidc.ResponseBodyError && error.error !== 'invalid_client' && error.error !== 'unauthorized_client') return;
    if (error instanceof oidc.ResponseBodyError || error instanceof oidc.WWWAuthenticateChallengeError)
      throw unusable(name, 'it does not accept the client ID with this secret', 'Give the secret that belongs to oidc.clientId');
    throw error;
  }
}

function refused(provider: string, problem: string, cause?: unknown): RfoError {
  return fail('provider-refused', { provider, problem }, cause);
}

function unusable(provider: string, problem: string, cure: string): RfoError {
  return fail('provider-settings', { provider, problem, cure });
}

/** Whatever openid-client throws as an error of the table. What the provider says of the user is told, never what was sent. */
function errorOf(provider: string, error: unknown): RfoError {
  if (error instanceof RfoError) return error;
  if (error instanceof oidc.AuthorizationResponseError || error instanceof oidc.ResponseBodyError) {
    const more = error.error_description === undefined ? '' : ` (${error.error_description.slice(0, 200)})`;
    return refused(provider, `${error.error}${more}`, error);
  }
  const text = error instanceof Error ? error.message : String(error);
  // The network, or an answer that is not OpenID Connect: the deepest cause says it best.
  const cause = error instanceof Error && error.cause instanceof Error ? `${text}: ${error.cause.message}` : text;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return /^OAUTH_(JWT|INVALID_RESPONSE|KEY_SELECTION)/.test(code)
    ? refused(provider, cause, error)
    : fail('provider-unreachable', { provider, problem: cause }, error);
}
