/** What a node shows beside its name, so that no other host can take the name over: made once for the host, kept as long as it lives. */
import { randomBytes } from 'node:crypto';
import { chmod, link, mkdir, open, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fail, readFileIfExists, systemCode } from '@rfo/foundation';
import type { Paths } from '../paths.ts';

/**
 * The password of this host, 32 hexadecimal digits, from /etc/rancher/node/password (mode 0600); made where there is none.
 * A file that holds something else is not replaced: the servers would refuse the node under a new one.
 * @throws node-password-invalid
 */
export async function ensureNodePassword({ nodePassword: file }: Pick<Paths, 'nodePassword'>): Promise<string> {
  const kept = await readFileIfExists(file);
  if (kept === undefined) return create(file);
  const password = kept.trim();
  if (!/^[0-9a-f]{32}$/.test(password)) throw fail('node-password-invalid', { file });
  if (((await stat(file)).mode & 0o077) !== 0) await chmod(file, 0o600);
  return password;
}

/** Complete at the moment it appears, and never over another: a second rfo on the host may do the same. */
async function create(file: string): Promise<string> {
  const password = randomBytes(16).toString('hex');
  const folder = dirname(file);
  await mkdir(folder, { recursive: true, mode: 0o755 });
  const temporary = `${file}.${randomBytes(4).toString('hex')}.tmp`;
  try {
    await write(temporary, `${password}\n`);
    await link(temporary, file);
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return await ensureNodePassword({ nodePassword: file });
    throw error;
  } finally {
    await rm(temporary, { force: true });
  }
  await using entries = await open(folder);
  await entries.sync();
  return password;
}

async function write(file: string, text: string): Promise<void> {
  await using handle = await open(file, 'wx', 0o600);
  await handle.writeFile(text);
  await handle.sync();
}
