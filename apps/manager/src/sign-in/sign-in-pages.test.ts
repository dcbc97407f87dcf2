/** Signing in by a browser, from the first page to the session: over a real API server and providers that answer over TLS. */
import assert from 'node:assert/strict';
import { generateKeyPairSync, hash } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { Life } from '@rfo/foundation';
import { makeAuthority } from '../clusters/clusters.testing.ts';
import { type Lab, type Replica, revoked, startLab } from '../identity/identity.testing.ts';
import { client, type Github, type Openid, startGithub, startOpenid } from '../identity/providers/providers.testing.ts';
import { type Browser, fieldIn, type Seen, servePages } from './sign-in.testing.ts';

const life = new Life();
const authority = makeAuthority();
let lab: Lab;
let one: Replica;
let other: Replica;
let github: Github;
let openid: Openid;
let origin = '';
let browser: () => Browser;
/** Another replica, on a port of its own. */
let browserOfOther: () => Browser;

before(async () => {
  lab = await startLab();
  [one, other] = [await lab.open(), await lab.open()];
  ({ origin, browser } = await servePages(one, life));
  ({ browser: browserOfOther } = await servePages(other, life));
  await one.objects.settings.create({ metadata: { name: 'server-url' }, spec: { value: origin } });
  github = await startGithub(authority.issue('github'), life);
  openid = await startOpenid(authority.issue('openid'), life);
  const allowed = { enabled: true, allowEverybody: true };
  for (const name of ['hub', 'corp', 'closed']) await one.identity.providers.setOfProvider(name, client.secret);
  const reach = { clientId: client.id, caBundle: authority.ca };
  const { authProviders } = one.objects;
  await authProviders.create({
    metadata: { name: 'hub' },
    spec: { type: 'github', displayName: 'The <b>Hub</b>', ...allowed, github: { ...reach, url: github.url } },
  });
  await authProviders.create({
    metadata: { name: 'corp' },
    spec: { type: 'oidc', displayName: 'Corp', ...allowed, oidc: { ...reach, issuer: openid.url } },
  });
  await authProviders.create({
    metadata: { name: 'closed' },
    spec: { type: 'oidc', displayName: 'Closed', enabled: true, allowedGroups: ['few'], oidc: { ...reach, issuer: openid.url } },
  });
});
after(async () => {
  await life.end();
  await Promise.all([one?.end(), other?.end()]);
  await lab?.stop();
});

const wish = { port: '40404', challenge: hash('sha256', 'v'.repeat(43), 'base64url'), state: 's'.repeat(16) };
const query = new URLSearchParams(wish).toString();

/** Out to the provider and back to the manager, in this browser. */
async function visit(person: Browser, provider: string, more = ''): Promise<Seen> {
  const out = await person.get(`/sign-in/to/${provider}${more}`);
  assert.equal(out.status, 303, out.body);
  const back = (provider === 'hub' ? github : openid).authorize(out.location);
  return await person.get(`${back.pathname}${back.search}`);
}

const hasSession = ({ cookies }: Browser): boolean => [...cookies.keys()].some((name) => name.includes('session'));
const callerOf = (person: Browser, replica = one) =>
  replica.identity.authenticate({ cookie: [...person.cookies].map(([name, value]) => `${name}=${value}`).join('; ') }, { method: 'GET' });

describe('the page for signing in', () => {
  it('is plain HTML that loads nothing, runs nothing and shows names of providers as text', async () => {
    const { status, headers, body } = await browser().get('/sign-in');
    assert.equal(status, 200);
    assert.match(
      String(headers['content-security-policy']),
      /^default-src 'none'; style-src 'sha256-[^']+'; form-action 'self'; frame-ancestors 'none'/,
    );
    assert.ok(!/<script|<b>|\son[a-z]+=/i.test(body), body);
    assert.match(body, /href="\/sign-in\/to\/hub">Sign in with The &#60;b&#62;Hub&#60;\/b&#62;</);
  });

  it('has exactly the style that its policy permits', async () => {
    const { headers, body } = await browser().get('/sign-in');
    const style = /<style>([\s\S]*?)<\/style>/.exec(body)?.[1] ?? '';
    assert.ok(String(headers['content-security-policy']).includes(`'sha256-${hash('sha256', style, 'base64')}'`));
  });

  it('signs out by its own form alone', async () => {
    const person = browser();
    await visit(person, 'hub');
    const page = await person.get('/sign-in');
    assert.equal((await person.post('/sign-in/out', { csrf: 'guessed' })).status, 403);
    await callerOf(person);
    const token = (await callerOf(person)).token.id;
    assert.equal((await person.post('/sign-in/out', { csrf: fieldIn(page, 'csrf') })).status, 303);
    assert.equal(one.objects.tokens.get(token), undefined);
  });
});

