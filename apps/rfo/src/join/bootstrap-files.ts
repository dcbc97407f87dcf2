/** Puts what all servers of a cluster share into the data directory of one that joins: all of it or nothing, and never over another cluster's. */
import { createPublicKey } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fail, type Log, RfoError, systemCode } from '@rfo/foundation';
import { certificateInfos, decodeKey, formatName } from '@rfo/pki';
import { authorityNames } from '../certificates/table.ts';
import type { Paths } from '../paths.ts';
import type { BootstrapData } from '../supervisor/api.ts';
import { bootstrapFiles } from '../supervisor/bootstrap-data.ts';
import { caHash } from '../tokens/token-format.ts';

export type BootstrapOptions = {
  readonly data: BootstrapData;
  readonly paths: Paths;
  /** PEM of the CA that was pinned: what is shared must hold the same. */
  readonly authority: string;
  /** Where it came from, for error texts. */
  readonly server: string;
  readonly log: Log;
};

/**
 * Writes the files below `server/`, keys 0600 and certificates 0644, durably. Their names come from our own table; what else was sent is
 * left out, with a warning. Everything is checked first and written to a folder beside; from the moment that folder is complete a crash
 * changes nothing any more: `finishBootstrapFiles` goes on where it was.
 * @returns the files that are new or changed
 * @throws bootstrap-invalid, bootstrap-conflict where CAs of another cluster lie there already
 */
export async function writeBootstrapFiles(options: BootstrapOptions): Promise<readonly string[]> {
  const { data, paths, server, log } = options;
  const { root, bootstrapStaging: staging, bootstrapReady: ready } = paths.server;
  const names = bootstrapFiles(paths);
  const unknown = Object.keys(data).filter((name) => !names.includes(name));
  if (unknown.length > 0) log.warn('the server shares more files than this version knows of', { server, count: unknown.length });

  const files = new Map(names.map((name) => [name, decode(name, options)]));
  check(files, options);
  await finishBootstrapFiles(paths);
  const there = new Map(await Promise.all(names.map(async (name) => [name, await readIfThere(join(root, name))] as const)));
  refuseOtherCluster({ files, there, paths });
  const changed = [...files].filter(([name, content]) => there.get(name)?.equals(content) !== true);
  if (changed.length === 0) return [];

  await rm(staging, { recursive: true, force: true });
  for (const [name, content] of changed) {
    await mkdir(dirname(join(staging, name)), { recursive: true, mode: 0o700 });
    await writeSynced(join(staging, name), { content, mode: name.endsWith('.crt') ? 0o644 : 0o600 });
  }
  await syncFolders(changed.map(([name]) => dirname(join(staging, name))));
  await rename(staging, ready);
  await syncFolders([root]);
  await finishBootstrapFiles(paths);
  return changed.map(([name]) => name);
}

/**
 * Moves the files of a join that was interrupted to their places; does nothing where there are none. Has to be called at each start before
 * any of the files is looked at, else a half-joined server would make up the other half.
 */
export async function finishBootstrapFiles(paths: Paths): Promise<void> {
  const { root, bootstrapReady: ready } = paths.server;
  if (!existsSync(ready)) return;
  const waiting = bootstrapFiles(paths).filter((name) => existsSync(join(ready, name)));
  for (const name of waiting) {
    await mkdir(dirname(join(root, name)), { recursive: true, mode: 0o700 });
    await rename(join(ready, name), join(root, name));
  }
  await syncFolders(waiting.map((name) => dirname(join(root, name))));
  await rm(ready, { recursive: true });
}

/** @throws bootstrap-invalid */
function decode(name: string, { data, server }: BootstrapOptions): Buffer {
  const text = data[name];
  if (text === undefined) throw fail('bootstrap-invalid', { server, problem: `${name} is missing` });
  const content = Buffer.from(text, 'base64');
  if (content.length === 0) throw fail('bootstrap-invalid', { server, problem: `${name} is empty` });
  return content;
}

/** Every CA is one and has its key, the CA of servers is the pinned one, and the encryption configuration is readable. */
function check(files: ReadonlyMap<string, Buffer>, { paths, authority, server }: BootstrapOptions): void {
  const text = (file: string): string => files.get(file.slice(paths.server.root.length + 1))?.toString('utf8') ?? '';
  const invalid = (problem: string, cause?: unknown): Error => fail('bootstrap-invalid', { server, problem }, cause);
  try {
    for (const name of authorityNames) {
      const [certificate] = certificateInfos(text(join(paths.server.tls, `${name}.crt`)), `${name}.crt`);
      if (certificate?.ca !== true) throw invalid(`${name}.crt is no CA`);
      const key = createPublicKey(decodeKey(text(join(paths.server.tls, `${name}.key`)), `${name}.key`));
      const own = createPublicKey({ key: certificate.publicKey, format: 'der', type: 'spki' });
      if (!key.equals(own)) throw invalid(`${name}.key is the key of another CA`);
    }
    if (caHash(text(join(paths.server.tls, 'server-ca.crt'))) !== caHash(authority))
      throw invalid('its CA of servers is not the one it shows');
    JSON.parse(text(paths.server.encryptionConfig));
  } catch (error) {
    if (error instanceof RfoError && error.code === 'bootstrap-invalid') throw error;
    if (error instanceof RfoError) throw invalid(error.message.replace(/\.$/, ''), error);
    if (error instanceof SyntaxError) throw invalid(`${basename(paths.server.encryptionConfig)} is not JSON`, error);
    throw error;
  }
}

/**
 * A CA is the same as long as its key is: servers prolong it. Other files may differ, as the cluster changes them, but only where its CAs lie
 * already: without those they are no one's.
 * @throws bootstrap-conflict
 */
function refuseOtherCluster(given: {
  readonly files: ReadonlyMap<string, Buffer>;
  readonly there: ReadonlyMap<string, Buffer | undefined>;
  readonly paths: Paths;
}): void {
  const { files, there, paths } = given;
  const differences = authorityNames.flatMap((name) => {
    const file = join(paths.server.tls, `${name}.crt`).slice(paths.server.root.length + 1);
    const [kept, shared] = [there.get(file), files.get(file)];
    if (kept === undefined || shared === undefined) return [];
    const [own, theirs] = [describeAuthority(kept), describeAuthority(shared)];
    return own.key === theirs.key ? [] : [`${file} is ${own.name} here, ${theirs.name} in the cluster`];
  });
  if (differences.length > 0) throw fail('bootstrap-conflict', { dir: paths.server.root, differences: differences.join('; ') });
}

function describeAuthority(pem: Buffer): { key: string; name: string } {
  try {
    const [certificate] = certificateInfos(pem.toString('utf8'));
    if (certificate !== undefined) return { key: certificate.publicKey.toString('base64'), name: formatName(certificate.subject) };
  } catch (error) {
    if (!(error instanceof RfoError)) throw error;
  }
  return { key: '', name: 'unreadable' };
}

async function readIfThere(file: string): Promise<Buffer | undefined> {
  try {
    return await readFile(file);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

async function writeSynced(file: string, { content, mode }: { content: Buffer; mode: number }): Promise<void> {
  await using handle = await open(file, 'wx', mode);
  await handle.chmod(mode);
  await handle.writeFile(content);
  await handle.sync();
}

async function syncFolders(folders: readonly string[]): Promise<void> {
  for (const folder of new Set(folders)) {
    await using handle = await open(folder);
    await handle.sync();
  }
}
