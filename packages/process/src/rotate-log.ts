import { ftruncateSync, readSync, writeSync } from 'node:fs';
import { type FileHandle, open, rename, stat } from 'node:fs/promises';
import { type Life, type Log, systemCode } from '@rfo/foundation';

export type RotateOptions = { readonly maxBytes?: number; readonly keep?: number };

/**
 * Moves a log's content to `<file>.1` (and what was there to `.2`, up to `keep`, 3) once it is larger than `maxBytes` (50 MB); tells whether it did.
 * It copies, then truncates: the writer keeps the file open and goes on at its new end (O_APPEND).
 */
export async function rotateLog(file: string, options: RotateOptions = {}): Promise<boolean> {
  const { maxBytes = 50_000_000, keep = 3 } = options;
  if ((await sizeOf(file)) <= maxBytes) return false;
  for (let number = keep - 1; number >= 1; number--) await renameIfExists(`${file}.${number}`, `${file}.${number + 1}`);
  await copyThenTruncate(file, `${file}.1`);
  return true;
}

/** Looks after logs until the life ends, with one `stat` each every 10 s (`every`, in ms). `files` is asked each time. */
export function rotateLogs(options: {
  readonly files: () => readonly string[];
  readonly life: Life;
  readonly log: Log;
  readonly every?: number;
  readonly limits?: RotateOptions;
}): void {
  const { files, life, log, every = 10_000, limits } = options;
  let running = Promise.resolve();
  let busy = false;
  const rotateAll = async (): Promise<void> => {
    busy = true;
    for (const file of files()) {
      await rotateLog(file, limits).catch((error: unknown) => log.error('cannot rotate a log', { file, error }));
    }
    busy = false;
  };
  const timer = setInterval(() => {
    if (!busy) running = rotateAll();
  }, every).unref();
  life.defer(() => {
    clearInterval(timer);
    return running;
  });
}

async function copyThenTruncate(from: string, to: string): Promise<void> {
  await using source = await open(from, 'r+');
  await using target = await open(to, 'w', 0o640);
  const buffer = Buffer.allocUnsafe(256 * 1024);
  let copied = 0;
  for (;;) {
    const { bytesRead } = await source.read(buffer, 0, buffer.length, copied);
    if (bytesRead === 0) break;
    await target.write(buffer, 0, bytesRead, copied);
    copied += bytesRead;
  }
  finish(source, target, { buffer, copied });
}

/**
 * Copies what came meanwhile and truncates in one turn. What is written between the two calls is lost, and a line may be cut there: some ten
 * microseconds a rotation (measured: 0 to 27 lines of a writer that does nothing but write 200000 lines a second).
 */
function finish(source: FileHandle, target: FileHandle, state: { readonly buffer: Buffer; copied: number }): void {
  const { buffer } = state;
  for (;;) {
    const read = readSync(source.fd, buffer, 0, buffer.length, state.copied);
    if (read === 0) break;
    writeSync(target.fd, buffer, 0, read, state.copied);
    state.copied += read;
  }
  ftruncateSync(source.fd, 0);
}

async function sizeOf(file: string): Promise<number> {
  try {
    return (await stat(file)).size;
  } catch (error) {
    // Its process has not started yet.
    if (systemCode(error) === 'ENOENT') return 0;
    throw error;
  }
}

async function renameIfExists(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
  }
}
