import { createLog, Life } from '@rfo/foundation';
import type { Found } from './find-command.ts';

/** Runs a command, or explains it where `--help` is among its arguments. @returns its exit code */
export async function runCommand({ name, command, argv }: Found): Promise<number> {
  const { stdout, stderr, env } = process;
  const end = argv.indexOf('--');
  const flags = end < 0 ? argv : argv.slice(0, end);
  // A command without options of its own hands everything on, `--help` as well.
  if (command.options !== undefined && (flags.includes('--help') || flags.includes('-h'))) {
    const { renderCommandHelp } = await import('./render-help.ts');
    stdout.write(await renderCommandHelp(name, command));
    return 0;
  }
  await using life = new Life();
  const run = await command.load();
  return await run({ log: createLog({ write: (line) => stderr.write(line) }), life, argv, env, stdout, stderr });
}
