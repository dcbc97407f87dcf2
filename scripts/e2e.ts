// `npm run e2e -- NAME… | all | short [--keep]`: set-up as for `npm test`, then the scenarios that are named.
import { interruptible } from './lib/interruptible.ts';
import { prepare } from './lib/prepare.ts';
import { purposesOf, runScenarios } from './lib/scenarios.ts';

await interruptible(async (signal) => {
  const words = process.argv.slice(2);
  const bundle = await prepare({ what: 'npm run e2e', purposes: purposesOf(words), signal });
  const { failed } = await runScenarios(words, bundle, signal);
  return failed > 0 ? 1 : 0;
});