describe('a sign-in by GitHub', () => {
  it('makes a user in its organisations and teams, of all pages', async () => {
    github.teams = Array.from({ length: 130 }, (_, at) => `team-${at}`);
    const person = browser();
    assert.equal((await visit(person, 'hub')).location, '/sign-in');
    const caller = await callerOf(person);
    assert.deepEqual([caller.username, caller.provider, caller.groups.length], ['ada', 'hub', 131]);
    assert.ok(caller.groups.includes('hub:acme') && caller.groups.includes('hub:acme/team-129'));
    assert.deepEqual(one.objects.users.get(caller.user)?.spec.identities, [{ provider: 'hub', id: '7' }]);
  });

  it('finds the same user again, also under another name there', async () => {
    const [first, second] = [browser(), browser()];
    await visit(first, 'hub');
    github.login = 'Countess';
    await visit(second, 'hub');
    github.login = 'Ada';
    assert.equal((await callerOf(first)).user, (await callerOf(second)).user);
  });

  it('is refused where nobody could tell the groups', async () => {
    github.scope = 'read:user';
    const person = browser();
    const { status, body } = await visit(person, 'hub');
    github.scope = 'read:org';
    assert.equal(status, 403);
    assert.match(body, /read:org/);
    assert.ok(!hasSession(person));
  });

  it('is tried with its secret before it is relied on', async () => {
    const { spec } = one.objects.authProviders.get('hub') ?? assert.fail();
    const signal = AbortSignal.timeout(90_000);
    await one.identity.providers.check('hub', spec, client.secret, signal);
    await assert.rejects(one.identity.providers.check('hub', spec, 'another', signal), { code: 'provider-settings' });
    const elsewhere = { ...spec, github: { ...spec.github, clientId: 'rfo', url: 'https://127.0.0.1:1' } };
    await assert.rejects(one.identity.providers.check('hub', elsewhere, 'another', signal), { code: 'provider-unreachable' });
  });
});

