import { fail } from '@rfo/foundation';
import type { Command } from './command.ts';
import { commandList } from './commands.ts';

export type Found = { readonly name: string; readonly command: Command; readonly argv: readonly string[] };

/**
 * The command that the words stand for, its name of one or two words taken off.
 * @throws command-unknown
 */
export async function findCommand(argv: readonly string[]): Promise<Found> {
  for (const words of [2, 1]) {
    const name = argv.slice(0, words).join(' ');
    const found = commandList.find(([known]) => known === name);
    if (found !== undefined) return { name, command: found[1], argv: argv.slice(words) };
  }
  throw await unknownCommand(argv);
}

/** Whether the word begins commands of two words. */
export function isGroup(word: string): boolean {
  return commandList.some(([name]) => name.startsWith(`${word} `));
}

async function unknownCommand(argv: readonly string[]) {
  const [first = ''] = argv;
  const deeper = commandList.map(([name]) => name).filter((name) => name.startsWith(`${first} `));
  if (deeper.length > 0)
    return fail('command-unknown', { command: argv.slice(0, 2).join(' '), suggestion: `Use: rfo ${deeper.join(', rfo ')}` });
  const { nearest } = await import('@rfo/schema');
  const near = nearest(
    first,
    commandList.flatMap(([name]) => name.split(' ', 1)),
  );
  const all = 'All commands: rfo --help';
  return fail('command-unknown', { command: first, suggestion: near === undefined ? all : `Did you mean "rfo ${near}"? ${all}` });
}
