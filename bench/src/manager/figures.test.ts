import assert from 'node:assert/strict';
import { test } from 'node:test';
import { names, renderRows, type Sample, summarizeSamples } from './figures.ts';

const door = (value: number, direct: number): Sample => ({ what: names.doorP50, unit: 'ms', value, floors: { direct } });
const verdict = (samples: readonly Sample[], busy?: string): string => summarizeSamples(samples, { busy })[0]?.goal ?? 'no row';

test('a figure stands beside its floor and its goal, in the middle of its rounds', () => {
  const rows = summarizeSamples([
    door(0.8, 1.2),
    door(0.9, 1.25),
    door(1.4, 1.3),
    { what: names.beside, unit: '×', value: 4.25, floors: { 'idle ms': 0.211 } },
  ]);
  assert.equal(
    renderRows(rows),
    [
      'figure                                          median  smallest–largest  goal                 beside',
      'door: added to a request, p50                  0.90 ms         0.80–1.40  at most 1 ms: met    direct 1.25',
      'tunnel: small request beside bulk ÷ idle, p99    4.3 ×           4.3–4.3  at most 3 ×: missed  idle 0.21 ms',
    ].join('\n'),
  );
});

test('no figure is judged whose floor scatters, whose measurer was late, or that was taken on a busy machine, but memory is', () => {
  assert.equal(verdict([door(0.5, 1), door(0.5, 1.6)]), 'at most 1 ms: VOID (direct scatters)');
  assert.equal(verdict([{ ...door(0.5, 1), doubt: 'the client was late' }]), 'at most 1 ms: VOID (the client was late)');
  assert.equal(verdict([door(0.5, 1)], 'load 4.0'), 'at most 1 ms: VOID (load 4.0)');
  assert.equal(verdict([{ what: names.crowdMemory, unit: 'MB', value: 501 }], 'load 4.0'), 'at most 500 MB: missed');
});
