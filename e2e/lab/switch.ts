/** The switch of a lab: a bridge in a network namespace that the keeper holds. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fail } from '@rfo/foundation';
import { baseEnvironment, must, type RunOptions } from './run.ts';

export const GATEWAY = '10.98.0.1';
export const PREFIX = 24;

export type Switch = {
  /** Path of its network namespace. */
  readonly namespace: string;
  /** Runs a command there, where all hosts can be reached; a code other than 0 throws. */
  readonly must: (command: readonly string[], options?: RunOptions) => Promise<string>;
  readonly render: (command: readonly string[]) => readonly string[];
};

/** @param keeper its process number */
export function switchOf(keeper: number): Switch {
  const namespace = `/proc/${keeper}/ns/net`;
  const render = (command: readonly string[]): readonly string[] => ['nsenter', `--net=${namespace}`, ...command];
  return { namespace, render, must: (command, options) => must(render(command), options) };
}

export type Keeper = { readonly pid: number; readonly order: (word: 'done' | 'keep') => Promise<void> };

/**
 * The keeper is a shell that holds the switch's network namespace and waits for one word from us. When we die, whichever way, the pipe
 * closes, and it turns into the program that removes the lab.
 */
export async function startKeeper(dir: string, id: string): Promise<Keeper> {
  const script = [
    'set -eu',
    'ip link set lo up',
    // A host asks for the switch's address on its cable alone: with a wire between, nobody else may answer at its near end.
    'echo 1 > /proc/sys/net/ipv4/conf/all/arp_ignore',
    'ip link add lab0 type bridge forward_delay 0',
    `ip addr add ${GATEWAY}/${PREFIX} dev lab0`,
    'ip link set lab0 up',
    'echo ready',
    'exec >&2',
    'read -r order || order=orphaned',
    'case $order in done) exit 0 ;; keep) exec sleep infinity > /dev/null 2>&1 ;; *) exec "$1" "$2" reap "$3" ;; esac',
  ].join('\n');
  const program = [process.execPath, join(import.meta.dirname, 'main.ts'), dir];
  const child = spawn('unshare', ['--net', 'sh', '-c', script, 'sh', ...program], {
    detached: true,
    env: { ...baseEnvironment(), ...(process.env.RFO_LAB_DIR ? { RFO_LAB_DIR: process.env.RFO_LAB_DIR } : {}), RFO_LAB_KEEPER: id },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const over = once(child, 'exit');
  const [first] = await Promise.race([once(child.stdout, 'data'), over.then(() => [''])]);
  if (String(first).trim() !== 'ready')
    throw fail('process-failed', { name: 'the lab switch', status: 'an error', output: '', log: 'the lines above' });
  child.stdout.destroy();
  child.unref();
  return {
    pid: child.pid ?? 0,
    order: async (word) => {
      child.ref();
      child.stdin.end(`${word}\n`);
      if (word === 'done') await over;
      child.unref();
    },
  };
}
