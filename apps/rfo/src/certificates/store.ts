/** A key and its certificate on the disk: `<tls>/<name>.key` (0600) and `<tls>/<name>.crt` (0644). */
import { chmodSync, closeSync, fchmodSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fail, systemCode, writeFileAtomic } from '@rfo/foundation';

export type Pair = { readonly key: string | undefined; readonly certificate: string | undefined };

/**
 * The files of one folder. They are small and read by the dozen at a start, so the calls are synchronous: a restart then needs milliseconds for
 * all. Durability is paid for only where it matters: `writeDurable` for what cannot be made again (CAs, the key of service accounts), `write`
 * for leaves, of which a power cut may leave an empty file: the next start makes that leaf anew.
 */
export class CertificateStore {
  readonly #folder: string;
  constructor(folder: string) {
    this.#folder = folder;
  }

  certificateFile(name: string): string {
    return join(this.#folder, `${name}.crt`);
  }

  keyFile(name: string): string {
    return join(this.#folder, `${name}.key`);
  }

  /** Both files; of each undefined where there is none. A key that others may read is closed to them. */
  read(name: string): Pair {
    return { key: readPrivate(this.keyFile(name)), certificate: readIfExists(this.certificateFile(name)) };
  }

  /** Makes the folders of the given certificates, mode 0700. */
  makeFolders(names: readonly string[]): void {
    for (const folder of new Set(names.map((name) => dirname(this.keyFile(name))))) mkdirSync(folder, { recursive: true, mode: 0o700 });
  }

  /** Replaces what is given, the key first: a reader who sees a new key with the old certificate waits for the second event. */
  write(name: string, pair: Partial<Pair>): void {
    if (pair.key !== undefined) replace(this.keyFile(name), pair.key, 0o600);
    if (pair.certificate !== undefined) replace(this.certificateFile(name), pair.certificate, 0o644);
  }

  /** The same, on the disk when it resolves, the folder's entries included. */
  async writeDurable(name: string, pair: Partial<Pair>): Promise<void> {
    const [key, certificate] = [this.keyFile(name), this.certificateFile(name)];
    await unwritable(key, async () => {
      if (pair.key !== undefined) await writeFileAtomic(key, pair.key, 0o600);
      if (pair.certificate !== undefined) await writeFileAtomic(certificate, pair.certificate, 0o644);
      await using folder = await open(dirname(key));
      await folder.sync();
    });
  }
}

function readIfExists(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function readPrivate(file: string): string | undefined {
  const text = readIfExists(file);
  if (text !== undefined && (statSync(file).mode & 0o077) !== 0) chmodSync(file, 0o600);
  return text;
}

/** One fixed name for the temporary file, cleared before: one rfo writes here at a time, and neither a crash nor a full disk leaves a heap of them. */
function replace(file: string, content: string, mode: number): void {
  const temporary = `${file}.tmp`;
  try {
    rmSync(temporary, { force: true });
    const handle = openSync(temporary, 'wx', mode);
    try {
      fchmodSync(handle, mode);
      writeFileSync(handle, content);
    } finally {
      closeSync(handle);
    }
    renameSync(temporary, file);
  } catch (error) {
    throw cannotWrite(file, error);
  }
}

async function unwritable(file: string, write: () => Promise<void>): Promise<void> {
  try {
    await write();
  } catch (error) {
    throw cannotWrite(file, error);
  }
}

function cannotWrite(file: string, error: unknown): Error {
  return fail('certificate-unwritable', { file, problem: error instanceof Error ? error.message : String(error) }, error);
}
