import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { errorTable } from './error-table.ts';
import type { ErrorEntry } from './errors/entry.ts';
import { fail, RfoError, systemCode, toRfoError } from './errors.ts';

test('an error says what is wrong and what to do, and keeps its cause', () => {
  const cause = new Error('below');
  const error = fail('config-unknown-key', { key: 'tokn', where: 'config.yaml', suggestion: 'Did you mean "token"?' }, cause);
  assert.equal(error.message, 'unknown key "tokn" in config.yaml. Did you mean "token"?.');
  assert.equal(error.code, 'config-unknown-key');
  assert.equal(error.exit, 2);
  assert.equal(error.cause, cause);
  assert.equal(error.params.suggestion, 'Did you mean "token"?');
});

test('a value that looks like a placeholder stays as it is', () => {
  assert.match(fail('internal', { what: 'found {key}' }).message, /found \{key\}/);
});

test('texts and cures are sentences without their full stop', () => {
  for (const [code, { text, cure }] of Object.entries(errorTable)) {
    assert.match(code, /^[a-z0-9]+(-[a-z0-9]+)*$/);
    assert.ok(text.length > 0 && cure.length > 0, `${code} lacks a text or a cure`);
    assert.doesNotMatch(`${text}|${cure}`, /\.(\||$)/, `${code} ends with a full stop, which is added`);
  }
});

test('a code stands in one table of errors/ only, and each of them is part of the whole', async () => {
  const places = new Map<string, string>();
  for (const file of readdirSync(new URL('./errors/', import.meta.url))) {
    const tables: Record<string, Record<string, ErrorEntry>> = await import(`./errors/${file}`);
    for (const code of Object.values(tables).flatMap(Object.keys)) {
      assert.equal(places.get(code), undefined, `${code} stands in ${file} and ${places.get(code)}: one of them would be lost`);
      assert.ok(Object.hasOwn(errorTable, code), `${code} of ${file} is not part of error-table.ts`);
      places.set(code, file);
    }
  }
  assert.ok(places.size > 100);
});

test('what is thrown becomes an error of the table once, at the edge', () => {
  const known = fail('internal', { what: 'x' });
  assert.equal(toRfoError(known), known);
  const unknown = toRfoError('just text');
  assert.ok(unknown instanceof RfoError);
  assert.equal(unknown.code, 'internal');
});

test("the system's code is read from errors that have one only", () => {
  assert.equal(systemCode(Object.assign(new Error('no'), { code: 'ENOENT' })), 'ENOENT');
  assert.equal(systemCode(Object.assign(new Error('no'), { code: 5 })), undefined);
  assert.equal(systemCode('ENOENT'), undefined);
});
