import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseStartOptions } from './options.ts';

test('without arguments everything is measured on all sides, the idle minute in three of five rounds', () => {
  assert.deepEqual(parseStartOptions([]), {
    pairs: 5,
    phases: ['cold', 'restart', 'idle'],
    idleRounds: 3,
    sides: ['rfo', 'bare', 'separate'],
    trace: false,
  });
});

test('one phase alone is measured in every round', () => {
  const { phases, idleRounds } = parseStartOptions(['--only', 'idle', '--pairs', '4']);
  assert.deepEqual([phases, idleRounds], [['idle'], 4]);
});

test('sides are measured in their own order, whichever is named first', () => {
  assert.deepEqual(parseStartOptions(['--sides', 'bare,rfo']).sides, ['rfo', 'bare']);
});

test('what makes no sense is refused by name', () => {
  assert.throws(() => parseStartOptions(['--pairs', '0']), /--pairs/);
  assert.throws(() => parseStartOptions(['--only', 'warm']), /"warm"/);
  assert.throws(() => parseStartOptions(['--sides', 'rfo,k3s']), /"k3s"/);
  assert.throws(() => parseStartOptions(['--fast']), { code: 'flag-unknown' });
});
