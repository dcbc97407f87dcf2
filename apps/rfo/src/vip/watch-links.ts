/** Tells when something happens to the interfaces of this host, by `ip monitor`: the kernel speaks netlink, which Node does not. */
import { spawn } from 'node:child_process';
import { type Life, type Log, sleep } from '@rfo/foundation';
import { findTool } from '../host/execute.ts';

/** Milliseconds before a monitor that ended is started again. */
const again = 5_000;

/** Calls `onChange` at every change, until the life ends. What has changed is for the caller to look at. */
export function watchLinks(input: { readonly onChange: () => void; readonly life: Life; readonly log: Log }): void {
  const { onChange, life, log } = input;
  const watching = follow(onChange, life.signal, log);
  life.defer(() => watching);
}

async function follow(onChange: () => void, signal: AbortSignal, log: Log): Promise<void> {
  while (!signal.aborted) {
    const problem = await monitor(onChange, signal);
    if (signal.aborted) return;
    log.warn('the interfaces are not watched for a moment', { problem });
    await sleep(again, signal).catch(() => undefined);
    onChange();
  }
}

/** Gives why it ended. */
async function monitor(onChange: () => void, signal: AbortSignal): Promise<string> {
  const child = spawn((await findTool('ip')) ?? 'ip', ['-o', 'monitor', 'link'], { stdio: ['ignore', 'pipe', 'ignore'], signal });
  child.stdout.on('data', onChange);
  return new Promise((resolve) => {
    // An end by the signal is an error too.
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code, by) => resolve(`ip monitor ended with ${by ?? `exit code ${code}`}`));
  });
}
