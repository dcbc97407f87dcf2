import { hashSpec } from './hash.ts';
import { processOf, readRecord, recordOf, writeRecord } from './record.ts';
import { type RunningProcess, watchAdopted } from './running-process.ts';
import type { ProcessSpec } from './spec.ts';

export type Adoption =
  | { readonly kind: 'none' }
  /** It runs just as the spec wants it. */
  | { readonly kind: 'adopted'; readonly process: RunningProcess }
  /** It runs, but with another binary, arguments, environment or files: stop it, then start the new one. */
  | { readonly kind: 'changed'; readonly process: RunningProcess };

/** Looks for the process that an earlier rfo left running for this spec. Changes nothing except that a half-written record is completed. */
export async function adoptProcess(spec: ProcessSpec): Promise<Adoption> {
  const record = readRecord(spec.recordFile);
  const identity = record && processOf(record);
  if (record === undefined || identity === undefined) return { kind: 'none' };
  const specHash = await hashSpec(spec);
  const process = watchAdopted({ name: spec.name, identity, logFile: record.logFile });
  if (record.specHash !== specHash) return { kind: 'changed', process };
  // Also takes over new stop settings, which are not part of the hash.
  writeRecord(spec.recordFile, recordOf(spec, specHash, identity));
  return { kind: 'adopted', process };
}
