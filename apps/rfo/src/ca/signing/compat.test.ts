import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { compatNames, parseCompat } from './compat.ts';

describe('parseCompat', () => {
  it('reads names, all of them, and none', () => {
    assert.deepEqual([...parseCompat('any-subject, weak-keys')], ['any-subject', 'weak-keys']);
    assert.deepEqual([...parseCompat('all')], compatNames);
    assert.deepEqual([...parseCompat('')], []);
  });

  it('says which names there are when one is none', () => {
    assert.throws(() => parseCompat('any-subjct'), { code: 'config-invalid', message: /"any-subjct".*any-subject/s });
  });
});
