import assert from 'node:assert/strict';
import { it } from 'node:test';
import { readCredential } from './authenticate.ts';

const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;

it('reads both forms of credentials', () => {
  assert.deepEqual(readCredential(basic('server:geheim:ß')), { id: 'server', secret: 'geheim:ß' });
  assert.deepEqual(readCredential(basic('node:abc').replace('Basic', 'basic')), { id: 'node', secret: 'abc' });
  assert.deepEqual(readCredential('Bearer abc123.0123456789abcdef'), { id: 'abc123', secret: '0123456789abcdef' });
});

it('takes nothing else for a credential', () => {
  const bad = ['', 'Basic', 'Basic !!', basic('admin:abc'), basic('server:'), basic('server'), 'Bearer abc', 'Bearer .abc', 'Bearer abc.'];
  for (const text of [...bad, 'Bearer server.secret', 'Bearer node.secret', 'Digest abc', 'Bearer ABC123.x', 'Bearer a.b c'])
    assert.equal(readCredential(text), undefined, text);
});
