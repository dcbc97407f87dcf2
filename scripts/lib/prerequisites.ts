import { delimiter } from 'node:path';
import { fail } from '@rfo/foundation';
import type { Manager } from './host-packages.ts';
import { run } from './run.ts';

const oldestGo = [1, 26] as const;
const goFolders = ['/usr/local/go/bin', '/usr/lib/go/bin', '/usr/lib/golang/bin'];

/**
 * Looks for what the repository needs and does not install by itself: root, a C compiler, Go. Changes nothing but this process's
 * PATH, which gains the usual folders of Go and of the administrator's commands.
 * @throws not-root, tool-missing: the first that is missing, with its cure
 */
export async function checkPrerequisites(what: string, manager: Manager, signal: AbortSignal): Promise<void> {
  if (process.getuid?.() !== 0) throw fail('not-root', { what });
  const path = process.env.PATH ?? '';
  process.env.PATH = [path, ...goFolders, '/usr/local/sbin', '/usr/sbin', '/sbin'].join(delimiter);
  if ((await versionOf([process.env.CC ?? 'gcc', '--version'], signal)) === undefined) {
    throw fail('tool-missing', { what: 'a C compiler', cure: `Install it with: ${manager === 'apt' ? 'apt-get' : 'dnf'} install gcc` });
  }
  const go = await versionOf(['go', 'env', 'GOVERSION'], signal);
  if (go !== undefined && isGoNewEnough(go)) return;
  throw fail('tool-missing', {
    what: `Go ${oldestGo.join('.')} or newer${go === undefined ? '' : ` (this host has ${go.trim()})`}`,
    cure: 'Unpack it from https://go.dev/dl into /usr/local/go',
  });
}

/** @param version as Go prints it: `go1.26.8` */
export function isGoNewEnough(version: string): boolean {
  const [, major = '0', minor = '0'] = /^go(\d+)\.(\d+)/.exec(version) ?? [];
  return Number(major) > oldestGo[0] || (Number(major) === oldestGo[0] && Number(minor) >= oldestGo[1]);
}

async function versionOf(command: readonly string[], signal: AbortSignal): Promise<string | undefined> {
  try {
    const { status, output } = await run(command, { signal });
    return status === 0 ? output : undefined;
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
}
