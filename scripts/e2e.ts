// `npm run e2e -- NAME… | all | short [--keep]`: set-up as for `npm test`, then the scenarios that are named.
import { interruptible } from './lib/interruptible.ts';
import { prepare } from './lib/prepare.ts';
import { runScenarios } from './lib/scenarios.ts';

await interruptible(async (signal) => {
  const bundle = await prepare({ what: 'npm run e2e', purposes: ['build', 'run', 'test'], signal });
  const { failed } = await runScenarios(process.argv.slice(2), bundle, signal);
  return failed > 0 ? 1 : 0;
});
