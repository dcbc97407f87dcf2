import assert from 'node:assert/strict';
import { scryptSync } from 'node:crypto';
import { test } from 'node:test';
import type { RfoError } from '@rfo/foundation';
import { createPasswordHasher } from './hash-password.ts';

const cheap = { ln: 6, r: 8, p: 1 };

test('a password matches its own hash alone, and the hash says how it was made', async () => {
  const hasher = createPasswordHasher(cheap);
  const [one, again] = await Promise.all([hasher.hash('correct horse'), hasher.hash('correct horse')]);
  assert.match(one, /^\$scrypt\$ln=6,r=8,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
  assert.notEqual(one, again);
  assert.deepEqual(await hasher.verify('correct horse', one), { matches: true, outdated: false });
  assert.deepEqual(await hasher.verify('Correct horse', one), { matches: false, outdated: false });
  const [salt = '', key = ''] = one.split('$').slice(3);
  assert.equal(
    scryptSync('correct horse', Buffer.from(salt, 'base64'), 32, { N: 64, r: 8, p: 1 }).toString('base64').replace(/=$/, ''),
    key,
  );
});

test('the parameters in force need 32 MiB and are those of new hashes; others are told to be outdated', async () => {
  const old = await createPasswordHasher(cheap).hash('correct horse');
  const hasher = createPasswordHasher();
  assert.deepEqual(await hasher.verify('correct horse', old), { matches: true, outdated: true });
  const now = await hasher.hash('correct horse');
  assert.match(now, /^\$scrypt\$ln=15,r=8,p=3\$/);
  assert.deepEqual(await hasher.verify('correct horse', now), { matches: true, outdated: false });
});

test('the same text matches however its letters are encoded', async () => {
  const hasher = createPasswordHasher(cheap);
  assert.ok((await hasher.verify('Zu\u0308rich am See', await hasher.hash('Z\u00fcrich am See'))).matches);
});

test('no hash, a broken one and one that would cost too much match nothing', async () => {
  const hasher = createPasswordHasher(cheap);
  const [salt, key] = ['A'.repeat(22), 'A'.repeat(43)];
  for (const stored of [
    undefined,
    '',
    'correct horse',
    `$scrypt$ln=30,r=8,p=1$${salt}$${key}`,
    `$scrypt$ln=0,r=8,p=1$${salt}$${key}`,
    `$scrypt$ln=6,r=8,p=0$${salt}$${key}`,
  ]) {
    assert.equal((await hasher.verify('correct horse', stored)).matches, false, String(stored));
  }
});

test('a flood waits in a line that has an end', async () => {
  const hasher = createPasswordHasher({ ln: 10, r: 8, p: 1 });
  const ends = await Promise.allSettled(Array.from({ length: 200 }, () => hasher.verify('correct horse', undefined)));
  const refused = ends.flatMap((end) => (end.status === 'rejected' ? [(end.reason as RfoError).code] : []));
  assert.equal(ends.length - refused.length, 50);
  assert.deepEqual([...new Set(refused)], ['sign-in-busy']);
  assert.deepEqual(await hasher.verify('correct horse', undefined), { matches: false, outdated: false });
});
