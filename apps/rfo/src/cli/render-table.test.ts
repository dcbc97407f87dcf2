import assert from 'node:assert/strict';
import { test } from 'node:test';
import { growingTable, renderTable } from './render-table.ts';

test('columns are as wide as their longest cell, and nothing stands behind the last', () => {
  assert.equal(renderTable(['NAME', 'AGE', ''], [['a-longer-name', '1', ''], ['b']]), 'NAME           AGE\na-longer-name  1\nb\n');
});

test('characters of two columns, and marks that take none, leave what is behind them in line', () => {
  const rows = [
    ['里昂生产', 'one'],
    ['Café\u0301', 'two'],
    ['🚀', 'three'],
  ];
  assert.equal(renderTable(['WHAT', 'X'], rows), 'WHAT      X\n里昂生产  one\nCafé\u0301      two\n🚀        three\n');
});

test('a table that goes on has its header once, and its columns never become narrower', () => {
  const table = growingTable(['NAME', 'X']);
  assert.equal(table([]), 'NAME  X\n');
  assert.equal(table([['longer-name', '1']]), 'longer-name  1\n');
  assert.equal(table([['b', '2']]), 'b            2\n');
});
