import assert from 'node:assert/strict';
import { test } from 'node:test';
import { names, renderRows, type Sample, summarizeSamples } from './figures.ts';

test('figures of both sides stand in one row, with what they are divided and the goal', () => {
  const sample = (what: string, side: Sample['side'], value: number, unit: Sample['unit'] = '/s'): Sample => ({ what, side, unit, value });
  const one = names.authsign(1);
  const rows = summarizeSamples([
    sample(one, 'rfo', 1000),
    sample(`${one}, p99`, 'rfo', 3, 'ms'),
    sample(one, 'cfssl', 500),
    sample(`${one}, p99`, 'cfssl', 10, 'ms'),
    sample(one, 'cfssl', 600),
    sample(one, 'rfo', 1200),
    sample(names.info(64), 'rfo', 5),
    sample(names.ocspPost(64), 'rfo', 20_000),
  ]);
  assert.equal(
    renderRows(rows),
    [
      'figure                                        rfo  smallest–largest     cfssl  smallest–largest  rfo ÷ cfssl  goal',
      'authsign, 1 connection                    1100 /s         1000–1200    550 /s           500–600         2.00  at least 1.2: met',
      'authsign, 1 connection, p99               3.00 ms         3.00–3.00  10.00 ms       10.00–10.00         0.30  at most 0.2: not met',
      'info, 64 connections                         5 /s               5–5',
      'OCSP from cache by POST, 64 connections  20000 /s       20000–20000                                           at least 15000: met',
    ].join('\n'),
  );
});
