import type { Log } from '@rfo/foundation';
import { listRecords, stopUnlisted } from '@rfo/process';

/** Ends what an earlier rfo left running under these names; resolves when it is gone. For what has to happen before components are started. */
export async function endLeft(processRecords: string, names: readonly string[], log: Log): Promise<void> {
  const others = (await listRecords(processRecords)).map(({ record }) => record.name).filter((name) => !names.includes(name));
  await stopUnlisted({ folder: processRecords, names: new Set(others), log });
}
