import { existsSync, globSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { fail } from '@rfo/foundation';
import {
  atVersion,
  fetchCommand,
  installCommand,
  type Manager,
  type MissingPackage,
  missingPackages,
  type Probe,
  type Purpose,
  versionCommand,
} from './host-packages.ts';
import { run } from './run.ts';

/** Packages that are only unpacked, each in a folder of its name. */
const unpackedPackages = join(import.meta.dirname, '../../.cache/host-packages');

/** The package manager of this host; apt where there are both. */
export function findManager(): Manager {
  if (hasCommand('apt-get')) return 'apt';
  if (hasCommand('dnf')) return 'dnf';
  throw fail('tool-missing', { what: 'a package manager that RFO knows', cure: 'Use a host with apt-get or dnf (Debian, openEuler)' });
}

/**
 * Installs the missing host packages, saying first which and why, and looks again afterwards.
 * @param say gets each line for the user
 * @throws host-packages-failed with the command to run by hand
 */
export async function installHostPackages(options: {
  readonly manager: Manager;
  readonly purposes: readonly Purpose[];
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}): Promise<void> {
  const { manager, purposes, say, signal } = options;
  const look = () => missingPackages({ manager, purposes, present: isPresent });
  const missing = look();
  if (missing.length === 0) return;
  say('Installing host packages:');
  for (const { name, why } of missing) say(`  ${name.padEnd(20)} ${why}`);
  const toInstall = missing.filter(({ unpacked }) => unpacked === undefined);
  const command = installCommand(manager, await Promise.all(toInstall.map((each) => atHostVersion(manager, each, signal))));
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  if (manager === 'apt' && !hasAptLists()) await attempt(['apt-get', 'update'], { env, signal });
  if (toInstall.length > 0) await attempt(command, { env, signal });
  for (const { name, unpacked } of missing) if (unpacked) await unpack(name, { env, signal });
  const left = look();
  if (left.length > 0) throw failed(`still missing: ${left.map(({ name }) => name).join(', ')}`, command);
}

/** What it needs and the host lacks is unpacked with it. */
async function unpack(name: string, options: { readonly env: NodeJS.ProcessEnv; readonly signal: AbortSignal }): Promise<void> {
  const partial = join(unpackedPackages, `.${name}.partial-${process.pid}`);
  const [fetched, target] = [join(partial, 'fetched'), join(unpackedPackages, name)];
  try {
    await mkdir(join(fetched, 'partial'), { recursive: true });
    await attempt(fetchCommand(name, fetched), options);
    for (const archive of globSync(join(fetched, '*.deb'))) await attempt(['dpkg-deb', '--extract', archive, partial], options);
    await rm(fetched, { recursive: true });
    // One that is there has no such command: it was made otherwise or half.
    await rm(target, { recursive: true, force: true });
    await rename(partial, target);
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

/** A part of what the host has already in the same version: a newer one would exchange the host's systemd under it while it runs. */
async function atHostVersion(manager: Manager, { name, partOf }: MissingPackage, signal: AbortSignal): Promise<string> {
  if (partOf === undefined) return name;
  const { status, output } = await run(versionCommand(manager, partOf), { signal });
  const version = output.trim();
  // Where there is none of it, nothing can be exchanged.
  return status === 0 && version !== '' ? atVersion(manager, name, version) : name;
}

async function attempt(
  command: readonly string[],
  options: { readonly env: NodeJS.ProcessEnv; readonly signal: AbortSignal },
): Promise<void> {
  const { status, output } = await run(command, options);
  if (status !== 0) throw failed(output.trim().split('\n').slice(-3).join(' '), command);
}

function failed(problem: string, command: readonly string[]): Error {
  return fail('host-packages-failed', { problem, command: command.join(' ') });
}

/** An image of a host often comes without the lists of packages. */
function hasAptLists(): boolean {
  return globSync('/var/lib/apt/lists/*_Packages*').length > 0;
}

function isPresent(probe: Probe): boolean {
  return 'command' in probe ? hasCommand(probe.command) : hasDevelopmentFile(probe.file);
}

function hasCommand(name: string): boolean {
  const unpacked = globSync(join(unpackedPackages, '*/usr/{bin,sbin}'));
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/local/sbin', '/usr/sbin', '/sbin', ...unpacked];
  return folders.some((folder) => folder !== '' && existsSync(join(folder, name)));
}

function hasDevelopmentFile(name: string): boolean {
  const folders = ['/usr/include', '/usr/local/include', '/usr/lib', '/usr/lib64', '/usr/local/lib', ...globSync('/usr/lib/*-linux-gnu*')];
  return folders.some((folder) => existsSync(join(folder, name)));
}
