/** Keeps anybody from filling the audit log with what is refused to him: beyond so many a minute they are counted, and the number is told. */
import type { Life } from '@rfo/foundation';
import type { AuditRecord } from './types.ts';

/** Milliseconds. */
const window = 60_000;
/** Refusals of one user or address within it that are told each. */
const most = 60;
/** Users and addresses that are told apart; the others count as one. */
const mostKeys = 10_000;

type Seen = { told: number; counted: number; readonly whose: Pick<AuditRecord, 'user' | 'username' | 'address'> };

/**
 * Gives a filter before `record`; what was done or has failed passes always.
 * @param record is told the numbers at the end of each window, and at the end of the life
 */
export function limitRefusals(record: (record: AuditRecord) => void, life: Life): (record: AuditRecord) => void {
  let seen = new Map<string, Seen>();
  let timer: NodeJS.Timeout | undefined;
  const turn = (): void => {
    timer = undefined;
    const before = seen;
    seen = new Map();
    for (const { counted, whose } of before.values()) {
      if (counted === 0) continue;
      const message = `${counted} more requests were refused within a minute: too many to tell each of them`;
      record({ verb: 'refused', result: 'refused', message, ...whose });
    }
  };
  life.defer(() => {
    clearTimeout(timer);
    turn();
  });

  return (entry) => {
    if (entry.result !== 'refused') return record(entry);
    timer ??= setTimeout(turn, window);
    const { user, username, address } = entry;
    const key = user === undefined ? `address ${address}` : `user ${user}`;
    const known = seen.get(key);
    const shared = known === undefined && seen.size >= mostKeys;
    const one = known ?? seen.get(shared ? '' : key) ?? { told: 0, counted: 0, whose: shared ? {} : { user, username, address } };
    seen.set(known !== undefined || !shared ? key : '', one);
    if (one.told >= most) {
      one.counted++;
      return undefined;
    }
    one.told++;
    return record(entry);
  };
}
