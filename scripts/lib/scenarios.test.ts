import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countScenarios, purposesOf } from './scenarios.ts';

test('the last line of the scenarios counts', () => {
  assert.deepEqual(countScenarios('1 passed, 9 failed\nmore\n12 passed, 0 failed\n', 0), { passed: 12, failed: 0 });
  assert.deepEqual(countScenarios('11 passed, 1 failed\n', 1), { passed: 11, failed: 1 });
});

test('scenarios that end badly, or say nothing, have failed', () => {
  assert.deepEqual(countScenarios('12 passed, 0 failed\n', 'SIGKILL'), { passed: 12, failed: 1 });
  assert.deepEqual(countScenarios('Error: cannot find module\n', 1), { passed: 0, failed: 1 });
  assert.deepEqual(countScenarios('', 0), { passed: 0, failed: 1 });
});

test('full hosts are prepared for where a chosen scenario has them', () => {
  const usual = ['build', 'run', 'test'];
  assert.deepEqual(purposesOf(['all', '--keep']), [...usual, 'full-hosts', 'browser']);
  assert.deepEqual(purposesOf(['single-node', 'full-host']), [...usual, 'full-hosts']);
  assert.deepEqual(purposesOf(['ca-faults']), [...usual, 'full-hosts']);
  assert.deepEqual(purposesOf(['short']), [...usual, 'full-hosts']);
  assert.deepEqual(purposesOf(['ha-short']), usual);
  assert.deepEqual(purposesOf([]), usual);
});

test('a browser is installed for the scenarios in which people sit at one, and never for the gate', () => {
  assert.deepEqual(purposesOf(['single-node', 'sign-in-pages']), ['build', 'run', 'test', 'browser']);
  assert.ok(!purposesOf(['short']).includes('browser'));
});