describe('a sign-in by OpenID Connect', () => {
  it('never shares an account because two providers call somebody the same', async () => {
    const [by, there] = [browser(), browser()];
    await visit(by, 'hub');
    await visit(there, 'corp');
    const [first, second] = [await callerOf(by), await callerOf(there)];
    assert.deepEqual([first.username, second.username], ['ada', 'ada@corp']);
    assert.deepEqual(second.groups, ['corp:builders']);
  });

  it('goes on at another replica than where it began', async () => {
    const [begun, ended] = [browser(), browserOfOther()];
    const out = await begun.get('/sign-in/to/corp');
    for (const [name, value] of begun.cookies) ended.cookies.set(name, value);
    const back = openid.authorize(out.location);
    assert.equal((await ended.get(`${back.pathname}${back.search}`)).location, '/sign-in');
    assert.equal((await callerOf(ended, other)).provider, 'corp');
  });

  it('ends in no other browser than the one that began it, and once', async () => {
    const [mine, foreign] = [browser(), browser()];
    const out = await mine.get('/sign-in/to/corp');
    await foreign.get('/sign-in/to/corp');
    const back = openid.authorize(out.location);
    const path = `${back.pathname}${back.search}`;
    for (const person of [foreign, browser()]) {
      const lost = await person.get(path);
      assert.deepEqual([lost.status, /not begun in this browser/.test(lost.body)], [400, true]);
    }
    assert.equal((await mine.get(path.replace('/corp', '/closed'))).status, 400);
    assert.equal((await mine.get(path)).status, 303);
    assert.equal((await mine.get(path)).status, 400);
  });

  it('takes no longer than ten minutes', async () => {
    const person = browser();
    const out = await person.get('/sign-in/to/corp');
    const back = openid.authorize(out.location);
    lab.clock.forward(601);
    const { status } = await person.get(`${back.pathname}${back.search}`);
    lab.clock.reset();
    assert.equal(status, 400);
  });

  const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
  const lies: Readonly<Record<string, NonNullable<Openid['lie']>>> = {
    'another nonce': ({ claims }) => Object.assign(claims, { nonce: 'another' }) && {},
    'no nonce': ({ claims }) => Object.assign(claims, { nonce: undefined }) && {},
    'another issuer': ({ claims }) => Object.assign(claims, { iss: 'https://evil.example.com' }) && {},
    'another audience': ({ claims }) => Object.assign(claims, { aud: 'other' }) && {},
    'a minute after its end': ({ claims }) => Object.assign(claims, { exp: Date.now() / 1000 - 60, iat: Date.now() / 1000 - 360 }) && {},
    'the key of somebody else': () => ({ key: stranger }),
    'no signature': ({ header }) => Object.assign(header, { alg: 'none' }) && { key: 'none' },
    'the client secret as its key': ({ header }) => Object.assign(header, { alg: 'HS256' }) && { key: 'hmac' },
    'another algorithm of the same key': ({ header }) => Object.assign(header, { alg: 'RS512' }) && {},
    'nobody as its subject': ({ claims }) => Object.assign(claims, { sub: undefined }) && {},
  };
  for (const [what, lie] of Object.entries(lies)) {
    it(`is refused with an ID token of ${what}`, async () => {
      openid.lie = lie;
      const person = browser();
      const { status } = await visit(person, 'corp');
      openid.lie = undefined;
      assert.equal(status, 403);
      assert.ok(!hasSession(person));
    });
  }

  it('bears clocks that are some seconds apart', async () => {
    openid.lie = ({ claims }) => Object.assign(claims, { exp: Math.floor(Date.now() / 1000) - 10 }) && {};
    const { location } = await visit(browser(), 'corp');
    openid.lie = undefined;
    assert.equal(location, '/sign-in');
  });

  it('tells who is known there and not allowed here, and makes no user of him', async () => {
    const users = one.objects.users.list().length;
    const { status, body } = await visit(browser(), 'closed');
    assert.deepEqual([status, one.objects.users.list().length], [403, users]);
    assert.match(body, /not among those who may sign in/);
    assert.ok(one.events.some(({ act, result, provider }) => act === 'sign-in' && result === 'refused' && provider === 'closed'));
  });

  it('leads only to providers that there are, and nowhere that an address names', async () => {
    for (const path of ['/sign-in/to/nobody', '/sign-in/to/local']) assert.equal((await browser().get(path)).status, 404);
    const out = await browser().get('/sign-in/to/corp?return=https://evil.example.com&redirect_uri=https://evil.example.com');
    assert.equal(new URL(out.location).searchParams.get('redirect_uri'), `${origin}/sign-in/back/corp`);
    assert.ok(!out.location.includes('evil'));
  });
});

describe('a session for the command line', () => {
  const verifier = 'v'.repeat(43);
  const redeem = (code: string, by = verifier, replica = one) =>
    replica.identity.cliCodes.redeem({ code, verifier: by, address: '127.0.0.1' });
  const grant = async (person: Browser): Promise<string> => {
    const page = await person.get(`/sign-in/cli?${query}`);
    const { location } = await person.post('/sign-in/cli', { csrf: fieldIn(page, 'csrf'), ...wish });
    assert.ok(location.startsWith('http://127.0.0.1:40404/?'), location);
    const { searchParams } = new URL(location);
    assert.equal(searchParams.get('state'), wish.state);
    return searchParams.get('code') ?? '';
  };

  it('is asked for after the sign-in, and given only when the user says so', async () => {
    const person = browser();
    const { location } = await visit(person, 'corp', `?${query}`);
    assert.equal(location, `/sign-in/cli?${query}`);
    const page = await person.get(location);
    assert.match(String(page.headers['content-security-policy']), /form-action 'self' http:\/\/127\.0\.0\.1:40404;/);
    assert.equal((await person.post('/sign-in/cli', { csrf: 'guessed', ...wish })).status, 403);
    const { caller, credential } = await redeem(await grant(person));
    assert.equal(caller.username, 'ada@corp');
    assert.equal((await one.identity.authenticate({ authorization: `Bearer ${credential}` })).provider, 'corp');
  });

  it('is had once, by who began it, within a minute, and at any replica', async () => {
    const person = browser();
    await visit(person, 'corp');
    const code = await grant(person);
    const refused = { code: 'sign-in-code-refused' };
    await assert.rejects(redeem(code, 'w'.repeat(43)), refused);
    await assert.rejects(redeem(`${code.slice(0, -2)}AA`), refused);
    const outcomes = await Promise.allSettled([redeem(code), redeem(code, verifier, other), redeem(code)]);
    assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1);
    const late = await grant(person);
    lab.clock.forward(61);
    await assert.rejects(redeem(late), refused);
    lab.clock.reset();
  });

  it('is not had any more once the user has signed out', async () => {
    const person = browser();
    await visit(person, 'corp');
    const code = await grant(person);
    await one.identity.signOut(await callerOf(person));
    await assert.rejects(redeem(code), { code: 'credentials-refused' });
  });

  it('is asked for only by a port of this computer', async () => {
    for (const broken of ['port=evil.example.com', 'port=0', 'port=65536', 'port=80@evil'])
      assert.equal((await browser().get(`/sign-in?${query.replace('port=40404', broken)}`)).status, 400, broken);
  });
});

