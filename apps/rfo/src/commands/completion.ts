// `rfo completion`: what the shells are to offer, from the table of commands and their declarations.
import { fail } from '@rfo/foundation';
import type { CommandList } from '../cli/command.ts';
import { bashCompletion, fishCompletion, type Offered, zshCompletion } from '../cli/completion.ts';
import type { Run } from '../cli/context.ts';

const shells = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion } as const;

/** The command that writes the script of the shell that its argument names. */
export const completionOf =
  (commands: CommandList): Run =>
  async ({ argv, stdout }) => {
    const [shell, surplus] = argv;
    if (shell === undefined) throw fail('argument-missing', { command: 'completion', what: 'a shell: bash, zsh or fish' });
    if (surplus !== undefined || !isShell(shell)) throw fail('argument-unexpected', { command: 'completion', argument: surplus ?? shell });
    stdout.write(shells[shell](await gather(commands)));
    return 0;
  };

async function gather(commands: CommandList): Promise<readonly Offered[]> {
  return await Promise.all(
    commands.map(async ([name, command]) => {
      const infos = command.options === undefined ? [] : (await command.options()).infos;
      return { name, summary: command.summary, operands: command.operands ?? [], infos: infos.filter((info) => info.hidden !== true) };
    }),
  );
}

function isShell(name: string): name is keyof typeof shells {
  return Object.hasOwn(shells, name);
}
