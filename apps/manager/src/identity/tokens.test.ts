/** Tokens and sessions over their life, with two replicas of the manager over one real API server. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { Life } from '@rfo/foundation';
import { renderEntries, secretKind } from '@rfo/kube';
import type { Caller } from './caller.ts';
import { type Lab, type Replica, revoked, someone, startLab, until } from './identity.testing.ts';
import type { SignedIn } from './sign-in.ts';
import { formatCredential, makeCredential } from './token-format.ts';

const timeout = 30_000;
const [minute, hour, day] = [60, 3600, 86_400];

describe('tokens', { timeout: 110_000 }, () => {
  let lab: Lab;
  let one: Replica;
  let other: Replica;
  before(async () => {
    lab = await startLab();
    [one, other] = await Promise.all([lab.open(), lab.open()]);
  });
  after(() => lab?.stop());
  // The API server has the time of day.
  beforeEach(() => lab.clock.reset());

  const session = async (groups: readonly string[] = []): Promise<SignedIn> => {
    const request = someone();
    await one.identity.createUser({ ...request, groups, mustChange: false });
    return await one.identity.signIn(request);
  };
  const bearer = (credential: string) => ({ authorization: `Bearer ${credential}` });
  const basic = (credential: string) => ({ authorization: `Basic ${Buffer.from(`kubectl:${credential}`).toString('base64')}` });
  const lifetime = (expiresAt: string) => Math.round((Date.parse(expiresAt) - lab.clock.now()) / 1000 / minute) * minute;

  it('of the administrator need no more than a replica that goes on where another died', { timeout }, async () => {
    const namespace = 'rfo-system';
    const password = 'of-one-that-died-here';
    await lab.cluster.client.create({
      ...secretKind,
      metadata: { name: 'rfo-administrator', namespace },
      data: renderEntries({ username: 'admin', password }),
    });
    const spec = { username: 'admin', enabled: true };
    await one.objects.users.create({ metadata: { name: 'admin' }, spec });
    assert.deepEqual(await other.identity.ensureAdministrator(), { password });
    const request = { username: 'admin', password, address: '10.9.0.1' };
    const { caller } = await other.identity.signIn({ ...request, newPassword: 'one of my own choice' });
    assert.equal(caller.user, 'admin');
    assert.equal(other.objects.globalRoleBindings.by('subject', 'User/admin').length, 1);
  });

  it('are taken as a bearer and as the password of Basic, and not in the place of a session', { timeout }, async () => {
    const { caller: user } = await session(['ops']);
    const { token, credential } = await one.identity.createToken({ caller: user, kind: 'api', description: 'nightly job' });
    assert.ok(!JSON.stringify(token).includes(credential.slice(-64)));
    assert.equal(lifetime(token.spec.expiresAt), 30 * day);
    const caller = { ...user, token: { id: token.metadata.name, kind: 'api', readOnly: false } };
    assert.deepEqual(await other.identity.authenticate(bearer(credential)), caller);
    assert.deepEqual(await other.identity.authenticate(basic(credential)), caller);
    assert.deepEqual(caller.groups, ['ops']);
    const cookie = { cookie: `__Host-rfo-session=${credential}` };
    await assert.rejects(other.identity.authenticate(cookie, { method: 'GET' }), { code: 'credentials-refused' });
  });

  it('are refused with the same words whatever is wrong with them', { timeout }, async () => {
    const { caller, credential } = await session();
    const [, id = '', secret = ''] = credential.split('_');
    const strange = makeCredential();
    const flipped = secret.replace(/.$/, (last) => (last === '0' ? '1' : '0'));
    const good = `__Host-rfo-session=${credential}`;
    const messages = new Set<string>();
    for (const headers of [
      bearer(`rfo_${id}_${flipped}`),
      bearer(`rfo_${strange.id}_${secret}`),
      bearer(formatCredential(strange)),
      bearer(`${credential}0`),
      bearer(`rfo_../${id}_${secret}`),
      bearer('eyJhbGciOiJSUzI1NiJ9.e30.c2ln'),
      { authorization: '' },
      { authorization: credential },
      { authorization: 'Bearer' },
      { authorization: 'Basic !!!' },
      { authorization: `Digest ${credential}` },
      // A cookie does not stand in for it.
      { ...bearer('wrong'), cookie: good },
      { cookie: `${good}; ${good}` },
      { cookie: '__Host-rfo-session=' },
    ]) {
      await one.identity.authenticate(headers, { method: 'GET' }).then(
        () => assert.fail(JSON.stringify(headers)),
        (error: Error) => messages.add(error.message),
      );
    }
    assert.equal(messages.size, 1, [...messages].join('\n'));
    await assert.rejects(one.identity.authenticate({ cookie: 'theme=dark' }), { code: 'not-signed-in' });
    assert.equal((await one.identity.authenticate(bearer(credential))).user, caller.user);
  });

  it('never reach further than what they are made with', { timeout }, async () => {
    const { caller } = await session();
    const make = (by: Caller, more: object = {}) => one.identity.createToken({ caller: by, kind: 'api', ...more });
    const callerOf = async (credential: string) => await one.identity.authenticate(bearer(credential));
    const narrow = await make(caller, { clusters: ['east', 'west'], readOnly: true, seconds: hour });
    const by = await callerOf(narrow.credential);
    assert.deepEqual(by.token, { id: narrow.token.metadata.name, kind: 'api', clusters: ['east', 'west'], readOnly: true });

    const child = await callerOf((await make(by)).credential);
    assert.deepEqual({ ...child.token, id: '' }, { ...by.token, id: '' });
    const last = one.objects.tokens.get(child.token.id)?.spec.expiresAt ?? '';
    assert.ok(last <= narrow.token.spec.expiresAt, last);
    assert.deepEqual((await callerOf((await make(by, { clusters: ['west'], readOnly: false })).credential)).token.clusters, ['west']);
    for (const [maker, wish] of [
      [by, { clusters: ['north'] }],
      [by, { clusters: ['west', 'north'] }],
      [by, { seconds: 2 * hour }],
      [caller, { clusters: [] }],
      [caller, { seconds: 91 * day }],
      [caller, { seconds: 0 }],
      [caller, { seconds: -1 }],
      [caller, { seconds: Number.NaN }],
    ] as const) {
      await assert.rejects(make(maker, wish), { code: 'access-token-wish' }, JSON.stringify(wish));
    }
  });

  it('of a user who is disabled or leaves a group are revoked at every replica', { timeout }, async () => {
    const { caller, credential } = await session(['ops']);
    const token = await one.identity.createToken({ caller, kind: 'kubeconfig' });
    const there = await other.identity.authenticate(bearer(token.credential));
    assert.equal(other.identity.isRevoked(there), false);

    let gone = [revoked(one, caller), revoked(other, there)];
    await one.objects.users.patch(caller.user, { spec: { groups: ['field'] } });
    await Promise.all(gone);
    assert.ok(other.identity.isRevoked(there));
    const regrouped = await other.identity.authenticate(bearer(token.credential));
    assert.deepEqual(regrouped.groups, ['field']);
    assert.equal(other.identity.isRevoked(regrouped), false);

    gone = [revoked(one, caller), revoked(other, regrouped)];
    await one.identity.disable(caller.user);
    await Promise.all(gone);
    for (const { identity } of [one, other]) {
      assert.ok(identity.isRevoked(regrouped));
      for (const each of [credential, token.credential])
        await assert.rejects(identity.authenticate(bearer(each)), { code: 'credentials-refused' });
    }
    await one.identity.enable(caller.user);
    await one.identity.authenticate(bearer(token.credential));
    // The session is gone for good.
    await assert.rejects(one.identity.authenticate(bearer(credential)), { code: 'credentials-refused' });
    await assert.rejects(one.identity.disable('nobody'), { code: 'user-unknown' });
  });

  it('that are deleted or narrowed, or whose user is, are revoked at every replica', { timeout }, async () => {
    const { caller } = await session();
    const make = async () => {
      const { token, credential } = await one.identity.createToken({ caller, kind: 'api' });
      return { credential, id: token.metadata.name, there: await other.identity.authenticate(bearer(credential)) };
    };
    const [deleted, narrowed, orphan] = [await make(), await make(), await make()];
    let gone = revoked(other, deleted.there);
    await one.identity.deleteToken(deleted.id);
    await gone;
    await assert.rejects(other.identity.authenticate(bearer(deleted.credential)), { code: 'credentials-refused' });
    await assert.rejects(one.identity.deleteToken(deleted.id), { code: 'access-token-unknown' });

    gone = revoked(other, narrowed.there);
    await one.objects.tokens.patch(narrowed.id, { spec: { readOnly: true } });
    await gone;
    assert.equal((await other.identity.authenticate(bearer(narrowed.credential))).token.readOnly, true);

    gone = revoked(other, orphan.there);
    await one.identity.deleteUser(caller.user);
    await gone;
    await assert.rejects(other.identity.authenticate(bearer(orphan.credential)), { code: 'credentials-refused' });
    assert.deepEqual(one.objects.tokens.by('user', caller.user), []);
    await assert.rejects(one.identity.deleteUser(caller.user), { code: 'user-unknown' });
  });

  it('end what is open when their time is over', { timeout }, async () => {
    const { caller } = await session();
    const { credential } = await one.identity.createToken({ caller, kind: 'api', seconds: 1 });
    const there = await other.identity.authenticate(bearer(credential));
    await Promise.all([revoked(one, there), revoked(other, there)]);
    assert.ok(other.identity.isRevoked(there));
    await assert.rejects(other.identity.authenticate(bearer(credential)), { code: 'session-ended' });
  });

  it('keep to the settings of now, whatever they were made for', { timeout }, async () => {
    const { caller } = await session();
    const { token, credential } = await one.identity.createToken({ caller, kind: 'api', seconds: day });
    await one.objects.settings.create({ metadata: { name: 'token-max-ttl' }, spec: { value: '1h30m' } });
    await assert.rejects(one.identity.createToken({ caller, kind: 'api', seconds: 2 * hour }), { code: 'access-token-wish' });
    assert.equal(lifetime((await one.identity.createToken({ caller, kind: 'api' })).token.spec.expiresAt), 1.5 * hour);
    const by = await one.identity.authenticate(bearer(credential));
    lab.clock.forward(2 * hour);
    await assert.rejects(one.identity.authenticate(bearer(credential)), { code: 'session-ended' });
    assert.ok(one.identity.isRevoked(by));

    await one.objects.settings.patch('token-max-ttl', { spec: { value: 'for ever' } });
    await one.identity.authenticate(bearer(credential));
    assert.equal(one.lines.filter((line) => /a setting has no usable value .*for ever/.test(line)).length, 1);
    await one.objects.settings.delete('token-max-ttl');
    assert.equal(lifetime(token.spec.expiresAt), day - 2 * hour);
  });

  it('are noted as used once a minute, however often and wherever they are used', { timeout }, async () => {
    const { caller } = await session();
    const { token, credential } = await one.identity.createToken({ caller, kind: 'api' });
    const id = token.metadata.name;
    const seen: (string | undefined)[] = [];
    const undo = one.objects.tokens.onChange((name, now) => name === id && seen.push(now?.status?.lastUsed));
    const useOften = async () => {
      for (let time = 0; time < 50; time++)
        await Promise.all([one, other].map(({ identity }) => identity.authenticate(bearer(credential))));
    };
    const noted = (times: number) => until(one.objects.tokens.onChange, () => seen.length >= times);
    await useOften();
    await noted(1);
    await useOften();
    lab.clock.forward(61);
    const second = new Date(lab.clock.now()).toISOString();
    await useOften();
    await noted(2);
    lab.clock.forward(61);
    await useOften();
    await noted(3);
    assert.equal(seen.length, 3);
    assert.ok((seen[0] ?? '') < second && second <= (seen[1] ?? ''), seen.join());
    undo();
  });

  it('of sessions end when they are not used, and at the latest after their longest time', { timeout }, async () => {
    const [used, idle] = [await session(), await session()];
    const use = (replica: Replica, { credential }: SignedIn) => replica.identity.authenticate(bearer(credential));
    lab.clock.forward(119 * minute);
    const at = new Date(lab.clock.now()).toISOString();
    await use(one, used);
    const { id } = used.caller.token;
    await until(other.objects.tokens.onChange, () => (other.objects.tokens.get(id)?.status?.lastUsed ?? '') >= at);
    lab.clock.forward(2 * minute);
    await assert.rejects(use(one, idle), { code: 'session-ended' });
    await use(other, used);
    for (let passed = 121; passed < 16 * 60; passed += 100) {
      await use(one, used);
      lab.clock.forward(100 * minute);
    }
    await assert.rejects(use(one, used), { code: 'session-ended' });
  });

  it('are removed a day after their end by the replica that leads', { timeout }, async () => {
    const { caller } = await session();
    const [brief, long] = [
      await one.identity.createToken({ caller, kind: 'api', seconds: hour }),
      await one.identity.createToken({ caller, kind: 'api', seconds: 3 * day }),
    ];
    lab.clock.forward(2 * day);
    const leading = new Life();
    const led = one.identity.lead(leading);
    const { tokens } = other.objects;
    await until(tokens.onChange, () => tokens.get(brief.token.metadata.name) === undefined && tokens.get(caller.token.id) === undefined);
    await leading.end();
    await led;
    assert.ok(tokens.get(long.token.metadata.name));
    await other.identity.authenticate(bearer(long.credential));
  });

  it('of sessions make room for new ones, the oldest first', { timeout }, async () => {
    const request = someone();
    await one.identity.createUser({ ...request, mustChange: false });
    const first = await one.identity.signIn(request);
    const second = await one.identity.signIn(request);
    const gone = revoked(other, first.caller);
    for (let number = 3; number <= 51; number++) await one.identity.signIn(request);
    await gone;
    assert.equal(one.objects.tokens.by('user', first.caller.user).length, 50);
    await other.identity.authenticate(bearer(second.credential));
  });

  it('that nobody has made are looked up only so often', { timeout }, async () => {
    const { credential } = await session();
    const tries = Array.from({ length: 300 }, () => one.identity.authenticate(bearer(formatCredential(makeCredential()))));
    const codes = (await Promise.allSettled(tries)).map((end) =>
      end.status === 'rejected' ? (end.reason as { code?: string }).code : 'in',
    );
    assert.deepEqual([...new Set(codes)].sort(), ['credentials-refused', 'server-overloaded']);
    await one.identity.authenticate(bearer(credential));
  });

  it('are taken while the Kubernetes API is away, and nobody is locked out by its absence', { timeout }, async () => {
    const request = someone();
    await one.identity.createUser({ ...request, mustChange: false });
    const { credential } = await one.identity.signIn(request);
    await lab.cluster.killApiServer();
    await one.identity.authenticate(bearer(credential));
    for (let number = 1; number <= 6; number++) await assert.rejects(one.identity.signIn(request), { code: 'kube-unreachable' });
    await lab.cluster.startApiServer();
    await one.identity.signIn(request);
  });
});
