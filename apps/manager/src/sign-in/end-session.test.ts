/** Signing out here and at the provider, which is the certified one of npm, over a real API server. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { after, before, it } from 'node:test';
import { Life } from '@rfo/foundation';
import Provider from 'oidc-provider';
import { makeAuthority } from '../clusters/clusters.testing.ts';
import { type Lab, type Replica, startLab } from '../identity/identity.testing.ts';
import { type Browser, fieldIn, type Seen, servePages } from './sign-in.testing.ts';

const life = new Life();
const provider = life.child();
const authority = makeAuthority();
const secret = 'the secret of the client rfo';
let lab: Lab;
let replica: Replica;
let origin = '';
let browser: () => Browser;
let issuer: string;

before(async () => {
  lab = await startLab();
  replica = await lab.open();
  ({ origin, browser } = await servePages(replica, life));
  await replica.objects.settings.create({ metadata: { name: 'server-url' }, spec: { value: origin } });
  issuer = await startProvider();
  const oidc = { issuer, clientId: 'rfo', caBundle: authority.ca };
  for (const [name, endSession] of [['corp', true] as const, ['quiet', false] as const]) {
    await replica.identity.providers.setOfProvider(name, secret);
    await replica.objects.authProviders.create({
      metadata: { name },
      spec: { type: 'oidc', displayName: name, enabled: true, allowEverybody: true, oidc: { ...oidc, endSession } },
    });
  }
});
after(async () => {
  await life.end();
  await replica?.end();
  await lab?.stop();
});

async function startProvider(): Promise<string> {
  const server = createServer(authority.issue('provider')).listen(0, '127.0.0.1');
  await once(server, 'listening');
  provider.defer(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  const address = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const openid = new Provider(address, {
    clients: [
      {
        client_id: 'rfo',
        client_secret: secret,
        redirect_uris: ['corp', 'quiet'].map((name) => `${origin}/sign-in/back/${name}`),
        post_logout_redirect_uris: [`${origin}/sign-in`],
      },
    ],
    claims: { openid: ['sub'], profile: ['name', 'preferred_username'], email: ['email'] },
    findAccount: (_, id) => ({ accountId: id, claims: async () => ({ sub: id, preferred_username: id, name: id }) }),
    cookies: { keys: ['of the test'] },
  });
  server.on('request', openid.callback());
  return address;
}

/** Somebody's cookies at the provider, and what it has asked him. */
type Visitor = { readonly jar: Map<string, string>; asked: string[] };

/** Goes from page to page there, and says yes to all that is asked, until it leads away. */
async function wander(visitor: Visitor, from: string): Promise<URL> {
  let [url, form]: [URL, URLSearchParams | undefined] = [new URL(from), undefined];
  for (let pages = 0; pages < 20; pages++) {
    const { location, body } = await visit(visitor, url, form);
    form = undefined;
    if (location !== undefined) {
      url = new URL(location, url);
      if (url.origin !== issuer) return url;
      continue;
    }
    const action = /<form[^>]* action="([^"]+)"/.exec(body)?.[1] ?? assert.fail(body);
    visitor.asked.push(/name="login"/.test(body) ? 'login' : /value="consent"/.test(body) ? 'consent' : 'logout');
    const hidden = [...body.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g)].map(([, name = '', value = '']) => [
      name,
      value,
    ]);
    form = new URLSearchParams([...hidden, ['login', 'ada'], ['password', 'any'], ['logout', 'yes']]);
    url = new URL(action, url);
  }
  return assert.fail(`it never leads away from ${url}`);
}

async function visit({ jar }: Visitor, url: URL, form?: URLSearchParams): Promise<{ location: string | undefined; body: string }> {
  const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
  const type = { 'content-type': 'application/x-www-form-urlencoded' };
  const sent = request(url, {
    ca: authority.ca,
    method: form === undefined ? 'GET' : 'POST',
    headers: { cookie, ...(form !== undefined && type) },
  });
  sent.end(form?.toString());
  const [answer] = await once(sent, 'response');
  for (const line of answer.headers['set-cookie'] ?? []) {
    const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
    if (value === '') jar.delete(name);
    else jar.set(name, value);
  }
  return { location: answer.headers.location, body: await text(answer) };
}

/** Gives what the provider has asked on the way. */
async function signIn(person: Browser, visitor: Visitor, provider: string): Promise<readonly string[]> {
  visitor.asked = [];
  const back = await wander(visitor, (await person.get(`/sign-in/to/${provider}`)).location);
  const { status, location, body } = await person.get(`${back.pathname}${back.search}`);
  assert.deepEqual([status, location], [303, '/sign-in'], body);
  return visitor.asked;
}

async function signOut(person: Browser): Promise<Seen> {
  return await person.post('/sign-in/out', { csrf: fieldIn(await person.get('/sign-in'), 'csrf') });
}

it('who signs out is led to the provider, which asks him, forgets him and leads him back', async () => {
  const [person, visitor]: [Browser, Visitor] = [browser(), { jar: new Map(), asked: [] }];
  assert.deepEqual(await signIn(person, visitor, 'corp'), ['login', 'consent']);
  assert.deepEqual(await signIn(person, visitor, 'corp'), [], 'it knows him still');
  const { status, headers, body } = await signOut(person);
  const there = new URL(/^0; url=(https:\S+)$/.exec(String(headers.refresh))?.[1] ?? assert.fail(body));
  assert.deepEqual([status, there.origin, body, person.cookies.size], [200, issuer, '', 0]);
  assert.deepEqual(
    [...there.searchParams],
    [
      ['post_logout_redirect_uri', `${origin}/sign-in`],
      ['client_id', 'rfo'],
    ],
  );
  visitor.asked = [];
  assert.equal((await wander(visitor, there.href)).href, `${origin}/sign-in`);
  assert.deepEqual(visitor.asked, ['logout']);
  assert.equal((await signIn(person, visitor, 'corp'))[0], 'login');
});

it('where the provider is not set so, signing out ends here, and it knows him still', async () => {
  const [person, visitor]: [Browser, Visitor] = [browser(), { jar: new Map(), asked: [] }];
  assert.equal((await signIn(person, visitor, 'quiet'))[0], 'login');
  const { status, location, headers } = await signOut(person);
  assert.deepEqual([status, location, headers.refresh], [303, '/sign-in', undefined]);
  assert.deepEqual(await signIn(person, visitor, 'quiet'), []);
});

it('such settings are tried as the others are', async () => {
  const { spec } = replica.objects.authProviders.get('corp') ?? assert.fail();
  await replica.identity.providers.check('corp', spec, secret, AbortSignal.timeout(90_000));
});

it('where the provider does not answer, who signs out is out here, and is told that he may not be there', async () => {
  const [person, visitor]: [Browser, Visitor] = [browser(), { jar: new Map(), asked: [] }];
  await signIn(person, visitor, 'corp');
  // One that has not read yet how the provider describes itself.
  const other = await lab.open();
  life.defer(() => other.end());
  const pages = await servePages(other, life);
  const elsewhere = pages.browser();
  for (const [name, value] of person.cookies) elsewhere.cookies.set(name, value);
  await provider.end();
  const csrf = fieldIn(await elsewhere.get('/sign-in'), 'csrf');
  const { status, body } = await elsewhere.post('/sign-in/out', { csrf }, { origin: pages.origin });
  assert.deepEqual([status, elsewhere.cookies.size], [502, 0]);
  assert.match(body, /provider-unreachable/);
  assert.match((await person.get('/sign-in')).body, /name="password"/);
});
