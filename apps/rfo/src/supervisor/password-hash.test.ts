import assert from 'node:assert/strict';
import { it } from 'node:test';
import { hashPassword, matchesHash } from './password-hash.ts';

const { signal } = new AbortController();
const random = '0123456789abcdef0123456789abcdef';

it('knows a password again and no other', async () => {
  for (const password of [random, 'a password that somebody chose']) {
    const hash = await hashPassword(password, signal);
    assert.equal(await matchesHash(password, hash, signal), true);
    assert.equal(await matchesHash(`${password}x`, hash, signal), false);
    assert.notEqual(await hashPassword(password, signal), hash, 'the salt is another one each time');
  }
});

it('puts work before what can be guessed', async () => {
  assert.match(await hashPassword('a password that somebody chose', signal), /^\$1:[0-9a-f]{32}:15:8:1:[A-Za-z0-9+/]{86}==$/);
  assert.match(await hashPassword(random, signal), /^\$1:[0-9a-f]{32}:8:8:1:[A-Za-z0-9+/]{86}==$/);
});

it('reads what K3s writes', async () => {
  // scrypt of RFC 7914 §12, the third vector.
  const key =
    '7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887';
  const salt = Buffer.from('SodiumChloride').toString('hex');
  const hash = `$1:${salt}:14:8:1:${Buffer.from(key, 'hex').toString('base64')}`;
  assert.equal(await matchesHash('pleaseletmein', hash, signal), true);
});

it('refuses a hash that asks for another form or for too much work', async () => {
  const rest = `${'A'.repeat(86)}==`;
  for (const hash of ['', 'plain', `$2:aa:15:8:1:${rest}`, `$1:aa:30:8:1:${rest}`, `$1:aa:15:99:1:${rest}`, '$1:aa:15:8:1:AAAA'])
    await assert.rejects(matchesHash(random, hash, signal), /form that is not known/);
});
