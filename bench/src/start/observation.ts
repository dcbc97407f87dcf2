/** Runs the observer beside a host and gathers what it sees. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Host } from '@rfo/e2e';
import { fail, orAbort } from '@rfo/foundation';
import type { Fact } from './marks.ts';
import { node } from './node-paths.ts';
import { onMachine } from './on-machine.ts';

export type Observation = {
  readonly facts: readonly Fact[];
  /** Resolves as soon as the facts say so. @throws timeout, or the reason of `signal` */
  readonly until: (what: string, said: (facts: readonly Fact[]) => boolean, signal: AbortSignal) => Promise<void>;
  readonly stop: () => Promise<void>;
};

/** Longest time that anything of a start may take, in seconds. */
const longest = 180;

/** Resolves when the observer watches: what is started then is seen from its first moment on. */
export async function observe(host: Host, mode: 'cold' | 'restart'): Promise<Observation> {
  const program = [process.execPath, join(import.meta.dirname, 'observer.ts'), onMachine(host, node.tls), host.name, mode];
  // Its network is the host's; everything else of it is this machine's.
  const child = spawn('nsenter', [`--net=/proc/${host.init()}/ns/net`, ...program], { stdio: ['pipe', 'pipe', 'inherit'] });
  const over = once(child, 'exit');
  const facts: Fact[] = [];
  let seen = Promise.withResolvers<void>();
  const lines = createInterface(child.stdout);
  const watching = once(lines, 'line').then(() => {
    lines.on('line', (line) => {
      facts.push(JSON.parse(line) as Fact);
      seen.resolve();
      seen = Promise.withResolvers();
    });
  });
  await Promise.race([watching, over]);
  if (child.exitCode !== null)
    throw fail('process-failed', { name: 'the observer', status: `${child.exitCode}`, output: '', log: 'the lines above' });
  return {
    facts,
    until: async (what, said, signal) => {
      const late = AbortSignal.timeout(longest * 1000);
      const either = AbortSignal.any([signal, late]);
      while (!said(facts)) {
        await orAbort(seen.promise, either).catch((error: unknown) => {
          throw late.aborted ? fail('timeout', { what, seconds: longest, cure: `Seen last: ${JSON.stringify(facts.slice(-3))}` }) : error;
        });
      }
    },
    stop: async () => {
      child.stdin.end();
      await over;
    },
  };
}
