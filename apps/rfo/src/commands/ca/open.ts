// What the commands on a CA of this host begin with: its folder, its database, and who runs them.
import { userInfo } from 'node:os';
import { fail, systemClock, systemCode } from '@rfo/foundation';
import { openFolder } from '../../ca/keys/authority.ts';
import type { CaPaths } from '../../ca/keys/ca-paths.ts';
import { readDatabaseConfig } from '../../ca/serve-files.ts';
import { openStore } from '../../ca/store/open-store.ts';
import type { CommandContext } from '../../cli/context.ts';

export type CaChoice = { readonly 'dir': string; readonly 'db-config'?: string | undefined };
export type OpenedStore = Awaited<ReturnType<typeof openStore>>;

/**
 * The folder of a CA with its database, closed with the life.
 * @throws ca-missing, not-root, ca-store-failed
 */
export async function openCa(name: string, config: CaChoice, context: CommandContext): Promise<{ readonly paths: CaPaths } & OpenedStore> {
  const paths = await folderOf(name, config.dir);
  return { paths, ...(await openDatabaseOf(paths, config, context)) };
}

/**
 * The folder alone.
 * @throws ca-missing, not-root
 */
export async function folderOf(name: string, dir: string): Promise<CaPaths> {
  try {
    return await openFolder(dir);
  } catch (error) {
    if (systemCode(error) === 'EACCES') throw fail('not-root', { what: `rfo ${name}` }, error);
    throw error;
  }
}

/** The database of a folder, or the one that `--db-config` names; closed with the life. */
export async function openDatabaseOf(
  paths: CaPaths,
  config: Pick<CaChoice, 'db-config'>,
  { life, log }: Pick<CommandContext, 'life' | 'log'>,
): Promise<OpenedStore> {
  const file = config['db-config'] === undefined ? paths.database : await readDatabaseConfig(config['db-config']);
  const opened = await openStore({ file, clock: systemClock, log: log.part('store') });
  life.defer(() => opened.close());
  return opened;
}

/** Who acts, for the audit log: the account on this host. */
export function localUser(): string {
  return process.env.SUDO_USER ?? userInfo().username;
}
