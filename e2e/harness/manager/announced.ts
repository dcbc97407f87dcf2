/** What rfo says of the manager beside it to who started it by hand: `RFO_FOREGROUND` must be in its environment. */
import { readFile } from 'node:fs/promises';
import { type Node, untilLine } from '../node.ts';

/** Waits until the manager is ready; gives all that this rfo has printed. */
export async function announced(node: Node, signal: AbortSignal): Promise<string> {
  await untilLine(node.service(), /^The manager is ready at /, { signal, within: 120_000 });
  return printed(node);
}

/** All that rfo has printed so far since its last start. What belongs together is written at once. */
async function printed(node: Node): Promise<string> {
  const text = await readFile(node.service().logFile, 'utf8');
  return text.slice(Math.max(0, text.lastIndexOf('\nKubernetes is ready on node ')));
}

/** How to sign in for the first time, where that is told. */
export function firstSignIn(text: string): { readonly pin: string; readonly password: string } | undefined {
  const [, password] = /^Sign in as admin\. The password (\S+) is good once, and not shown again\.$/m.exec(text) ?? [];
  const [, pin] = /^ {2}npx rfo manager login \S+ -u admin --ca-pin (sha256:[0-9a-f]{64})$/m.exec(text) ?? [];
  return password === undefined || pin === undefined ? undefined : { password, pin };
}
