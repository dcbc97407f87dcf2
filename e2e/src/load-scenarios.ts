/** Finds the scenarios: every folder below `scenarios` has a `scenario.ts` that exports `scenario`. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fail } from '@rfo/foundation';
import type { Scenario } from '../harness/scenario.ts';

const folder = join(import.meta.dirname, '../scenarios');

/** @param only loads just those, so that a broken one keeps nobody from running another */
export async function loadScenarios(only?: readonly string[]): Promise<readonly Scenario[]> {
  const names = only ?? (await scenarioNames());
  return Promise.all(
    names.map(async (name) => {
      const module = (await import(join(folder, name, 'scenario.ts'))) as { readonly scenario?: Scenario };
      if (module.scenario?.name !== name)
        throw fail('internal', { what: `e2e/scenarios/${name}/scenario.ts exports no scenario "${name}"` });
      return module.scenario;
    }),
  );
}

/** In the order of the alphabet. */
export async function scenarioNames(): Promise<readonly string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort();
}
