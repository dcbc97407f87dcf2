import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { createTestMembers, type EtcdClient, type TestMembers } from '@rfo/etcd';
import { bootstrapKey, openBootstrapData, resealBootstrapData, saveBootstrapData } from './bootstrap-vault.ts';
import type { Envelope } from './envelope.ts';

const [token, newer, newest] = ['first-secret-of-the-servers', 'second-secret-of-the-servers', 'third-secret-of-the-servers'];
const data = { 'tls/server-ca.key': Buffer.from('a private key').toString('base64'), 'cred/passwd': 'cHc=' };
const changed = { ...data, 'tls/server-ca.key': Buffer.from('another key').toString('base64') };
const now = Date.parse('2026-11-21T10:00:00Z');
const at = (time: number) => ({ now: () => time });

describe('the bootstrap data in etcd', { timeout: 300_000 }, () => {
  let members: TestMembers;
  let etcd: EtcdClient;
  before(async () => {
    members = await createTestMembers();
    const member = await members.start(await members.slot(), { name: 'one' });
    etcd = member.client;
    await etcd.health();
  });
  after(() => members?.stop());
  beforeEach(() => etcd.delete(bootstrapKey));

  const stored = async (): Promise<Buffer> => {
    const found = await etcd.get(bootstrapKey);
    assert.ok(found);
    return found.value;
  };
  const opened = async (with_: string) => openBootstrapData({ record: await stored(), token: with_ });
  const refused = { code: 'bootstrap-locked', message: /^(?!.*(secret|key)).*cannot be opened with this token/s };

  it('comes back with the token, and with no other', async () => {
    assert.equal(await saveBootstrapData({ etcd, token, data }), true);
    assert.deepEqual(await opened(token), data);
    await assert.rejects(opened(`${token} `), refused);
  });

  it('shows nothing of the files, their names or the token', async () => {
    await saveBootstrapData({ etcd, token, data });
    const text = (await stored()).toString();
    for (const word of ['server-ca', 'passwd', 'private', data['tls/server-ca.key'], token]) {
      assert.ok(!text.includes(word) && !text.includes(Buffer.from(word).toString('base64')), word);
    }
  });

  it('is sealed by a slow function under a salt of its own each time', async () => {
    const kdfs: Envelope['keys'][number]['kdf'][] = [];
    for (const _ of [1, 2]) {
      await etcd.delete(bootstrapKey);
      await saveBootstrapData({ etcd, token, data });
      kdfs.push(...(JSON.parse((await stored()).toString()) as Envelope).keys.map(({ kdf }) => kdf));
    }
    const [one, other] = kdfs;
    assert.deepEqual([one?.n, one?.r, one?.p, Buffer.from(one?.salt ?? '', 'base64').length], [131_072, 8, 1, 16]);
    assert.notEqual(one?.salt, other?.salt);
  });

  it('is never sealed with an empty token', async () => {
    for (const empty of ['', ' ']) {
      await assert.rejects(saveBootstrapData({ etcd, token: empty, data }), { code: 'token-malformed', message: /it is empty/ });
    }
    assert.equal(await etcd.get(bootstrapKey), undefined);
    await saveBootstrapData({ etcd, token, data });
    await assert.rejects(opened(''), { code: 'token-malformed' });
    await assert.rejects(resealBootstrapData({ etcd, token: '', previous: token, until: now }), { code: 'token-malformed' });
    assert.deepEqual(await opened(token), data);
  });

  it('is written only when it changed, in whatever order it comes', async () => {
    assert.equal(await saveBootstrapData({ etcd, token, data }), true);
    const first = await stored();
    assert.equal(await saveBootstrapData({ etcd, token, data: Object.fromEntries(Object.entries(data).reverse()) }), false);
    assert.deepEqual(await stored(), first);
    assert.equal(await saveBootstrapData({ etcd, token, data: changed }), true);
    assert.deepEqual(await opened(token), changed);
  });

  it('is not overwritten by who cannot open it, unless he says so', async () => {
    await saveBootstrapData({ etcd, token, data });
    await assert.rejects(saveBootstrapData({ etcd, token: newer, data: changed }), refused);
    assert.deepEqual(await opened(token), data);
    assert.equal(await saveBootstrapData({ etcd, token: newer, data: changed, replace: true }), true);
    assert.deepEqual(await opened(newer), changed);
    await assert.rejects(opened(token), refused);
  });

  it('opens to both tokens during a rotation, with what is saved meanwhile, and then to the new one alone', async () => {
    await saveBootstrapData({ etcd, token, data });
    const before = (JSON.parse((await stored()).toString()) as Envelope).keys[0];
    const until = now + 1000;
    assert.equal(await resealBootstrapData({ etcd, token: newer, previous: token, until }), true);
    assert.equal(await resealBootstrapData({ etcd, token: newer, previous: token, until }), false);
    for (const either of [token, newer]) assert.deepEqual(await opened(either), data);
    await saveBootstrapData({ etcd, token: newer, data: changed, clock: at(until - 1) });
    for (const either of [token, newer]) assert.deepEqual(await opened(either), changed);

    assert.equal(await saveBootstrapData({ etcd, token: newer, data: changed, clock: at(until) }), true);
    assert.deepEqual(await opened(newer), changed);
    await assert.rejects(opened(token), refused);
    // The key of the content is another one: that of before, put back by somebody who kept it, opens nothing.
    const envelope = JSON.parse((await stored()).toString()) as Envelope;
    assert.equal(envelope.keys.length, 1);
    assert.ok(before);
    const forged = Buffer.from(JSON.stringify({ ...envelope, keys: [before] }));
    await assert.rejects(openBootstrapData({ record: forged, token }), { code: 'bootstrap-damaged' });
    assert.equal(await saveBootstrapData({ etcd, token: newer, data: changed, clock: at(until) }), false);
  });

  it('keeps the key of a second old token when the time of the first is over', async () => {
    await saveBootstrapData({ etcd, token, data });
    await resealBootstrapData({ etcd, token: newer, previous: token, until: now + 1000 });
    await resealBootstrapData({ etcd, token: newest, previous: newer, until: now + 2000 });
    await saveBootstrapData({ etcd, token: newest, data, clock: at(now + 1500) });
    await assert.rejects(opened(token), refused);
    assert.deepEqual(await opened(newer), data);
    await saveBootstrapData({ etcd, token: newest, data, clock: at(now + 2500) });
    await assert.rejects(opened(newer), refused);
    assert.deepEqual(await opened(newest), data);
  });

  it('is not resealed by who has neither token, and where there is none there is nothing to do', async () => {
    assert.equal(await resealBootstrapData({ etcd, token: newer, previous: token, until: now }), false);
    await saveBootstrapData({ etcd, token, data });
    await assert.rejects(resealBootstrapData({ etcd, token: newest, previous: newer, until: now }), refused);
    assert.deepEqual(await opened(token), data);
  });

  it('is not taken over by a write that began before another one', async () => {
    await saveBootstrapData({ etcd, token, data });
    let other = false;
    const slow: Pick<EtcdClient, 'get' | 'put'> = {
      put: etcd.put,
      get: async (key, options) => {
        const found = await etcd.get(key, options);
        if (!other) {
          other = true;
          await saveBootstrapData({ etcd, token, data: changed });
        }
        return found;
      },
    };
    await resealBootstrapData({ etcd: slow, token: newer, previous: token, until: now });
    for (const either of [token, newer]) assert.deepEqual(await opened(either), changed);
  });

  it('that is damaged is told of, and written anew by a server that has the files', async () => {
    await saveBootstrapData({ etcd, token, data });
    const envelope = JSON.parse((await stored()).toString()) as Envelope;
    const [key] = envelope.keys;
    assert.ok(key);
    const flipped = Buffer.from(envelope.sealed, 'base64');
    flipped[5] = (flipped[5] ?? 0) ^ 1;
    const damaged = [
      'nothing of ours',
      JSON.stringify({ ...envelope, version: 2 }),
      JSON.stringify({ ...envelope, sealed: flipped.toString('base64') }),
      JSON.stringify({ ...envelope, sealed: '' }),
      JSON.stringify({ ...envelope, keys: [{ ...key, kdf: { ...key.kdf, n: 2 ** 30 } }] }),
    ];
    for (const text of damaged) {
      await assert.rejects(openBootstrapData({ record: Buffer.from(text), token }), { code: 'bootstrap-damaged' }, text);
    }
    await etcd.put(bootstrapKey, damaged[2] ?? '');
    assert.equal(await saveBootstrapData({ etcd, token, data }), true);
    assert.deepEqual(await opened(token), data);
  });
});
