import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { fail } from '@rfo/foundation';

/** etcd appends the SHA-256 of the database to its snapshot. */
const trailerSize = 32;
/** A bolt database is a whole number of pages, and pages are multiples of this. */
const block = 512;

/**
 * Proves that a snapshot file is whole: bolt database, then the SHA-256 of it (etcd `server/etcdserver/api/v3rpc/maintenance.go`).
 * Reads the file once; gives its size in bytes and the hash in hex. Throws snapshot-damaged.
 */
export async function verifySnapshotFile(path: string): Promise<{ readonly size: number; readonly sha256: string }> {
  const damaged = (problem: string, cause?: unknown): Error => fail('snapshot-damaged', { file: path, problem }, cause);
  const { size, trailer } = await readTrailer(path).catch((error: unknown) => {
    throw damaged(error instanceof Error ? error.message : String(error), error);
  });
  if (size === 0) throw damaged('it is empty');
  if (size <= trailerSize || size % block !== trailerSize)
    throw damaged(`its size of ${size} bytes is not that of a database and its hash`);
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { end: size - trailerSize - 1, highWaterMark: 1024 * 1024 }))
    hash.update(chunk as Buffer);
  const digest = hash.digest();
  if (!digest.equals(trailer)) throw damaged('its content does not match its hash');
  return { size, sha256: digest.toString('hex') };
}

async function readTrailer(path: string): Promise<{ readonly size: number; readonly trailer: Buffer }> {
  await using file = await open(path);
  const { size } = await file.stat();
  const trailer = Buffer.alloc(trailerSize);
  await file.read(trailer, 0, trailerSize, Math.max(0, size - trailerSize));
  return { size, trailer };
}
