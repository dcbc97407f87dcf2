import { ensureComponents, openReport } from '@rfo/components';
import type { Purpose } from './host-packages.ts';
import { findManager, installHostPackages } from './install-host-packages.ts';
import { checkPrerequisites } from './prerequisites.ts';
import { raiseWatchLimit } from './watch-limit.ts';

/**
 * Makes the host and the repository ready: tools checked, host packages installed, components built. Nothing is changed before
 * everything that must come from the user is there; a second call finds all done in about a second.
 * @param what the command that asks, for its error texts
 * @returns the folder of the bundle: binaries, images, manifests
 */
export async function prepare(options: {
  readonly what: string;
  readonly purposes: readonly Purpose[];
  readonly signal: AbortSignal;
}): Promise<string> {
  const { what, purposes, signal } = options;
  const manager = findManager();
  await checkPrerequisites(what, manager, signal);
  await installHostPackages({ manager, purposes, say: (line) => console.log(line), signal });
  if (purposes.includes('test')) await raiseWatchLimit((line) => console.log(line));
  using progress = openReport(process.stdout);
  return await ensureComponents({ report: progress.report, signal });
}
