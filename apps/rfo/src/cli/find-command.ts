import { fail } from '@rfo/foundation';
import type { Command } from './command.ts';
import { commandList } from './commands.ts';

export type Found = { readonly name: string; readonly command: Command; readonly argv: readonly string[] };

/**
 * The command that the words stand for, its name of one to three words taken off.
 * @throws command-unknown
 */
export async function findCommand(argv: readonly string[]): Promise<Found> {
  for (const words of [3, 2, 1]) {
    const name = argv.slice(0, words).join(' ');
    const found = commandList.find(([known]) => known === name);
    if (found !== undefined) return { name, command: found[1], argv: argv.slice(words) };
  }
  throw await unknownCommand(argv);
}

/** The words before `--help` where they begin commands, such as `ca token`; undefined where they do not. */
export function groupAskedFor(argv: readonly string[]): string | undefined {
  const end = argv.findIndex((word) => word === '--help' || word === '-h');
  const words = argv.slice(0, Math.max(0, end)).join(' ');
  return words !== '' && commandList.some(([name]) => name.startsWith(`${words} `)) ? words : undefined;
}

/** Commands that are named one by one where none of them was meant. */
const mostNamed = 8;

async function unknownCommand(argv: readonly string[]) {
  const [first = '', second = ''] = argv;
  const { nearest } = await import('@rfo/schema');
  for (const group of [`${first} ${second}`, first]) {
    const deeper = commandList.map(([name]) => name).filter((name) => name.startsWith(`${group} `));
    const command = argv.slice(0, group.split(' ').length + 1).join(' ');
    if (deeper.length === 0) continue;
    if (deeper.length <= mostNamed) return fail('command-unknown', { command, suggestion: `Use: rfo ${deeper.join(', rfo ')}` });
    const words = deeper.map((name) => name.split(' ').slice(0, command.split(' ').length).join(' '));
    const meant = nearest(command, words);
    const them = `All of them: rfo ${group} --help`;
    return fail('command-unknown', { command, suggestion: meant === undefined ? them : `Did you mean "rfo ${meant}"? ${them}` });
  }
  const near = nearest(
    first,
    commandList.flatMap(([name]) => name.split(' ', 1)),
  );
  const all = 'All commands: rfo --help';
  return fail('command-unknown', { command: first, suggestion: near === undefined ? all : `Did you mean "rfo ${near}"? ${all}` });
}
