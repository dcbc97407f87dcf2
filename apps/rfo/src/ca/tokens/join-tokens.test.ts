import assert from 'node:assert/strict';
import { createHmac, hash } from 'node:crypto';
import { test } from 'node:test';
import { authorityKeyId, folder, hour, python, record, start } from '../store/store.testing.ts';
import { matchesNode } from './node-pattern.ts';
import type { JoinTokens } from './types.ts';

const wish = {
  node: 'worker-1',
  profiles: ['kubelet-client', 'kubelet-serving'],
  addresses: ['10.0.0.0/8'],
  maxNodes: 1,
  description: 'rack 4',
  expiresAt: undefined,
};
const claim = { node: 'worker-1', profile: 'kubelet-client', publicKeyHash: 'aa' };
const key = (serial: number) => ({ serial: String(serial), authorityKeyId });

test('a token is shown once and known by the hash of its key', async (t) => {
  const { open } = folder(t);
  const { tokens } = await open();
  const made = await tokens.create(wish);
  assert.match(made.key, /^[0-9a-f]{64}$/);
  assert.equal(made.token.id, hash('sha256', Buffer.from(made.key, 'hex')).slice(0, 12));
  assert.deepEqual(tokens.list(), [{ ...wish, id: made.token.id, createdAt: start, uses: [] }]);
  assert.ok(!JSON.stringify(tokens.list()).includes(made.key));
});

test('an HMAC by the key of a token, as cfssl makes it, finds the token, also an expired one, and no other does', async (t) => {
  const { clock, open } = folder(t);
  const { tokens } = await open();
  const made = await tokens.create({ ...wish, expiresAt: start + hour });
  await tokens.create({ ...wish, node: 'worker-2' });
  const bytes = Buffer.from('{"certificate_request":"…"}');
  const hmac = createHmac('sha256', Buffer.from(made.key, 'hex')).update(bytes).digest();
  assert.deepEqual(tokens.match(bytes, hmac), made.token);
  assert.equal(tokens.match(Buffer.concat([bytes, Buffer.from(' ')]), hmac), undefined);
  assert.equal(tokens.match(bytes, hmac.subarray(0, 31)), undefined);
  assert.equal(tokens.match(bytes, Buffer.alloc(0)), undefined);
  clock.now = () => start + 2 * hour;
  assert.deepEqual(tokens.match(bytes, hmac), made.token);
});

test('a token that a command has made or deleted is known to the server at once', async (t) => {
  const { open } = folder(t);
  const server = await open({ server: true });
  const command = await open();
  const bytes = Buffer.from('x');
  const made = await command.tokens.create(wish);
  const hmac = createHmac('sha256', Buffer.from(made.key, 'hex')).update(bytes).digest();
  assert.deepEqual(server.tokens.match(bytes, hmac), made.token);
  await command.tokens.delete(made.token.id);
  assert.equal(server.tokens.match(bytes, hmac), undefined);
  assert.throws(() => server.tokens.claim(made.token, claim), { code: 'ca-token-unknown' });
  await assert.rejects(command.tokens.delete(made.token.id), { code: 'ca-token-unknown' });
});

test('a token gives one certificate of each of its profiles, to the same key again, and to another none', async (t) => {
  const { open } = folder(t);
  const { store, tokens } = await open();
  const { token } = await tokens.create(wish);
  await use(1, claim);
  assert.deepEqual(tokens.claim(token, claim), { again: key(1) });
  assert.throws(() => tokens.claim(token, { ...claim, publicKeyHash: 'bb' }), { code: 'ca-token-used-up' });
  await use(2, { ...claim, profile: 'kubelet-serving', publicKeyHash: 'bb' });
  assert.deepEqual(
    tokens.list()[0]?.uses.map(({ profile, serial, at }) => [profile, serial, at]),
    [
      ['kubelet-client', '1', start],
      ['kubelet-serving', '2', start],
    ],
  );

  async function use(serial: number, by: typeof claim): Promise<void> {
    const claimed = tokens.claim(token, by);
    assert.ok('record' in claimed);
    await store.insert(record(serial), claimed.record(key(serial)));
  }
});

test('a certificate that was taken back is not given again', async (t) => {
  const { open } = folder(t);
  const { store, tokens } = await open();
  const { token } = await tokens.create(wish);
  await store.insert(record(1), recorded(tokens.claim(token, claim), 1));
  await store.revoke(key(1), { reason: 1, at: start });
  assert.throws(() => tokens.claim(token, claim), { code: 'ca-token-used-up' });
});

