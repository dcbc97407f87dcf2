import { open } from 'node:fs/promises';

const window = 4096;
const longest = 300;

/** The last line with anything on it that was written to a log at or after `offset` bytes, shortened; empty when there is none. */
export async function lastLine(file: string, offset: number): Promise<string> {
  await using handle = await open(file, 'r');
  const { size } = await handle.stat();
  // A log shorter than the offset has been rotated since.
  const from = Math.max(size - window, offset <= size ? offset : 0);
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(window), 0, window, from);
  const lines = buffer.toString('utf8', 0, bytesRead).split('\n');
  return (lines.findLast((line) => line.trim() !== '') ?? '').trim().slice(0, longest);
}
