/** Opens what the CA remembers: certificates, join tokens, and the log of who did what. */
import { dirname, join } from 'node:path';
import type { Clock, Log } from '@rfo/foundation';
import { openAuditLog } from '../audit/audit-log.ts';
import { limitRefusals } from '../audit/limit-refusals.ts';
import type { Audit, AuditEntry } from '../audit/types.ts';
import { createJoinTokens } from '../tokens/join-tokens.ts';
import type { JoinTokens } from '../tokens/types.ts';
import { createCertificates } from './certificates.ts';
import { createGroupCommit } from './group-commit.ts';
import { lockDatabase } from './lock.ts';
import { openDatabase } from './open-database.ts';
import { storeError } from './sqlite-error.ts';
import type { CertificateStore } from './types.ts';

export type OpenStore = {
  readonly store: CertificateStore;
  readonly tokens: JoinTokens;
  readonly audit: Audit;
  /** Waits for what is being written. Once. */
  readonly close: () => Promise<void>;
};

/**
 * Opens the database `file` (a new one, one of ours, one of cfssl) and `audit.log` beside it, both with mode 0600.
 * @param server lives on the database alone and checks first that it is sound; commands leave it out and work beside a server, which learns by `look`
 * @throws ca-database-in-use (another server), ca-database-foreign, ca-database-damaged, ca-audit-broken, ca-store-failed
 */
export async function openStore({
  file,
  clock,
  log,
  server = false,
}: {
  readonly file: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly server?: boolean;
}): Promise<OpenStore> {
  await using undo = new AsyncDisposableStack();
  if (server) undo.defer(lockDatabase(file));
  const db = openDatabase({ file, log, check: server });
  undo.defer(() => db.close());
  const auditLog = openAudit();
  undo.defer(() => auditLog.close());
  const commits = createGroupCommit({ db, file, companion: auditLog.companion });
  undo.defer(() => commits.close());

  const store = createCertificates({ db, commits, log });
  const tokens = createJoinTokens({ db, commits, clock });
  const limit = limitRefusals(clock);
  const writeAll = (...entries: (AuditEntry | undefined)[]): Promise<void> =>
    commits.write(() => {
      for (const entry of entries) if (entry) auditLog.within(entry)();
    });
  const audit: Audit = {
    within: auditLog.within,
    write: async (entry) => {
      if (limit.admits(entry)) await writeAll(limit.due(), entry);
    },
  };
  undo.defer(async () => {
    const counted = limit.due('end');
    if (counted) await writeAll(counted);
  });
  const opened = undo.move();
  return { store, tokens, audit, close: () => opened.disposeAsync() };

  function openAudit(): ReturnType<typeof openAuditLog> {
    try {
      return openAuditLog({ db, path: join(dirname(file), 'audit.log'), clock, log });
    } catch (error) {
      throw storeError(error, file);
    }
  }
}
