// `npm run check`: every gate that needs no build and no root, one line each.
import { runChecks } from './lib/run-checks.ts';
import { formatSeconds } from './lib/summary.ts';

const started = performance.now();
const { passed, failed } = await runChecks((line) => console.log(line), new AbortController().signal);
console.log(`${passed} passed, ${failed} failed in ${formatSeconds(performance.now() - started).trim()}`);
process.exitCode = failed === 0 ? 0 : 1;
