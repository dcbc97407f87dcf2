// `rfo --help` and `rfo <command> --help`.
import type { Command } from './command.ts';
import { commandList } from './commands.ts';

/** All commands, or those of a group, one line each. */
export function renderOverview(group?: string): string {
  const listed = commandList.filter(([name]) => group === undefined || name.startsWith(`${group} `));
  const width = Math.max(...listed.map(([name]) => name.length)) + 2;
  return [
    'RFO runs Kubernetes.',
    '',
    `Usage: rfo ${group === undefined ? '' : `${group} `}<command>`,
    '',
    'Commands:',
    ...listed.map(([name, { summary }]) => `  ${name.padEnd(width)}${summary}`),
    '',
    'Flags of every command:',
    '  --help       Explain the command',
    '  --debug      Show where an error came from',
    '',
    'rfo --version tells what is in this version.',
    '',
  ].join('\n');
}

/** One command with its flags. */
export async function renderCommandHelp(name: string, command: Command): Promise<string> {
  const head = `${command.summary}.\n\nUsage: rfo ${name} ${command.usage}\n`;
  const infos = (await command.options?.())?.infos ?? [];
  if (infos.length === 0) return head;
  const { renderOptions } = await import('@rfo/schema');
  return `${head}\n${renderOptions({ infos })}\n`;
}
