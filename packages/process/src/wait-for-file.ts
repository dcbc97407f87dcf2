import { watch } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { readFileIfExists } from '@rfo/foundation';

/**
 * Resolves with a file's text as soon as the file exists and `predicate` accepts the text (any does by default).
 * Its folder is made where missing, and watched before the first look, so that no change is missed.
 */
export async function waitForFile(
  path: string,
  options: { readonly signal: AbortSignal; readonly predicate?: (text: string) => boolean },
): Promise<string> {
  const { signal, predicate = () => true } = options;
  signal.throwIfAborted();
  await mkdir(dirname(path), { recursive: true, mode: 0o755 });
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const look = async (): Promise<void> => {
    const text = await readFileIfExists(path);
    if (text !== undefined && predicate(text)) resolve(text);
  };
  const watcher = watch(dirname(path), (_, name) => {
    if (name === null || name === basename(path)) look().catch(reject);
  });
  const abort = (): void => reject(signal.reason);
  watcher.once('error', reject);
  signal.addEventListener('abort', abort);
  if (signal.aborted) abort();
  try {
    look().catch(reject);
    return await promise;
  } finally {
    signal.removeEventListener('abort', abort);
    watcher.close();
  }
}
