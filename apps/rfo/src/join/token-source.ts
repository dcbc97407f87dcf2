/** The token that a node joins with, which may be put on the host only after the node was started. */
import { type FSWatcher, watch } from 'node:fs';
import { access } from 'node:fs/promises';
import { dirname, relative, sep } from 'node:path';
import { fail, type Log, orAbort, readFileIfExists, sleep, systemCode } from '@rfo/foundation';
import { type ParsedToken, parseToken } from '../tokens/token-format.ts';

export type TokenOptions = {
  readonly config: { readonly 'token'?: string | undefined; readonly 'token-file'?: string | undefined };
  readonly signal: AbortSignal;
  readonly log: Log;
  /** Milliseconds between looks where no event comes, as on network file systems. */
  readonly lookEvery?: number;
};

/** The configured token; undefined where none is configured. A file that does not exist or is empty yet is waited for, saying so once. */
export async function waitForToken({ config, signal, log, lookEvery = 10_000 }: TokenOptions): Promise<ParsedToken | undefined> {
  if (config.token !== undefined) return parseToken(config.token, 'token');
  const file = config['token-file'];
  if (file === undefined) return undefined;
  let said = false;
  for (;;) {
    signal.throwIfAborted();
    // Watched before the look, so that nothing that happens in between goes unseen.
    const change = await watchFolderOf(file);
    try {
      const text = await readToken(file);
      if (text !== undefined) return parseToken(text, `token-file ${file}`);
      if (!said) log.info('the token file is not there yet: waiting for it', { file });
      said = true;
      await orAbort(Promise.race([change.happened, sleep(lookEvery, change.signal)]), signal);
    } finally {
      change.close();
    }
  }
}

/** Resolves when the file of the token was changed, replaced or removed; without one, or where none can be watched, when the signal ends it. */
export async function untilTokenChanges({ config, signal }: Pick<TokenOptions, 'config' | 'signal'>): Promise<void> {
  const file = config['token-file'];
  if (config.token !== undefined || file === undefined) return orAbort(new Promise(() => undefined), signal);
  const change = await watchFolderOf(file);
  try {
    await orAbort(change.happened, signal);
  } finally {
    change.close();
  }
}

/** @throws token-unreadable */
async function readToken(file: string): Promise<string | undefined> {
  try {
    const text = await readFileIfExists(file);
    return text === undefined || text.trim() === '' ? undefined : text;
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    throw fail('token-unreadable', { key: 'token-file', file, problem }, error);
  }
}

type FolderChange = { readonly happened: Promise<void>; readonly signal: AbortSignal; readonly close: () => void };

/** The first event in the file's folder, or in the nearest one above it that exists: the folder may come together with the file. */
async function watchFolderOf(file: string): Promise<FolderChange> {
  const folder = await existing(dirname(file));
  const { promise, resolve } = Promise.withResolvers<void>();
  const ended = new AbortController();
  let watcher: FSWatcher | undefined;
  try {
    const [entry] = relative(folder, file).split(sep);
    watcher = watch(folder, (_event, name) => (name === null || name === entry) && resolve()).on('error', () => resolve());
  } catch (error) {
    // No more watches are to be had (ENOSPC, EMFILE), or the folder has just gone: the look after a while finds the file as well.
    if (!['ENOSPC', 'EMFILE', 'ENOENT'].includes(systemCode(error) ?? '')) throw error;
  }
  const close = (): void => {
    watcher?.close();
    ended.abort(new Error('no longer watched'));
  };
  return { happened: promise, signal: ended.signal, close };
}

async function existing(folder: string): Promise<string> {
  for (let at = folder; ; at = dirname(at)) {
    try {
      await access(at);
      return at;
    } catch (error) {
      if (systemCode(error) !== 'ENOENT' || dirname(at) === at) throw error;
    }
  }
}
