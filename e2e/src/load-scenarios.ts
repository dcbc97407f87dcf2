/** Finds the scenarios: every folder below `scenarios` has a `scenario.ts` that exports `scenario`. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fail } from '@rfo/foundation';
import type { Scenario } from '../harness/scenario.ts';

export async function loadScenarios(): Promise<readonly Scenario[]> {
  const folder = join(import.meta.dirname, '../scenarios');
  const names = (await readdir(folder, { withFileTypes: true })).filter((entry) => entry.isDirectory()).map(({ name }) => name);
  return Promise.all(
    names.sort().map(async (name) => {
      const module = (await import(join(folder, name, 'scenario.ts'))) as { readonly scenario?: Scenario };
      if (module.scenario?.name !== name)
        throw fail('internal', { what: `e2e/scenarios/${name}/scenario.ts exports no scenario "${name}"` });
      return module.scenario;
    }),
  );
}
