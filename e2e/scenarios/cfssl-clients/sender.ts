/** One process on the host that sends all requests: a process for each would take longer than its answer. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fail, type Life } from '@rfo/foundation';
import { bounded } from '../../harness/node.ts';
import { toolCommand } from '../../harness/tools.ts';
import type { Host } from '../../lab/index.ts';
import type { PlainAnswer, PlainRequest } from '../../tools/http-requests.ts';

/** Answers in the order of the requests. One call at a time: a second one waits for the first. */
export type Sender = (requests: readonly PlainRequest[]) => Promise<readonly PlainAnswer[]>;

export async function openSender(host: Host, life: Life): Promise<Sender> {
  const [file = '', ...args] = host.inside(toolCommand('http-requests'));
  const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  await once(child, 'spawn');
  const exited = once(child, 'exit');
  // When it is gone, the end of its output tells.
  child.stdin.on('error', () => undefined);
  // With its input it ends by itself.
  life.defer(async () => {
    child.stdin.end();
    await exited;
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  let turn: Promise<unknown> = Promise.resolve();
  const send: Sender = async (requests) => {
    child.stdin.write(`${JSON.stringify(requests)}\n`);
    const { value, done } = await lines.next();
    if (done === true) throw fail('internal', { what: 'the sender of requests has ended' });
    return JSON.parse(value) as readonly PlainAnswer[];
  };
  return (requests) => {
    const mine = turn.then(() => send(requests));
    turn = mine.catch(() => undefined);
    return bounded(mine, { signal: life.signal, what: `answers to ${requests.length} requests`, within: 120_000 });
  };
}
