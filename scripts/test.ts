// `npm test`: set-up, checks, unit tests and the short end-to-end scenarios; the last line is `N passed, N failed`.
import { parseArgs } from 'node:util';
import { toRfoError } from '@rfo/foundation';
import { interruptible } from './lib/interruptible.ts';
import { prepare } from './lib/prepare.ts';
import { runChecks } from './lib/run-checks.ts';
import { purposesOf, runScenarios } from './lib/scenarios.ts';
import { type Phase, renderSummary } from './lib/summary.ts';
import { runUnitTests } from './lib/unit-tests.ts';

type Counts = { readonly passed: number; readonly failed: number; readonly note?: string };

const scenarios = ['short'];
const setUp = { what: 'npm test', purposes: purposesOf(scenarios) };

const steps = {
  'set-up': async (signal: AbortSignal): Promise<Counts> => {
    await prepare({ ...setUp, signal });
    return { passed: 0, failed: 0 };
  },
  'checks': (signal: AbortSignal): Promise<Counts> => runChecks((line) => console.log(line), signal),
  'unit': runUnitTests,
  'e2e': async (signal: AbortSignal): Promise<Counts> => runScenarios(scenarios, await prepare({ ...setUp, signal }), signal),
} as const;
type Step = keyof typeof steps;

await interruptible(async (signal) => {
  const phases: Phase[] = [];
  for (const name of chosenSteps()) {
    console.log(`\n== ${name}`);
    phases.push(await runStep(name, signal));
    if (name === 'set-up' && phases.some(({ failed }) => failed > 0)) break;
  }
  console.log(`\n${renderSummary(phases)}`);
  return phases.some(({ failed }) => failed > 0) ? 1 : 0;
});

/** All, or what `--only <step>` and `--no-e2e` leave. The checks alone need no set-up. */
function chosenSteps(): readonly Step[] {
  const { values } = parseArgs({ options: { 'only': { type: 'string' }, 'no-e2e': { type: 'boolean' } } });
  const all = Object.keys(steps).filter((name): name is Step => name in steps);
  const { only } = values;
  if (only === 'checks') return ['checks'];
  if (only !== undefined) {
    const step = all.find((name) => name === only);
    if (step === undefined) throw new Error(`--only takes one of ${all.join(', ')}, not ${only}`);
    return all.filter((name) => name === 'set-up' || name === step);
  }
  return all.filter((name) => !(name === 'e2e' && values['no-e2e'] === true));
}

/** A step that throws has failed once, and the ones after it still run: a person wants to see everything that is wrong. */
async function runStep(name: Step, signal: AbortSignal): Promise<Phase> {
  const started = performance.now();
  const counts = await steps[name](signal).catch((error: unknown): Counts => {
    signal.throwIfAborted();
    console.error(`rfo: ${toRfoError(error).message}`);
    return { passed: 0, failed: 1 };
  });
  return { name, ms: performance.now() - started, ...counts };
}
