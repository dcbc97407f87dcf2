/** In which order scenarios run: one after the other, and beside them, one after the other too, those that mostly wait. */
import type { Scenario } from '../harness/scenario.ts';

type Outcome = { readonly passed: number; readonly failed: number };
/** Runs one and tells its lines; gives whether it passed. */
type RunOne = (scenario: Scenario, tell: (line: string) => void) => Promise<boolean>;

/**
 * Runs all of them. The lines of one that runs beside others are held back until it has ended, so that each report stays in one piece.
 * @param runOne is not called any more once it has thrown
 */
export async function runAll(scenarios: readonly Scenario[], runOne: RunOne, print: (line: string) => void): Promise<Outcome> {
  const patient = scenarios.filter((scenario) => scenario.patient === true);
  const others = scenarios.filter((scenario) => scenario.patient !== true);
  if (others.length === 0) return inTurn(patient, runOne, print);
  const beside = inTurn(patient, (scenario, tell) => keepTogether(scenario, { runOne, tell }), print);
  const [one, other] = await Promise.all([inTurn(others, runOne, print), beside]);
  return { passed: one.passed + other.passed, failed: one.failed + other.failed };
}

async function inTurn(scenarios: readonly Scenario[], runOne: RunOne, print: (line: string) => void): Promise<Outcome> {
  let passed = 0;
  for (const scenario of scenarios) if (await runOne(scenario, print)) passed++;
  return { passed, failed: scenarios.length - passed };
}

async function keepTogether(
  scenario: Scenario,
  { runOne, tell }: { readonly runOne: RunOne; readonly tell: (line: string) => void },
): Promise<boolean> {
  const lines: string[] = [];
  try {
    return await runOne(scenario, (line) => lines.push(line));
  } finally {
    tell(lines.join('\n'));
  }
}
