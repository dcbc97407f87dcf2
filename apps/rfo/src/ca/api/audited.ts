/** Acts of the API as they are written into the audit log, also those that are refused. */
import { RfoError, toRfoError } from '@rfo/foundation';
import { formatName } from '@rfo/pki';
import type { AuditEntry } from '../audit/types.ts';
import { CfsslError } from '../cfssl-error.ts';
import type { ApiParts } from './parts.ts';
import { tellRefusal } from './refusals.ts';
import type { ApiRequest } from './types.ts';

/** What is known of an act before it is done. */
export type Act = Omit<AuditEntry, 'result' | 'reason' | 'code'>;

/** Who asks, as far as the connection tells. */
export function actOf(act: string, { remote, client }: ApiRequest): Act {
  return { act, remote, ...(client !== undefined && { client: formatName(client.certificate.subject) }) };
}

/**
 * Does the work; when it fails, the true reason is written down, which the client is not always told.
 * What the work finds out about the act it may add by `learn`.
 */
export async function audited<T>(
  { records, log }: Pick<ApiParts, 'records' | 'log'>,
  act: Act,
  work: (learn: (more: Partial<Act>) => void) => Promise<T>,
): Promise<T> {
  let known = act;
  try {
    return await work((more) => {
      known = { ...known, ...more };
    });
  } catch (error) {
    const entry: AuditEntry = { ...known, result: 'refused', ...reasonOf(error) };
    tellRefusal(log, entry);
    try {
      await records?.audit.write(entry);
    } catch (failure) {
      // It stays refused; that nobody can read of it is the worse news.
      log.error('the audit log cannot be written', { error: toRfoError(failure) });
    }
    throw error;
  }
}

/** The entry of an act that was done: to be written together with what it did, or by itself. */
export function doneEntry(act: Act): AuditEntry {
  return { ...act, result: 'done' };
}

function reasonOf(error: unknown): Pick<AuditEntry, 'reason' | 'code'> {
  if (error instanceof CfsslError) return { reason: error.message, code: error.code };
  if (error instanceof RfoError) return { reason: error.message, code: error.code };
  return { reason: error instanceof Error ? error.message : String(error), code: 0 };
}
