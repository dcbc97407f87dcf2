/** Which file is where, as the flags of `rfo ca serve` say. */
import { readFile } from 'node:fs/promises';
import { fail } from '@rfo/foundation';
import type { CaServeConfig } from '@rfo/schema';
import { type CaPaths, caPaths } from './keys/ca-paths.ts';
import type { FilePair } from './keys/own-files.ts';

export type ServeFiles = {
  readonly paths: CaPaths;
  /** A CA that is not the folder's own: paths, `file:` or `env:`. */
  readonly ca: { readonly ca: string; readonly caKey: string } | undefined;
  readonly config: string;
  readonly database: string;
  /** Pairs that somebody else keeps; undefined: ours, renewed by themselves. */
  readonly responder: FilePair | undefined;
  readonly tls: FilePair | undefined;
};

export type FileFlags = Pick<CaServeConfig, 'dir' | 'ca' | 'ca-key' | 'config' | 'db-config'>;

/**
 * What is not named is in the folder of the CA.
 * @throws ca-file-unreadable of a database configuration
 */
export async function serveFiles(flags: CaServeConfig): Promise<ServeFiles> {
  const common = await caFiles(flags);
  return {
    ...common,
    responder: pairOf(flags.responder, flags['responder-key']),
    tls: pairOf(flags['tls-cert'], flags['tls-key']),
  };
}

/** The part of it that every command on a CA's key needs. */
export async function caFiles(flags: FileFlags): Promise<Pick<ServeFiles, 'paths' | 'ca' | 'config' | 'database'>> {
  const paths = caPaths(flags.dir);
  const { ca, 'ca-key': caKey, 'db-config': database } = flags;
  return {
    paths,
    ca: ca === undefined && caKey === undefined ? undefined : { ca: ca ?? paths.ca, caKey: caKey ?? paths.caKey },
    config: flags.config ?? paths.config,
    database: database === undefined ? paths.database : await readDatabaseConfig(database),
  };
}

/**
 * The file that a cfssl database configuration names: `{"driver":"sqlite3","data_source":"/path/certdb.db"}`.
 * @throws ca-file-unreadable
 */
export async function readDatabaseConfig(file: string): Promise<string> {
  const problem = (text: string, error?: unknown): Error => fail('ca-file-unreadable', { file, problem: text }, error);
  let config: { readonly driver?: unknown; readonly data_source?: unknown };
  try {
    config = JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    throw problem(error instanceof Error ? error.message : String(error), error);
  }
  const { driver, data_source: source } = config;
  if (driver !== 'sqlite3') throw problem(`its driver is ${JSON.stringify(driver)}; here it is sqlite3 alone`);
  if (typeof source !== 'string' || source === '') throw problem('its data_source names no file');
  return source.replace(/^file:/, '').replace(/\?.*$/, '');
}

function pairOf(certificate: string | undefined, key: string | undefined): FilePair | undefined {
  const plain = (path: string): string => path.replace(/^file:/, '');
  return certificate === undefined || key === undefined ? undefined : { certificate: plain(certificate), key: plain(key) };
}
