// Providers that a browser is sent to, as an administrator sets them up over the REST interface: what is wrong is said, and nothing of it is kept.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { Life } from '@rfo/foundation';
import type { KubeObject } from '@rfo/kube';
import { makeAuthority } from '../clusters/clusters.testing.ts';
import { client, type Github, type Openid, startGithub, startOpenid } from '../identity/providers/providers.testing.ts';
import { type Answer, type ApiLab, startApiLab, type Wish } from './api.testing.ts';

const life = new Life();
const authority = makeAuthority();
let lab: ApiLab;
let openid: Openid;
let github: Github;
/** Answers what no provider does: by its path the description of `openid`, a page for people, and a failure. */
let strange: string;
before(async () => {
  lab = await startApiLab();
  openid = await startOpenid(authority.issue('openid'), life);
  github = await startGithub(authority.issue('github'), life);
  strange = await startStrange();
});
after(async () => {
  await life.end();
  await lab?.stop();
});

async function startStrange(): Promise<string> {
  const described = JSON.stringify({ issuer: openid.url, authorization_endpoint: `${openid.url}/authorize` });
  const server = createServer(authority.issue('strange'), ({ url = '', method }, response) => {
    if (url.startsWith('/copy/')) response.setHeader('content-type', 'application/json').end(described);
    else if (url.startsWith('/page/')) response.setHeader('content-type', 'text/html').end('<h1>Welcome</h1>');
    else if (url.startsWith('/broken/')) response.setHeader('content-type', 'application/json').end('{"issuer":');
    else response.writeHead(url.startsWith('/busy/') ? 503 : method === 'GET' ? 404 : 405).end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  life.defer(() => {
    server.closeAllConnections();
    server.close();
  });
  return `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const asAdmin = (wish: Omit<Wish, 'token'>): Promise<Answer> => lab.ask({ ...wish, token: lab.admin });
const common = { displayName: 'Corp', enabled: true, allowEverybody: true };
const reach = () => ({ clientId: client.id, caBundle: authority.ca });
const oidc = (settings: object = {}) => ({ ...common, type: 'oidc', oidc: { ...reach(), issuer: openid.url, ...settings } });
const hub = (settings: object = {}) => ({ ...common, type: 'github', github: { ...reach(), url: github.url, ...settings } });
const make = (spec: object, secret: string | undefined = client.secret): Promise<Answer> =>
  asAdmin({ method: 'POST', path: '/authProviders', body: { name: 'corp', spec, secret } });

/** Names of the Secrets of providers, and their contents. */
async function kept(): Promise<readonly unknown[]> {
  const secrets = { apiVersion: 'v1', kind: 'Secret' };
  const { items } = await lab.parts.client.list<KubeObject & { readonly data?: unknown }>(secrets, { namespace: 'rfo-system' });
  return items.filter(({ metadata }) => metadata.name.startsWith('rfo-auth-provider-')).map(({ metadata, data }) => [metadata.name, data]);
}

test('settings that lead to no provider, or not to this one, are refused with what to change, and nothing of them is kept', async () => {
  const nowhere = 'https://127.0.0.1:1';
  const proxy = 'http://127.0.0.1:1';
  const other = makeAuthority().ca;
  const broken = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
  const tries: readonly (readonly [number, string, RegExp, object, string?])[] = [
    [502, 'provider-unreachable', /127\.0\.0\.1:1.*ECONNREFUSED/, oidc({ issuer: nowhere })],
    [502, 'provider-unreachable', /127\.0\.0\.1:1/, oidc({ proxy })],
    [502, 'provider-unreachable', /certificate/, oidc({ caBundle: other })],
    [502, 'provider-unreachable', /503/, oidc({ issuer: `${strange}/busy` })],
    [400, 'provider-settings', /caBundle cannot be used: there is no certificate in it/, oidc({ caBundle: 'none' })],
    [400, 'provider-settings', /caBundle cannot be used/, oidc({ caBundle: broken })],
    [400, 'provider-settings', /is of the issuer https:\/\/127\.0\.0\.1:\d+, and not of .*\/copy/, oidc({ issuer: `${strange}/copy` })],
    [400, 'provider-settings', /\/page\/\.well-known\/openid-configuration is no description/, oidc({ issuer: `${strange}/page` })],
    [400, 'provider-settings', /is no description/, oidc({ issuer: `${strange}/broken` })],
    [400, 'provider-settings', /\/none\/\.well-known\/openid-configuration answers with status 404/, oidc({ issuer: `${strange}/none` })],
    [400, 'provider-settings', /does not sign ID tokens by ES256, but by RS256/, oidc({ algorithm: 'ES256' })],
    [400, 'provider-settings', /describes no end_session_endpoint/, oidc({ endSession: true })],
    [400, 'provider-settings', /does not accept the client ID with this secret/, oidc(), 'another secret'],
    [400, 'provider-settings', /does not accept the client ID with this secret/, oidc({ clientId: 'another' })],
    [400, 'api-request-invalid', /issuer/, oidc({ issuer: openid.url.replace('https', 'http') })],
    [400, 'api-request-invalid', /issuer/, oidc({ issuer: 'file:///etc/passwd' })],
    [400, 'api-request-invalid', /issuer/, oidc({ issuer: `${openid.url}?x=1` })],
    [400, 'api-request-invalid', /algorithm/, oidc({ algorithm: 'none' })],
    [400, 'api-request-invalid', /tokenUrl/, oidc({ tokenUrl: nowhere })],
    [400, 'provider-settings', /it has no settings under github/, { ...oidc(), type: 'github' }],
    [502, 'provider-unreachable', /127\.0\.0\.1:1/, hub({ url: nowhere })],
    [502, 'provider-unreachable', /certificate/, hub({ caBundle: other })],
    [502, 'provider-unreachable', /answers with status 503/, hub({ url: `${strange}/busy` })],
    [400, 'provider-settings', /\/none\/api\/v3 answers with status 405/, hub({ url: `${strange}/none` })],
    [400, 'provider-settings', /caBundle cannot be used/, hub({ caBundle: 'none' })],
    [400, 'provider-settings', /does not accept the client ID with this secret/, hub(), 'another secret'],
    [400, 'api-request-invalid', /url/, hub({ url: 'http://github.example.com' })],
  ];
  for (const [status, code, message, spec, secret] of tries) {
    const answer = await make(spec, secret);
    const { json, text } = answer;
    assert.deepEqual([answer.status, json.code], [status, code], text);
    assert.match(json.message, message);
    assert.ok(json.cure.length > 0 && !text.includes(secret ?? client.secret), text);
  }
  assert.deepEqual((await asAdmin({ path: '/authProviders' })).json.items, []);
  assert.deepEqual((await lab.ask({ path: '/signIn/providers' })).json.items, []);
  assert.deepEqual(await kept(), []);
});

test('one that has no secret where it needs one is refused as well', async () => {
  const answer = await asAdmin({ method: 'POST', path: '/authProviders', body: { name: 'corp', spec: hub() } });
  assert.deepEqual([answer.status, answer.json.code], [400, 'provider-settings'], answer.text);
  assert.match(answer.json.message, /it has no client secret/);
  assert.deepEqual(await kept(), []);
});

test('a change that does not work leaves the provider as it was, and its secret', async () => {
  const made = await make(oidc());
  assert.equal(made.status, 201, made.text);
  const { spec } = (await asAdmin({ path: '/authProviders/corp' })).json;
  const secrets = await kept();
  assert.equal(secrets.length, 1);
  const change = (settings: object, secret?: string): Promise<Answer> =>
    asAdmin({ method: 'PATCH', path: '/authProviders/corp', body: { spec: { oidc: settings }, secret } });
  const tries: readonly (readonly [string, RegExp, object, string?])[] = [
    ['provider-settings', /does not accept the client ID/, { clientId: 'another' }, client.secret],
    ['provider-settings', /does not accept the client ID/, {}, 'another secret'],
    ['provider-settings', /does not sign ID tokens by PS512/, { algorithm: 'PS512' }],
    ['provider-settings', /caBundle cannot be used/, { caBundle: 'none' }, client.secret],
    ['provider-secret-elsewhere', /another place/, { proxy: 'http://127.0.0.1:1' }],
    ['api-request-invalid', /never changes/, { issuer: `${openid.url}/` }, client.secret],
  ];
  for (const [code, message, settings, secret] of tries) {
    const { json, text } = await change(settings, secret);
    assert.equal(json.code, code, text);
    assert.match(json.message, message);
  }
  assert.deepEqual((await asAdmin({ path: '/authProviders/corp' })).json.spec, spec);
  assert.deepEqual(await kept(), secrets);
});
