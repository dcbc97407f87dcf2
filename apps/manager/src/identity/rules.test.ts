/** The small rules of the identity part that decide and do nothing. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Token } from '@rfo/schema';
import { checkPassword } from './password-rules.ts';
import { readCredentials } from './read-credentials.ts';
import { readDuration } from './read-duration.ts';
import { endOfToken } from './token-end.ts';
import { formatCredential, makeCredential, parseCredential } from './token-format.ts';
import { checkUsername, usernameKey } from './username.ts';

test('a password has to be long and nothing that is known of the user; what it is made of does not matter', () => {
  const about = { username: 'ann.smith@corp', email: 'ann.smith@corp.example' };
  for (const good of ['aaaaaaaaaaaa', 'correct horse', '密码密码密码密码密码密码', 'x'.repeat(256)]) checkPassword(good, about);
  for (const [bad, problem] of [
    ['elevenchars', /has 11 characters, and 12 are needed/],
    ['🔑'.repeat(11), /has 11 characters/],
    ['x'.repeat(257), /256 are the most/],
    [' Ann.Smith@CORP', /is the name of the user/],
    ['ann.smith@corp.example', /is the name of the user/],
    ['the old one of before', /is the old one/],
  ] as const) {
    assert.throws(() => checkPassword(bad, { ...about, old: 'the old one of before' }), problem);
  }
});

test('a name is the same however it is typed', () => {
  for (const typed of ['ann', ' Ann ', 'ＡＮＮ']) assert.equal(usernameKey(typed), 'ann');
  assert.equal(checkUsername('Zu\u0308rich+1@Example.com'), 'z\u00fcrich+1@example.com');
  for (const bad of ['', ' ', 'a b', 'a:b', '.a', 'a\u0000', 'a/b', 'a,b=c'])
    assert.throws(() => checkUsername(bad), { code: 'username-invalid' }, bad);
});

test('a duration is read as people write it, and nothing else is', () => {
  assert.deepEqual(['90d', '1h30m', '45s', '1d2h3m4s', '600', '0'].map(readDuration), [7_776_000, 5400, 45, 93_784, 600, 0]);
  assert.deepEqual(['', ' ', '1w', '-1h', '1.5h', '30m1h', 'h', '1 h', '1e9'].map(readDuration), Array(9).fill(undefined));
});

test('a credential survives being written and read, and has at least 256 secret bits', () => {
  const made = makeCredential();
  assert.deepEqual(parseCredential(formatCredential(made)), made);
  assert.equal(Buffer.from(made.secret, 'hex').length, 32);
  for (const bad of [
    '',
    'rfo__',
    `RFO_${made.id}_${made.secret}`,
    ` ${formatCredential(made)}`,
    `${formatCredential(made)}\n`,
    `rfo_a_b_${made.secret}`,
  ]) {
    assert.equal(parseCredential(bad), undefined, bad);
  }
});

test('credentials are found in the header before the cookie, and in one cookie of the right name alone', () => {
  const credential = makeCredential();
  const text = formatCredential(credential);
  assert.deepEqual(readCredentials({ authorization: `bearer  ${text}`, cookie: '__Host-rfo-session=x' }), { from: 'header', credential });
  assert.deepEqual(readCredentials({ authorization: `Basic ${btoa(`a:${text}`)}` }), { from: 'header', credential });
  assert.deepEqual(readCredentials({ authorization: `Basic ${btoa(text)}` }), { from: 'header', credential });
  assert.deepEqual(readCredentials({ cookie: `a=b;__Host-rfo-session=${text}` }), { from: 'cookie', credential });
  assert.deepEqual(readCredentials({ cookie: `__Host-rfo-session=${text}; __Host-rfo-session=other` }), {
    from: 'cookie',
    credential: undefined,
  });
  for (const cookie of ['', 'a=b', `rfo-session=${text}`, `x__Host-rfo-session=${text}`])
    assert.equal(readCredentials({ cookie }), undefined, cookie);
});

test('a token ends at the earliest of its own end, the longest time of the settings and, unused, its idle time', () => {
  const created = Date.parse('2026-11-21T00:00:00Z');
  const hour = 3600_000;
  const limits = { sessionIdle: 7200, sessionMax: 10 * 3600, tokenMax: 48 * 3600 };
  const at = (hours: number) => new Date(created + hours * hour).toISOString();
  const token = (kind: 'session' | 'api', more: Partial<Token['spec']>, lastUsed?: string) =>
    ({
      metadata: { name: 't', creationTimestamp: at(0) },
      spec: { kind, expiresAt: at(100), ...more },
      ...(lastUsed && { status: { lastUsed } }),
    }) as Token;
  const end = (...given: Parameters<typeof endOfToken>) => (endOfToken(...given) - created) / hour;
  assert.equal(end(token('api', { expiresAt: at(3) }), limits), 3);
  assert.equal(end(token('api', {}), limits), 48);
  assert.equal(end(token('session', {}), limits), 10);
  assert.equal(end(token('session', { idleSeconds: 7200 }), limits), 2);
  assert.equal(end(token('session', { idleSeconds: 7200 }, at(3)), limits), 5);
  assert.equal(end(token('session', { idleSeconds: 7200 }, at(3)), limits, created + 4 * hour), 6);
  assert.equal(end(token('session', { idleSeconds: 7200 }, at(9)), limits), 10);
});
