// The program `rfo`: finds the command, runs it, and tells in one sentence what went wrong.
import { findCommand, groupAskedFor } from './cli/find-command.ts';
import { reportError } from './cli/report-error.ts';
import { runCommand } from './cli/run-command.ts';

const argv = process.argv.slice(2);
try {
  process.exitCode = await main();
} catch (error) {
  process.exitCode = reportError(error, { argv, env: process.env, stderr: process.stderr });
}

async function main(): Promise<number> {
  const [first, ...rest] = argv;
  if (first === '--version' || first === '-v') {
    const [{ renderVersion }, { findBundle }] = await Promise.all([import('./cli/version.ts'), import('./server/bundle.ts')]);
    process.stdout.write(renderVersion((await findBundle(process.env))?.versions));
    return 0;
  }
  if (first === undefined || first === '--help' || first === '-h' || first === 'help') {
    const { renderCommandHelp, renderOverview } = await import('./cli/render-help.ts');
    const found = first === 'help' && rest.length > 0 ? await findCommand(rest) : undefined;
    process.stdout.write(found === undefined ? renderOverview() : await renderCommandHelp(found.name, found.command));
    return 0;
  }
  const group = groupAskedFor(argv);
  if (group !== undefined) {
    const { renderOverview } = await import('./cli/render-help.ts');
    process.stdout.write(renderOverview(group));
    return 0;
  }
  // A program's own flags may stand before the command.
  return await runCommand(await findCommand(first === '--debug' ? [...rest, first] : argv));
}
