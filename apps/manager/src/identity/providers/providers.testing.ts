/** For tests: GitHub's documented API and an OpenID provider that can be told to lie, each over TLS on loopback. */
import { createHmac, generateKeyPairSync, hash, type KeyObject, randomUUID, sign } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import { text } from 'node:stream/consumers';
import type { Life } from '@rfo/foundation';

type Certificate = { readonly cert: string; readonly key: string };
type Asked = { readonly url: URL; readonly form: URLSearchParams; readonly request: IncomingMessage };
type Answered = { readonly status?: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: unknown };

async function serve(certificate: Certificate, life: Life, answer: (asked: Asked) => Answered): Promise<string> {
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const form = new URLSearchParams(await text(request));
    const { status = 200, headers = {}, body } = answer({ url: new URL(request.url ?? '/', 'https://it'), form, request });
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body === undefined ? '' : JSON.stringify(body));
  };
  const server = createServer(certificate, (request, response) => void handle(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  life.defer(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return `https://127.0.0.1:${Object(server.address()).port}`;
}

const secret = 'the secret of the client';
export const client = { id: 'rfo', secret };

/** What it says is what stands here at that moment. */
export type Github = {
  readonly url: string;
  /** Where a browser comes to: what GitHub would lead it on to. */
  readonly authorize: (address: string) => URL;
  login: string;
  organisations: readonly string[];
  teams: readonly string[];
  scope: string;
  revoked: boolean;
};

/** https://docs.github.com/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps, https://docs.github.com/rest/users, /orgs, /teams */
export async function startGithub(certificate: Certificate, life: Life): Promise<Github> {
  const codes = new Map<string, { readonly challenge: string; readonly redirectUri: string }>();
  const tokens = new Set<string>();
  const grant = (form: URLSearchParams): Answered => {
    const code = codes.get(form.get('code') ?? '');
    codes.delete(form.get('code') ?? '');
    if (form.get('client_id') !== client.id || form.get('client_secret') !== secret)
      return { body: { error: 'incorrect_client_credentials' } };
    const proven = hash('sha256', form.get('code_verifier') ?? '', 'base64url') === code?.challenge;
    if (!proven || code?.redirectUri !== form.get('redirect_uri')) return { body: { error: 'bad_verification_code' } };
    const token = `gho_${randomUUID()}`;
    tokens.add(token);
    return { body: { access_token: token, token_type: 'bearer', scope: github.scope } };
  };
  /** A hundred a page, as it is asked for. */
  const page = (all: readonly unknown[], url: URL): Answered => {
    const number = Number(url.searchParams.get('page') ?? 1);
    const size = Number(url.searchParams.get('per_page') ?? 30);
    const next = number * size < all.length ? { link: `<${url.pathname}?page=${number + 1}>; rel="next"` } : {};
    return { headers: next, body: all.slice((number - 1) * size, number * size) };
  };
  const url = await serve(certificate, life, ({ url: { pathname }, url: asked, form, request }) => {
    const { authorization = '' } = request.headers;
    if (pathname === '/login/oauth/access_token') return grant(form);
    if (pathname === `/api/v3/applications/${client.id}/token`) {
      const basic = `Basic ${Buffer.from(`${client.id}:${secret}`).toString('base64')}`;
      return { status: authorization === basic ? 404 : 401, body: { message: 'no' } };
    }
    if (github.revoked || !tokens.has(authorization.replace(/^Bearer /, ''))) return { status: 401, body: { message: 'Bad credentials' } };
    if (pathname === '/api/v3/user') return { body: { id: 7, login: github.login, name: 'Ada', email: null } };
    if (pathname === '/api/v3/user/orgs')
      return page(
        github.organisations.map((login, id) => ({ id, login })),
        asked,
      );
    if (pathname === '/api/v3/user/teams')
      return page(
        github.teams.map((slug, id) => ({ id, slug, organization: { login: 'acme' } })),
        asked,
      );
    return { status: 404 };
  });
  const github: Github = {
    url,
    authorize: (address) => {
      const { searchParams } = new URL(address);
      const of = (name: string): string => searchParams.get(name) ?? '';
      const code = randomUUID();
      codes.set(code, { challenge: of('code_challenge'), redirectUri: of('redirect_uri') });
      const back = new URL(of('redirect_uri'));
      back.search = new URLSearchParams({ code, state: of('state') }).toString();
      return back;
    },
    ...{ login: 'Ada', organisations: ['acme'], teams: [], scope: 'read:org,read:user,user:email', revoked: false },
  };
  return github;
}

/** Claims and header of the next ID tokens, over those that would be right; a function makes them of those. */
type Lie = (token: { claims: Record<string, unknown>; header: Record<string, unknown> }) => { readonly key?: KeyObject | 'hmac' | 'none' };

export type Openid = {
  readonly url: string;
  readonly authorize: (address: string) => URL;
  claims: Record<string, unknown>;
  lie: Lie | undefined;
  /** Refresh tokens are answered by this. */
  refusal: string | undefined;
};

/** OpenID Connect Core 1.0 and Discovery 1.0, as far as a client of the code flow sees it. */
export async function startOpenid(certificate: Certificate, life: Life): Promise<Openid> {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'one', use: 'sig', alg: 'RS256' };
  const codes = new Map<string, { readonly challenge: string; readonly nonce: string }>();
  const idToken = (nonce: string | undefined): string => {
    const now = Math.floor(Date.now() / 1000);
    const token = {
      header: { alg: 'RS256', kid: 'one' } as Record<string, unknown>,
      claims: { iss: url, aud: client.id, iat: now, exp: now + 300, ...(nonce !== undefined && { nonce }), ...openid.claims } as Record<
        string,
        unknown
      >,
    };
    const { key = privateKey } = openid.lie?.(token) ?? {};
    const content = [token.header, token.claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
    if (key === 'none') return `${content}.`;
    if (key === 'hmac') return `${content}.${createHmac('sha256', secret).update(content).digest('base64url')}`;
    return `${content}.${sign('sha256', Buffer.from(content), key).toString('base64url')}`;
  };
  const grant = (form: URLSearchParams, authorization: string): Answered => {
    if (authorization !== `Basic ${Buffer.from(`${client.id}:${encodeURIComponent(secret).replaceAll('%20', '+')}`).toString('base64')}`)
      return { status: 401, body: { error: 'invalid_client' } };
    const common = { access_token: randomUUID(), token_type: 'bearer', expires_in: 300 };
    if (form.get('grant_type') === 'refresh_token') {
      if (openid.refusal !== undefined) return { status: 400, body: { error: openid.refusal } };
      return { body: { ...common, refresh_token: 'again', id_token: idToken(undefined) } };
    }
    const code = codes.get(form.get('code') ?? '');
    codes.delete(form.get('code') ?? '');
    if (code === undefined || hash('sha256', form.get('code_verifier') ?? '', 'base64url') !== code.challenge)
      return { status: 400, body: { error: 'invalid_grant' } };
    return { body: { ...common, refresh_token: 'once', id_token: idToken(code.nonce) } };
  };
  const url = await serve(certificate, life, ({ url: { pathname }, form, request }) => {
    if (pathname === '/.well-known/openid-configuration')
      return {
        body: {
          issuer: url,
          authorization_endpoint: `${url}/authorize`,
          token_endpoint: `${url}/token`,
          jwks_uri: `${url}/keys`,
          response_types_supported: ['code'],
          subject_types_supported: ['public'],
          id_token_signing_alg_values_supported: ['RS256'],
          scopes_supported: ['openid', 'offline_access'],
        },
      };
    if (pathname === '/keys') return { body: { keys: [jwk] } };
    if (pathname === '/token') return grant(form, request.headers.authorization ?? '');
    return { status: 404 };
  });
  const openid: Openid = {
    url,
    authorize: (address) => {
      const { searchParams } = new URL(address);
      const of = (name: string): string => searchParams.get(name) ?? '';
      const code = randomUUID();
      codes.set(code, { challenge: of('code_challenge'), nonce: of('nonce') });
      const back = new URL(of('redirect_uri'));
      back.search = new URLSearchParams({ code, state: of('state') }).toString();
      return back;
    },
    ...{ claims: { sub: 's-1', preferred_username: 'Ada', groups: ['builders'] }, lie: undefined, refusal: undefined },
  };
  return openid;
}
