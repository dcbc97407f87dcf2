/** `rfo killall`: ends everything of this node, pods included, whatever state it is in. What is on disk stays. */

import { fail } from '@rfo/foundation';
import { poll, stopUnlisted } from '@rfo/process';
import type { ToolConfig } from '@rfo/schema';
import type { CommandContext } from '../cli/context.ts';
import { cleanHost } from '../host/cleanup/clean-host.ts';
import { execute } from '../host/execute.ts';
import { pathsOf } from '../paths.ts';
import { livingOwner } from '../server/data-directory.ts';

/** Milliseconds that a running rfo has to end. */
const supervisorGrace = 30_000;
const units = ['rfo-server.service', 'rfo-agent.service'];

/** Exit code 0, or 1 when something is left, which it names. */
export async function runKillall(config: Pick<ToolConfig, 'data-dir' | 'run-dir'>, { log, stdout }: CommandContext): Promise<number> {
  if (process.geteuid?.() !== 0) throw fail('not-root', { what: 'rfo killall' });
  const paths = pathsOf(config);
  // Started again by systemd, the node would come back at once. A host without systemd has no such unit to stop.
  await execute('systemctl', ['stop', ...units]);
  await endSupervisor(paths.lockFile);
  const ending = { folder: paths.processRecords, log };
  // etcd last: without it the API server waits for its own end.
  await stopUnlisted({ ...ending, names: new Set(['etcd']) });
  await stopUnlisted({ ...ending, names: new Set() });
  const { left } = await cleanHost({ paths, graceMs: 0, log });
  stdout.write(
    left.length === 0 ? 'Nothing of the node is left running.\n' : `Left behind:\n${left.map((what) => `  ${what}\n`).join('')}`,
  );
  return left.length === 0 ? 0 : 1;
}

/** An rfo that still runs would start again what is ended here; SIGUSR2 ends it alone. */
async function endSupervisor(lockFile: string): Promise<void> {
  const pid = await livingOwner(lockFile);
  if (pid === undefined) return;
  process.kill(pid, 'SIGUSR2');
  await poll(
    async () => {
      if ((await livingOwner(lockFile)) !== undefined) throw fail('process-stuck', { name: 'rfo', pid });
    },
    { signal: AbortSignal.timeout(supervisorGrace) },
  );
}
