/** Tells when something happens to the network of this host, by `ip monitor`: the kernel speaks netlink, which Node does not. */
import { spawn } from 'node:child_process';
import { type Life, type Log, sleep } from '@rfo/foundation';
import { findTool } from './execute.ts';

/** Milliseconds before a monitor that ended is started again. */
const again = 5_000;
/** Milliseconds that a monitor surely listens after: it does not say when it begins to. */
const listensAfter = 2_000;

/**
 * Calls `onChange` at every change, and once soon after the beginning for what may have happened before the watch stood, until the life ends.
 * What has changed is for the caller to look at.
 * @param what kind of objects
 */
export function watchNetwork(
  what: 'link' | 'address',
  { onChange, life, log }: { readonly onChange: () => void; readonly life: Life; readonly log: Log },
): void {
  const watching = follow(what, { onChange, signal: life.signal, log });
  life.defer(() => watching);
}

type Following = { readonly onChange: () => void; readonly signal: AbortSignal; readonly log: Log };

async function follow(what: string, { onChange, signal, log }: Following): Promise<void> {
  while (!signal.aborted) {
    const first = setTimeout(onChange, listensAfter).unref();
    const problem = await monitor(what, onChange, signal);
    clearTimeout(first);
    if (signal.aborted) return;
    log.warn('the network of this host is not watched for a moment', { problem });
    await sleep(again, signal).catch(() => undefined);
  }
}

/** Gives why it ended. */
async function monitor(what: string, onChange: () => void, signal: AbortSignal): Promise<string> {
  const family = what === 'address' ? ['-4'] : [];
  const child = spawn((await findTool('ip')) ?? 'ip', [...family, '-o', 'monitor', what], { stdio: ['ignore', 'pipe', 'ignore'], signal });
  child.stdout.on('data', onChange);
  return new Promise((resolve) => {
    // An end by the signal is an error too.
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code, by) => resolve(`ip monitor ended with ${by ?? `exit code ${code}`}`));
  });
}
