import { statSync } from 'node:fs';

/**
 * Gives what `read` makes of these files, and reads again only when one of them is no longer the same. To look costs some microseconds,
 * so a renewed CA counts from the next request on and nothing has to be watched; requests that are answered in the same turn of the event loop
 * look once. Throws what `read` throws, and ENOENT.
 */
export function whileUnchanged<T>(files: readonly string[], read: () => T): () => T {
  let kept: { readonly stamp: string; readonly value: T } | undefined;
  let looked = false;
  return () => {
    if (looked && kept !== undefined) return kept.value;
    // Taken before the reading: a change in between is then seen at the next call.
    const stamp = files.map(stampOf).join();
    if (kept?.stamp !== stamp) kept = { stamp, value: read() };
    looked = true;
    setImmediate(() => {
      looked = false;
    });
    return kept.value;
  };
}

function stampOf(file: string): string {
  const { ino, size, mtimeMs, ctimeMs } = statSync(file);
  return `${ino}/${size}/${mtimeMs}/${ctimeMs}`;
}
