/** `npm run e2e -- NAME… | all | short [--keep]`: runs scenarios one after the other; the last line is `N passed, N failed`. */
import { parseArgs } from 'node:util';
import { toRfoError } from '@rfo/foundation';
import type { Scenario } from '../harness/scenario.ts';
import { loadScenarios, scenarioNames } from './load-scenarios.ts';
import { runScenario } from './run-scenario.ts';

const groups: readonly string[] = ['all', 'short'];
const { values, positionals } = parseArgs({ options: { keep: { type: 'boolean', default: false } }, allowPositionals: true });
const print = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

try {
  // A service that a kept lab goes on running would hold this process.
  process.exit(await main());
} catch (error) {
  console.error(`e2e: ${toRfoError(error).message}`);
  process.exit(1);
}

async function main(): Promise<number> {
  const chosen = await choose(positionals);
  if (chosen === undefined) return 2;
  const interrupt = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupt.abort(new Error('interrupted')));
  const options = { keep: values.keep, signal: interrupt.signal };
  let passed = 0;
  let failed = 0;
  for (const scenario of chosen) {
    if (interrupt.signal.aborted) break;
    if (await runScenario(scenario, { ...options, print })) passed++;
    else failed++;
  }
  print(`${passed} passed, ${failed} failed`);
  return failed > 0 || interrupt.signal.aborted ? 1 : 0;
}

/** The scenarios that the words stand for; undefined (and help on stderr) when one is unknown or there is none. */
async function choose(words: readonly string[]): Promise<readonly Scenario[] | undefined> {
  const names = await scenarioNames();
  const unknown = words.filter((word) => !groups.includes(word) && !names.includes(word));
  if (words.length > 0 && unknown.length === 0) {
    if (!words.some((word) => groups.includes(word))) return loadScenarios(names.filter((name) => words.includes(name)));
    const scenarios = await loadScenarios();
    return scenarios.filter(({ name, short }) => words.includes('all') || words.includes(name) || (short && words.includes('short')));
  }
  if (unknown.length > 0) console.error(`e2e: unknown scenario: ${unknown.join(', ')}`);
  console.error('usage: npm run e2e -- NAME... | all | short [--keep]');
  for (const { name, about, short } of await loadScenarios()) console.error(`  ${name.padEnd(22)}${short ? 'short  ' : '       '}${about}`);
  return undefined;
}
