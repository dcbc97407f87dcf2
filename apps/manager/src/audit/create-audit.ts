/** The audit log of the manager: AuditSegment objects in the Kubernetes API, one chain of them for each replica. */
import { type Clock, type Life, type Log, systemClock } from '@rfo/foundation';
import type { KubeClient } from '@rfo/kube';
import { readDuration } from '../identity/read-duration.ts';
import type { Objects } from '../objects/open-objects.ts';
import { limitRefusals } from './limit-refusals.ts';
import { retainAudit, retentionVerb } from './retain.ts';
import { searchAudit } from './search.ts';
import { createSegmentStore } from './segment-store.ts';
import type { Audit, AuditEntry, AuditQuery } from './types.ts';
import { verifyAudit } from './verify.ts';
import { createWriter } from './writer.ts';

export type AuditParts = {
  /** Of the hosting cluster. */
  readonly client: KubeClient;
  readonly objects: { readonly settings: Pick<Objects['settings'], 'get'> };
  /** Name of this replica: no other process may have it at the same time, and its chain goes on where an earlier one of that name ended. */
  readonly replica: string;
  readonly life: Life;
  readonly log: Log;
  readonly clock?: Clock;
};

/** Days that entries are kept where the setting `audit-retention` says nothing else. */
const usualDays = 90;

/** Writes until the life ends, and then what is left. Nothing is read before it is asked for. */
export function createAudit({ client, objects, replica, life, log, clock = systemClock }: AuditParts): Audit {
  const store = createSegmentStore(client);
  const writer = createWriter({ store, replica, clock, life, log });
  const search = (query: AuditQuery): AsyncGenerator<AuditEntry> => searchAudit(query, { store, pending: writer.pending, log });

  const keepFor = (): number => {
    const value = objects.settings.get('audit-retention')?.spec.value;
    const seconds = value === undefined ? undefined : readDuration(value);
    // Too little would delete what was done by whoever set it.
    if (seconds !== undefined && seconds >= 86_400) return seconds * 1000;
    if (value !== undefined)
      log.warn('the setting audit-retention is not used: it has to be a time of at least a day, such as 90d', { value });
    return usualDays * 86_400_000;
  };
  const lastTold = async (): Promise<AuditEntry | undefined> => {
    for await (const entry of search({ verb: retentionVerb, limit: 1 })) return entry;
    return undefined;
  };

  return {
    record: limitRefusals(writer.record, life),
    hasRoom: writer.hasRoom,
    state: writer.state,
    flush: writer.flush,
    search,
    exportLines: async function* (query) {
      for await (const entry of search(query)) yield `${JSON.stringify(entry)}\n`;
    },
    verify: (options) => verifyAudit(store, options),
    retain: (term) => retainAudit(term, { store, keepFor, lastTold, record: writer.record, clock, log }),
  };
}
