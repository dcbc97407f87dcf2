import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Scenario } from '../harness/scenario.ts';
import { runAll } from './run-all.ts';

const scenario = (name: string, more: Partial<Scenario> = {}): Scenario => ({
  ...{ name, about: name, short: true, timeout: 60_000, run: async () => {} },
  ...more,
});

test('a scenario that mostly waits runs beside the others, and its report stays in one piece', async () => {
  const lines: string[] = [];
  const waits = Promise.withResolvers<void>();
  const outcome = await runAll(
    [scenario('a'), scenario('b', { patient: true }), scenario('c')],
    async ({ name }, tell) => {
      tell(`${name} begins`);
      if (name === 'b') await waits.promise;
      if (name === 'c') waits.resolve();
      tell(`${name} ends`);
      return name !== 'c';
    },
    (line) => lines.push(line),
  );
  assert.deepEqual(outcome, { passed: 2, failed: 1 });
  assert.deepEqual(lines.slice(0, 3), ['a begins', 'a ends', 'c begins']);
  assert.deepEqual(lines.slice(3).sort(), ['b begins\nb ends', 'c ends']);
});

test('alone it tells what it does at once', async () => {
  const lines: string[] = [];
  const outcome = await runAll(
    [scenario('b', { patient: true })],
    async (_, tell) => {
      tell('begins');
      assert.deepEqual(lines, ['begins']);
      return true;
    },
    (line) => lines.push(line),
  );
  assert.deepEqual(outcome, { passed: 1, failed: 0 });
});
