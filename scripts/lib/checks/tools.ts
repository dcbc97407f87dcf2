// The gates that are other programs: their exit status decides, their output is the finding.
import { join } from 'node:path';
import { run } from '../run.ts';
import type { Check } from './check.ts';

const root = join(import.meta.dirname, '../../..');

export const toolChecks: readonly Check[] = [
  tool('types', ['node_modules/.bin/tsc', '-p', '.']),
  tool('lint and format', ['node_modules/.bin/biome', 'check', '--error-on-warnings', '--diagnostic-level=warn', '.']),
  tool('dead code', ['node_modules/.bin/knip', '--no-progress']),
  tool('generated files', [process.execPath, 'scripts/generate.ts', '--check']),
];

function tool(name: string, command: readonly string[]): Check {
  return {
    name,
    run: async (_, signal) => {
      const { status, output } = await run(command, { cwd: root, signal });
      return { findings: status === 0 ? [] : [output.trimEnd() || `${command.join(' ')} ended with ${status}`] };
    },
  };
}
