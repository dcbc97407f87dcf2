// `rfo ca audit`: reads the audit log through.
import { dirname, join } from 'node:path';
import { loadCaOptions } from '@rfo/schema';
import { verifyAudit } from '../../ca/audit/verify.ts';
import { readDatabaseConfig } from '../../ca/serve-files.ts';
import type { Run } from '../../cli/context.ts';
import { loadFlags } from '../../cli/with-config.ts';
import { folderOf } from './open.ts';

/** Prints the hash of the last line: who keeps it elsewhere notices later whether the log was shortened. @throws ca-audit-broken */
export const checkAudit: Run = async (context) => {
  const { values: config } = loadFlags((await loadCaOptions()).caAuditConfig, context);
  const { database } = await folderOf('ca audit', config.dir);
  const beside = config['db-config'] === undefined ? database : await readDatabaseConfig(config['db-config']);
  const file = join(dirname(beside), 'audit.log');
  const { lines, first, last, hash } = await verifyAudit(file);
  context.stdout.write(
    `${file}: ${lines} lines, number ${first} to ${last}, nothing changed or left out between them\nhash of the last: ${hash}\n`,
  );
  return 0;
};
