// A file that is named as an argument.
import { text } from 'node:stream/consumers';
import { fail } from '@rfo/foundation';
import { readSpec } from '../../ca/keys/read-key.ts';
import type { CommandContext } from '../../cli/context.ts';

/** The text of an operand: a file, or `-` for the standard input. @throws argument-missing, ca-file-unreadable */
export async function readOperand(command: string, file: string | undefined, what: string, env: CommandContext['env']): Promise<string> {
  if (file === undefined) throw fail('argument-missing', { command, what });
  // Through the stream: what a socket stands for cannot be opened by its name.
  return file === '-' ? await text(process.stdin) : await readSpec(file, env);
}