describe('what a provider says later', () => {
  /** One replica asks; `look` is what makes it ask at once. */
  const leading = async (act: () => Promise<void>): Promise<void> => {
    const term = life.child();
    const ended = one.identity.lead(term);
    try {
      await act();
    } finally {
      await term.end();
      await ended;
    }
  };
  let round = 0;
  const askAgain = (name: string) => one.objects.authProviders.patch(name, { spec: { allowedUsers: [`nobody-${++round}`] } });

  it('takes a group from sessions that are open, on every replica', async () => {
    const person = browser();
    await visit(person, 'corp');
    const caller = await callerOf(person, other);
    await leading(async () => {
      const told = [revoked(one, caller), revoked(other, caller)];
      openid.claims = { ...openid.claims, groups: ['guests'] };
      await askAgain('corp');
      await Promise.all(told);
    });
    assert.deepEqual((await callerOf(person)).groups, ['corp:guests']);
    assert.ok(one.identity.isRevoked(caller));
  });

  it('keeps who is gone there out of all that he had by it, until he comes back', async () => {
    const person = browser();
    await visit(person, 'corp');
    const caller = await callerOf(person);
    const { credential } = await one.identity.createToken({ caller, kind: 'api' });
    await leading(async () => {
      const told = revoked(one, caller);
      openid.refusal = 'invalid_grant';
      await askAgain('corp');
      await told;
    });
    openid.refusal = undefined;
    const refused = { code: 'credentials-refused' };
    await assert.rejects(callerOf(person), refused);
    await assert.rejects(one.identity.authenticate({ authorization: `Bearer ${credential}` }), refused);
    await visit(browser(), 'corp');
    await one.identity.authenticate({ authorization: `Bearer ${credential}` });
  });

  it('is not taken for an end of anybody when it cannot be asked', async () => {
    const person = browser();
    await visit(person, 'corp');
    const { user } = await callerOf(person);
    await leading(async () => {
      openid.refusal = 'temporarily_unavailable';
      const lines = one.lines.length;
      await askAgain('corp');
      while (!one.lines.slice(lines).some((line) => line.includes('was not asked again') && line.includes(user)))
        await new Promise(setImmediate);
    });
    openid.refusal = undefined;
    assert.equal((await callerOf(person)).user, user);
  });

  it('ends with the provider: who gets its name later finds nobody', async () => {
    const person = browser();
    await visit(person, 'corp');
    const caller = await callerOf(person);
    const { spec } = one.objects.authProviders.get('corp') ?? assert.fail();
    await leading(async () => {
      const gone = new Promise<void>((resolve) => {
        one.objects.users.onChange((name, now) => name === caller.user && now?.spec.identities.length === 0 && resolve());
      });
      const told = revoked(other, caller);
      await one.objects.authProviders.delete('corp');
      await Promise.all([told, gone]);
    });
    await one.objects.authProviders.create({ metadata: { name: 'corp' }, spec });
    await assert.rejects(callerOf(person), { code: 'credentials-refused' });
    await one.identity.providers.setOfProvider('corp', client.secret);
    const again = browser();
    await visit(again, 'corp');
    assert.notEqual((await callerOf(again)).user, caller.user);
  });
});
