// Asks the user at the terminal; a password without showing it.
import { createInterface } from 'node:readline';
import { fail } from '@rfo/foundation';
import type { CommandContext } from '../../cli/context.ts';

/** Whether there is somebody to ask. */
export function isTerminal(): boolean {
  return process.stdin.isTTY === true;
}

/** One line that may be seen. @param cure what to do where there is no terminal. @throws manager-terminal-missing */
export async function askLine(what: string, cure: string, { stderr, life }: CommandContext): Promise<string> {
  demandTerminal(what, cure);
  stderr.write(`${what}: `);
  const lines = createInterface({ input: process.stdin, terminal: false });
  try {
    return await new Promise<string>((resolve, reject) => {
      lines.once('line', resolve);
      lines.once('close', () => reject(fail('manager-terminal-missing', { what, cure })));
      life.signal.addEventListener('abort', () => reject(life.signal.reason), { once: true });
    });
  } finally {
    lines.close();
    process.stdin.pause();
  }
}

/**
 * One line that nobody sees: the terminal does not echo while it is typed.
 * @throws manager-terminal-missing, also at the end of the input; manager-not-confirmed at Ctrl-C
 */
export async function askSecret(what: string, cure: string, { stderr }: CommandContext): Promise<string> {
  demandTerminal(what, cure);
  const { stdin } = process;
  // Before it is asked: who answers at once must not be echoed.
  stdin.setRawMode(true);
  stderr.write(`${what}: `);
  try {
    return await new Promise<string>((resolve, reject) => {
      let line: Line = { text: '', ahead: '' };
      const onData = (chunk: string): void => {
        line = typed(line.text, chunk);
        if (line.end === undefined) return;
        stop();
        // What was typed ahead is the answer to the next question.
        if (line.ahead !== '') stdin.unshift(line.ahead);
        if (line.end === 'enter') resolve(line.text);
        else reject(line.end === 'cancelled' ? fail('manager-not-confirmed', { what }) : fail('manager-terminal-missing', { what, cure }));
      };
      const onEnd = (): void => {
        stop();
        reject(fail('manager-terminal-missing', { what, cure }));
      };
      const stop = (): void => void stdin.off('data', onData).off('end', onEnd);
      stdin.setEncoding('utf8').on('data', onData).on('end', onEnd).resume();
    });
  } finally {
    stdin.setRawMode(false);
    stdin.pause();
    stderr.write('\n');
  }
}

type Line = { readonly text: string; readonly ahead: string; readonly end?: 'enter' | 'cancelled' | 'closed' };

/** What keys make of a line that a terminal in raw mode does not edit by itself. */
function typed(before: string, keys: string): Line {
  let text = before;
  for (const [at, key] of [...keys].entries()) {
    const ahead = [...keys].slice(at + 1).join('');
    if (key === '\r' || key === '\n') return { text, ahead, end: 'enter' };
    if (key === '\u0003') return { text, ahead, end: 'cancelled' };
    if (key === '\u0004') return { text, ahead, end: 'closed' };
    if (key === '\u007f' || key === '\b') text = [...text].slice(0, -1).join('');
    else text = key === '\u0015' ? '' : text + key;
  }
  return { text, ahead: '' };
}

/** A new password, asked for once more against slips. @throws manager-not-confirmed, manager-terminal-missing */
export async function askTwice(what: string, cure: string, context: CommandContext): Promise<string> {
  const first = await askSecret(what, cure, context);
  if ((await askSecret(`${what} again`, cure, context)) === first) return first;
  throw fail('manager-not-confirmed', { what: 'the new password' });
}

/** @throws manager-not-confirmed, manager-terminal-missing */
export async function confirm(question: string, what: string, context: CommandContext): Promise<void> {
  const cure = 'Give --yes';
  demandTerminal(`a yes to "${question}"`, cure);
  const answer = await askLine(`${question} (yes/no)`, cure, context);
  if (!/^y(es)?$/i.test(answer.trim())) throw fail('manager-not-confirmed', { what });
}

function demandTerminal(what: string, cure: string): void {
  if (!isTerminal()) throw fail('manager-terminal-missing', { what, cure });
}
