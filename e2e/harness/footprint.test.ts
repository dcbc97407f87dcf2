import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertSameFootprint } from './footprint.ts';

test('a footprint tells what was left and what is gone, each as often as it is there', () => {
  const before = { mounts: ['/', '/run', '/run'], interfaces: ['lo'] };
  assertSameFootprint({ mounts: ['/run', '/', '/run'], interfaces: ['lo'] }, before);
  assert.throws(
    () => assertSameFootprint({ mounts: ['/', '/run', '/run', '/run'], interfaces: [] }, before),
    (error: Error) => {
      assert.match(error.message, /mounts: left: \/run/);
      assert.match(error.message, /interfaces: gone: lo/);
      return true;
    },
  );
});
