import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderArguments } from './arguments.ts';

test('renders our arguments in their order', () => {
  assert.deepEqual(renderArguments({ 'secure-port': 6443, profiling: false }, []), ['--secure-port=6443', '--profiling=false']);
});

test("a user's value replaces ours, with or without dashes", () => {
  assert.deepEqual(renderArguments({ v: 2, profiling: false }, ['v=4', '--profiling=true']), ['--v=4', '--profiling=true']);
});

test('a name that is repeated is passed repeatedly, and a bare one bare', () => {
  assert.deepEqual(renderArguments({ a: 1 }, ['b=1', 'b=2', 'c']), ['--a=1', '--b=1', '--b=2', '--c']);
});

test('a value may hold an equals sign', () => {
  assert.deepEqual(renderArguments({}, ['feature-gates=A=true,B=false']), ['--feature-gates=A=true,B=false']);
});
