import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isGoNewEnough } from './prerequisites.ts';

test('Go 1.26 and newer will do', () => {
  for (const version of ['go1.26', 'go1.26.8\n', 'go1.27rc1', 'go1.100.1', 'go2.0']) assert.equal(isGoNewEnough(version), true, version);
});

test('an older Go, or something else, will not', () => {
  for (const version of ['go1.9', 'go1.19.8', 'go1.25.9', '', 'devel', 'go0.99']) assert.equal(isGoNewEnough(version), false, version);
});
