/** Signing in, with two replicas of the manager over one real API server. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import type { RfoError } from '@rfo/foundation';
import { readEntry, type Secret, secretKind, watch } from '@rfo/kube';
import { keyOfUser } from './attempt-counts.ts';
import { type Lab, type Replica, revoked, someone, startLab, until } from './identity.testing.ts';

const timeout = 30_000;

describe('signing in', { timeout: 110_000 }, () => {
  let lab: Lab;
  let one: Replica;
  let other: Replica;
  before(async () => {
    lab = await startLab();
    [one, other] = await Promise.all([lab.open(), lab.open()]);
  });
  after(() => lab?.stop());
  beforeEach(() => lab.clock.reset());

  /** A user whom both replicas know. */
  const person = async (more: { readonly mustChange?: boolean } = {}) => {
    const given = someone();
    const { username, password } = given;
    const user = await one.identity.createUser({ username, password, mustChange: false, ...more });
    await until(other.objects.users.onChange, () => other.objects.users.get(user.metadata.name) !== undefined);
    return { ...given, name: user.metadata.name };
  };
  const refusal = (trying: Promise<unknown>): Promise<string> =>
    trying.then(
      () => assert.fail('it was let in'),
      (error: RfoError) => error.message,
    );
  const watchCounts = (signal: AbortSignal) => {
    const selection = { namespace: 'rfo-system', labelSelector: 'rfo.io/failed-sign-ins' };
    return watch<Secret>({ client: lab.cluster.client, kind: secretKind, ...selection, signal, onError: () => undefined });
  };
  /** Resolves when the API has so many failures of the user. */
  const shared = async (username: string, failures: number, signal: AbortSignal): Promise<void> => {
    for await (const item of watchCounts(signal)) {
      if (item.type !== 'added' && item.type !== 'modified') continue;
      const counts = JSON.parse(readEntry(item.object, 'counts') ?? '') as Record<string, readonly number[]>;
      if (counts[keyOfUser(username)]?.[0] === failures) return;
    }
    throw signal.reason;
  };
  const passwordSecret = (user: string) =>
    lab.cluster.client.get<Secret>({ ...secretKind, namespace: 'rfo-system', name: `rfo-password-${user}` });

  it('begins with one administrator, whose one-time password has to be changed, however many replicas start', { timeout }, async () => {
    const made = await Promise.all([one.identity.ensureAdministrator(), other.identity.ensureAdministrator()]);
    const password = made[0].password ?? '';
    assert.match(password, /^[a-z2-9]{5}(-[a-z2-9]{5}){3}$/);
    assert.deepEqual(made[1], { password });
    const admin = { username: 'admin', password, address: '10.9.0.1' };
    await assert.rejects(one.identity.signIn(admin), { code: 'password-must-change' });
    for (const newPassword of ['too short', password, 'x'.repeat(300)]) {
      await assert.rejects(one.identity.signIn({ ...admin, newPassword }), { code: 'password-weak' }, newPassword);
    }
    assert.deepEqual(await other.identity.ensureAdministrator(), { password });

    const newPassword = 'a longer one of mine';
    const { caller } = await one.identity.signIn({ ...admin, newPassword });
    assert.equal(caller.user, 'admin');
    const bindings = one.objects.globalRoleBindings.by('subject', 'User/admin');
    assert.deepEqual(
      bindings.map(({ spec }) => spec.role),
      ['administrator'],
    );
    await assert.rejects(other.identity.signIn(admin), { code: 'credentials-refused' });
    assert.equal((await other.identity.signIn({ ...admin, password: newPassword })).caller.user, 'admin');
    assert.deepEqual(await one.identity.ensureAdministrator(), {});
    const kept = await lab.cluster.client.get<Secret>({ ...secretKind, namespace: 'rfo-system', name: 'rfo-administrator' });
    assert.equal(readEntry(kept, 'password'), undefined);

    await one.identity.deleteUser('admin');
    assert.deepEqual(await one.identity.ensureAdministrator(), {});
    assert.equal(one.objects.users.get('admin'), undefined);
  });

  it('says the same whatever is wrong', { timeout }, async () => {
    const known = await person();
    const disabled = await person();
    await one.identity.disable(disabled.name);
    const without = someone();
    await one.identity.createUser({ username: without.username });
    const wrong = [
      { ...known, password: 'not the right one' },
      { ...known, password: '' },
      { ...known, password: known.password.repeat(100) },
      { ...known, provider: 'nobody' },
      disabled,
      without,
      someone(),
      { ...known, username: 'a/../b', password: 'x' },
    ];
    const messages = await Promise.all(wrong.map((request) => refusal(one.identity.signIn(request))));
    assert.equal(new Set(messages).size, 1, messages.join('\n'));
    assert.match(messages[0] ?? '', /^the credentials are not accepted/);
  });

  it('takes as long for a user that does not exist', { timeout }, async () => {
    const cost = { ln: 13, r: 8, p: 1 };
    const replica = await lab.open({ cost });
    const [known, unknown] = [someone(), someone()];
    await replica.identity.createUser({ username: known.username, password: known.password, mustChange: false });
    const times: [number[], number[]] = [[], []];
    for (const round of [1, 2, 3, 4]) {
      for (const [at, { username }] of [known, unknown].entries()) {
        const began = performance.now();
        await replica.identity.signIn({ username, password: 'not the right one', address: `10.8.${at}.${round}` }).catch(() => undefined);
        times[at]?.push(performance.now() - began);
      }
    }
    const [real, none] = times.map((list) => Math.min(...list));
    assert.ok(none !== undefined && real !== undefined && none > real / 2, `${none} ms against ${real} ms`);
    await replica.end();
  });

  it('opens a session that counts at every replica at once, until it is signed out', { timeout }, async () => {
    const { name, ...request } = await person();
    const { caller, cookie, credential, csrf, idleSeconds } = await one.identity.signIn(request);
    assert.match(cookie, /^__Host-rfo-session=rfo_[a-z2-9]{12}_[0-9a-f]{64}; Path=\/; Max-Age=57600; Secure; HttpOnly; SameSite=Lax$/);
    assert.deepEqual(caller, {
      user: name,
      username: request.username,
      groups: [],
      token: { id: caller.token.id, kind: 'session', readOnly: false },
      provider: 'local',
    });
    assert.equal(idleSeconds, 7200);
    const headers = { cookie: `theme=dark; ${cookie.split(';')[0]}`, host: 'rfo.example' };
    const get = { method: 'GET' };
    assert.deepEqual(await other.identity.authenticate(headers, get), caller);
    assert.deepEqual(await other.identity.authenticate({ authorization: `Bearer ${credential}` }), caller);
    assert.equal(other.identity.csrfToken(headers), csrf);
    assert.equal(one.objects.users.get(name)?.status?.lastLogin?.slice(0, 10), new Date().toISOString().slice(0, 10));

    const gone = [revoked(one, caller), revoked(other, caller)];
    assert.match(await other.identity.signOut(caller), /^__Host-rfo-session=; .*Max-Age=0;/);
    await Promise.all(gone);
    for (const { identity } of [one, other]) {
      assert.ok(identity.isRevoked(caller));
      await assert.rejects(identity.authenticate(headers, get), { code: 'credentials-refused' });
    }
  });

  it('lets no page of another site use the session', { timeout }, async () => {
    const { cookie, csrf } = await one.identity.signIn(await person());
    const [pair = ''] = cookie.split(';');
    const own = { cookie: pair, host: 'rfo.example' };
    const post = { method: 'POST' };
    const ask = (headers: Record<string, string>, options?: { method: string }) =>
      one.identity.authenticate({ ...own, ...headers }, options);
    const good = { 'x-rfo-csrf': csrf };
    await ask(good, post);
    await ask({ ...good, origin: 'https://rfo.example' }, post);
    await ask({ origin: 'https://rfo.example', upgrade: 'websocket' }, { method: 'GET' });
    for (const [headers, options] of [
      [{}, post],
      [{ 'x-rfo-csrf': '' }, post],
      [{ 'x-rfo-csrf': `${csrf.slice(0, -1)}_` }, post],
      [{ ...good, origin: 'https://other.example' }, post],
      [{ ...good, origin: 'http://rfo.example' }, post],
      [{ ...good, origin: 'null' }, post],
      [{}, { method: 'get ' }],
      [{}, undefined],
      [{ upgrade: 'websocket' }, { method: 'GET' }],
      [{ upgrade: 'websocket', origin: 'https://other.example' }, { method: 'GET' }],
    ] as const) {
      await assert.rejects(ask(headers, options), { code: 'csrf-refused' }, JSON.stringify([headers, options]));
    }
    await one.objects.settings.create({ metadata: { name: 'server-url' }, spec: { value: 'https://public.example' } });
    await ask({ ...good, origin: 'https://public.example' }, post);
    await one.objects.settings.delete('server-url');
  });

  it('is refused after five failures by every replica, also by one that starts later, and with the right password', {
    timeout,
  }, async ({ signal }) => {
    const request = await person();
    const wrong = { ...request, password: 'not the right one' };
    for (let failure = 1; failure <= 5; failure++) await assert.rejects(one.identity.signIn(wrong), { code: 'credentials-refused' });
    await assert.rejects(one.identity.signIn(request), { code: 'sign-in-limited' });
    await told('limited');
    await one.identity.signIn({ ...(await person()), address: request.address });

    await shared(request.username, 5, signal);
    const third = await lab.open();
    assert.match(await refusal(third.identity.signIn(request)), /^too many attempts to sign in have failed\. Try again in \d+ s/);
    await third.end();

    lab.clock.forward(61);
    await one.identity.signIn(request);
    // The success has wiped them out.
    for (let failure = 1; failure <= 4; failure++) await assert.rejects(one.identity.signIn(wrong), { code: 'credentials-refused' });
    await one.identity.signIn(request);

    async function told(result: string): Promise<void> {
      const events = one.events.filter((event) => event.username === request.username && event.result === result);
      assert.deepEqual(
        events.map(({ act, address }) => [act, address]),
        [['sign-in', request.address]],
      );
    }
  });

  it('has to wait just so for a name that nobody has', { timeout }, async () => {
    const request = someone();
    for (let failure = 1; failure <= 5; failure++) await assert.rejects(one.identity.signIn(request), { code: 'credentials-refused' });
    await assert.rejects(one.identity.signIn(request), { code: 'sign-in-limited' });
  });

  it('leaves no counts behind that count no longer', { timeout }, async ({ signal }) => {
    await assert.rejects(one.identity.signIn(someone()), { code: 'credentials-refused' });
    let there = 0;
    let third: Replica | undefined;
    for await (const item of watchCounts(signal)) {
      if (item.type === 'added') there++;
      if (item.type === 'deleted') there--;
      if (there === 0 && third !== undefined) break;
      if (there > 0 && third === undefined && item.type !== 'added') {
        lab.clock.forward(31 * 60);
        third = await lab.open();
      }
    }
    await third?.end();
  });

  it('is possible at once after an administrator has set a new password', { timeout }, async () => {
    const request = await person();
    for (let failure = 1; failure <= 5; failure++) await one.identity.signIn({ ...request, password: 'wrong' }).catch(() => undefined);
    await assert.rejects(one.identity.signIn(request), { code: 'sign-in-limited' });
    await one.identity.setPassword(request.name, 'another good one');
    const next = { ...request, password: 'another good one' };
    await assert.rejects(one.identity.signIn(next), { code: 'password-must-change' });
    await one.identity.signIn({ ...next, newPassword: 'chosen by myself' });
  });

  it('tries no more passwords of one user at once than may fail', { timeout }, async () => {
    const request = await person();
    const tries = Array.from({ length: 20 }, () => one.identity.signIn({ ...request, password: 'wrong' }));
    const codes = (await Promise.allSettled(tries)).map((end) => (end.status === 'rejected' ? (end.reason as RfoError).code : 'in'));
    assert.equal(codes.filter((code) => code === 'credentials-refused').length, 5, codes.join());
    assert.equal(codes.filter((code) => code === 'sign-in-limited').length, 15, codes.join());
  });

  it('ends other sessions when the password changes, and keeps the one that changed it', { timeout }, async () => {
    const request = await person();
    const [here, there] = [await one.identity.signIn(request), await other.identity.signIn(request)];
    const { caller } = here;
    const change = { caller, current: request.password, password: 'my very next one', address: request.address };
    await assert.rejects(one.identity.changePassword({ ...change, current: 'not the right one' }), { code: 'credentials-refused' });
    await assert.rejects(one.identity.changePassword({ ...change, password: request.username }), { code: 'password-weak' });
    const gone = revoked(other, there.caller);
    await one.identity.changePassword(change);
    await gone;
    await one.identity.authenticate({ authorization: `Bearer ${here.credential}` });
    await assert.rejects(other.identity.authenticate({ authorization: `Bearer ${there.credential}` }), { code: 'credentials-refused' });
    await assert.rejects(other.identity.signIn(request), { code: 'credentials-refused' });
  });

  it('renews a hash that was made with other parameters', { timeout }, async () => {
    const request = await person();
    assert.match(readEntry(await passwordSecret(request.name), 'hash') ?? '', /^\$scrypt\$ln=8,r=8,p=1\$/);
    const newer = await lab.open({ cost: { ln: 9, r: 8, p: 2 } });
    await newer.identity.signIn(request);
    await newer.end();
    assert.match(readEntry(await passwordSecret(request.name), 'hash') ?? '', /^\$scrypt\$ln=9,r=8,p=2\$/);
    await one.identity.signIn(request);
  });

  it('tells whoever keeps the audit who it was, and nothing that is secret', { timeout }, async () => {
    const request = await person();
    const { caller, credential } = await one.identity.signIn(request);
    await one.identity.signIn({ ...request, password: 'My-Other-Password-1' }).catch(() => undefined);
    await one.identity.signIn({ ...request, username: 'my-typed-password-9' }).catch(() => undefined);
    const events = one.events.filter(({ address }) => address === request.address);
    const about = { act: 'sign-in', address: request.address, provider: 'local' };
    const { name: user, username } = request;
    assert.deepEqual(events, [
      { ...about, result: 'done', user, username, token: caller.token.id },
      { ...about, result: 'refused', user, username },
      { ...about, result: 'refused' },
    ]);
    const written = JSON.stringify(one.events) + one.lines.join('');
    for (const secret of [credential.slice(-64), request.password, 'My-Other-Password-1', 'my-typed-password-9'])
      assert.ok(!written.includes(secret), secret);
  });

  it('lets of two users with one name at most one come into being', { timeout }, async () => {
    const { username } = someone();
    const both = await Promise.allSettled([one.identity.createUser({ username }), other.identity.createUser({ username })]);
    for (const end of both) if (end.status === 'rejected') assert.equal((end.reason as RfoError).code, 'username-taken');
    const made = both.filter(({ status }) => status === 'fulfilled').length;
    const list = await lab.cluster.client.list(
      { apiVersion: 'rfo.io/v1alpha1', kind: 'User' },
      { fieldSelector: `spec.username=${username}` },
    );
    assert.equal(list.items.length, made);
    assert.ok(made <= 1);
    const taken = await person();
    await assert.rejects(other.identity.createUser({ username: ` ${taken.username.toUpperCase()}` }), { code: 'username-taken' });
    for (const bad of ['', 'a b', 'a:b', '-a', 'x'.repeat(65)]) {
      await assert.rejects(one.identity.createUser({ username: bad }), { code: 'username-invalid' }, bad);
    }
  });
});
