/** The audit log of the CA: one JSON line for each act, those that were refused too. */
import type { WithIt } from '../store/types.ts';

/** One act. Absent fields are left out of the line. */
export type AuditEntry = {
  /** What was asked for: `sign`, `revoke`, `token-create`, … */
  readonly act: string;
  /** Who asked: address of the connection, id of a join token, name of an authentication key, subject of a client certificate, local user. */
  readonly remote?: string;
  readonly token?: string;
  readonly key?: string;
  readonly client?: string;
  readonly user?: string;
  readonly profile?: string;
  /** As RFC 4514 writes it. */
  readonly subject?: string;
  readonly names?: readonly string[];
  readonly node?: string;
  /** Decimal. */
  readonly serial?: string;
  readonly authorityKeyId?: string;
  readonly result: 'done' | 'refused';
  /** Why it was refused, or what else is to be said. Never a secret. */
  readonly reason?: string;
  readonly code?: number | string;
};

export type Audit = {
  /**
   * Resolves when the entry is on the disk; entries of the same moment share one commit with certificates. Of a flood of refusals most are counted
   * only, and the count is written. @throws ca-store-failed
   */
  readonly write: (entry: AuditEntry) => Promise<void>;
  /** The entry as part of an insertion or revocation: both are written, or neither. Several acts are joined by calling them one after another. */
  readonly within: (entry: AuditEntry) => WithIt;
};