test('of two claims at the same time one gets a certificate, and of the other nothing is left', async (t) => {
  const { open, auditFile } = folder(t);
  const { store, tokens, audit } = await open();
  const { token } = await tokens.create(wish);
  const both = [1, 2].map((serial) => {
    const used = recorded(tokens.claim(token, { ...claim, publicKeyHash: String(serial) }), serial);
    const noted = audit.within({ act: 'sign', serial: String(serial), result: 'done' });
    return store.insert(record(serial), () => {
      noted();
      used();
    });
  });
  const ended = await Promise.allSettled(both);
  assert.deepEqual(
    ended.map((one) => (one.status === 'fulfilled' ? 'written' : one.reason.code)),
    ['written', 'ca-token-used-up'],
  );
  assert.deepEqual(
    store.list({}).map(({ serial }) => serial),
    ['1'],
  );
  assert.equal(auditLines(auditFile), 1);
});

test('a token that is deleted between the claim and the commit gives nothing', async (t) => {
  const { open } = folder(t);
  const { store, tokens } = await open();
  const { token } = await tokens.create(wish);
  const used = recorded(tokens.claim(token, claim), 1);
  const deleted = tokens.delete(token.id);
  await assert.rejects(store.insert(record(1), used), { code: 'ca-token-unknown' });
  await deleted;
  assert.deepEqual(store.list({}), []);
});

test('a pattern is for as many nodes as it says, each of them once for each profile', async (t) => {
  const { open } = folder(t);
  const { store, tokens } = await open();
  const { token } = await tokens.create({ ...wish, node: 'worker-*', maxNodes: 2 });
  for (const [serial, node] of ['worker-1', 'worker-2'].entries()) {
    await store.insert(record(serial), recorded(tokens.claim(token, { ...claim, node }), serial));
  }
  assert.throws(() => tokens.claim(token, { ...claim, node: 'worker-3' }), { code: 'ca-token-used-up' });
  assert.ok('record' in tokens.claim(token, { ...claim, node: 'worker-2', profile: 'kubelet-serving' }));
});

test('a claim of another node, another profile or too late is refused', async (t) => {
  const { clock, open } = folder(t);
  const { tokens } = await open();
  const { token } = await tokens.create({ ...wish, expiresAt: start + hour });
  assert.throws(() => tokens.claim(token, { ...claim, node: 'worker-2' }), { code: 'ca-token-wrong-node' });
  assert.throws(() => tokens.claim(token, { ...claim, profile: 'www' }), { code: 'ca-token-wrong-profile' });
  assert.ok('record' in tokens.claim(token, claim));
  clock.now = () => start + hour;
  assert.throws(() => tokens.claim(token, claim), { code: 'ca-token-expired' });
});

test('a token that expired a month ago is forgotten with its key', async (t) => {
  const { clock, file, open } = folder(t);
  const { tokens } = await open();
  await tokens.create({ ...wish, expiresAt: start + hour });
  clock.now = () => start + 20 * 24 * hour;
  await tokens.create(wish);
  assert.equal(tokens.list().length, 2);
  clock.now = () => start + 32 * 24 * hour;
  await tokens.create(wish);
  assert.deepEqual(python(file, `print(json.dumps(list(db.execute('SELECT count(*) FROM rfo_tokens'))))`), [[2]]);
});

test('tokens are listed as they were made, also those of the same millisecond', async (t) => {
  const { open } = folder(t);
  const { tokens } = await open();
  const nodes = Array.from({ length: 12 }, (_, at) => `worker-${at}`);
  for (const node of nodes) await tokens.create({ ...wish, node });
  assert.deepEqual(
    tokens.list().map(({ node }) => node),
    nodes,
  );
});

test('tokens that could not be used as they are meant are not made', async (t) => {
  const { open } = folder(t);
  const { tokens } = await open();
  for (const wrong of [
    { node: 'Worker 1' },
    { node: '' },
    { node: '*', maxNodes: 0 },
    { profiles: [] },
    { addresses: ['10.0.0.0/33'] },
    { addresses: ['worker'] },
    { maxNodes: 2 },
    { expiresAt: start },
  ]) {
    await assert.rejects(async () => tokens.create({ ...wish, ...wrong }), { code: 'ca-token-invalid' }, JSON.stringify(wrong));
  }
  assert.deepEqual(tokens.list(), []);
});

test('a star stands for a run of letters, digits and dashes', () => {
  assert.ok(matchesNode('worker-*', 'worker-12'));
  assert.ok(matchesNode('*.rack-4.example', 'a-1.rack-4.example'));
  for (const other of ['worker-', 'worker-1.example', 'worker-A', 'aworker-1', 'worker-1\n', 'worker-1-'])
    assert.ok(!matchesNode('worker-*', other), other);
  assert.ok(!matchesNode('a.b', 'axb'));
  assert.ok(!matchesNode('*.b', 'axb'));
});

function recorded(claimed: ReturnType<JoinTokens['claim']>, serial: number): () => void {
  assert.ok('record' in claimed);
  return claimed.record(key(serial));
}

function auditLines(file: string): number {
  return Number(python(':memory:', `print(json.dumps(len(open(sys.argv[2]).readlines())))`, file));
}
