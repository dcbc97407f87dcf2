import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readEntries, readEntry, renderEntries, secretKind } from './secret.ts';

const metadata = { name: 'a' };

test('what is rendered stands in base64, and is read back as the text that it was', () => {
  const secret = { ...secretKind, metadata, data: renderEntries({ 'user.json': '{"name":"Zoë"}', 'empty': '' }) };
  assert.deepEqual(secret.data, { 'user.json': 'eyJuYW1lIjoiWm/DqyJ9', 'empty': '' });
  assert.equal(readEntry(secret, 'user.json'), '{"name":"Zoë"}');
  assert.deepEqual(readEntries(secret), { 'user.json': '{"name":"Zoë"}', 'empty': '' });
});

test('an entry that is empty is one, and an entry that is not there is none', () => {
  assert.equal(readEntry({ ...secretKind, metadata, data: { empty: '' } }, 'empty'), '');
  assert.equal(readEntry({ ...secretKind, metadata, data: {} }, 'empty'), undefined);
  assert.equal(readEntry({ ...secretKind, metadata }, 'empty'), undefined);
  assert.deepEqual(readEntries({ ...secretKind, metadata }), {});
});
