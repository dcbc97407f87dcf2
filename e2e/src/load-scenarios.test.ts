import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadScenarios } from './load-scenarios.ts';

test('every scenario can be loaded, says what it proves and has bounded time', async () => {
  const scenarios = await loadScenarios();
  assert.ok(scenarios.length > 0);
  for (const { about, timeout, name } of scenarios) {
    assert.ok(about.length > 10, name);
    assert.ok(timeout >= 60_000 && timeout <= 1_800_000, name);
  }
});
