import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fail, systemCode } from '@rfo/foundation';
import { bootId, findByCommand, type Identity, identify, isSame } from './identity.ts';
import { reasonOf } from './reason.ts';
import type { ProcessSpec, StopScope } from './spec.ts';

/**
 * What lies in `run/processes/<name>.json`. It is written once without `identity` before the process starts and once with it right after,
 * so that a process is found even when rfo is killed between the two.
 */
export type ProcessRecord = {
  readonly name: string;
  readonly bootId: string;
  readonly specHash: string;
  readonly argv: readonly string[];
  readonly logFile: string;
  readonly stop: { readonly signal: NodeJS.Signals; readonly grace: number; readonly scope: StopScope };
  readonly identity?: Identity;
};

export function recordOf(spec: ProcessSpec, specHash: string, identity?: Identity): ProcessRecord {
  return {
    name: spec.name,
    bootId: bootId(),
    specHash,
    argv: [spec.path, ...spec.args],
    logFile: spec.logFile,
    stop: { signal: spec.stopSignal ?? 'SIGTERM', grace: spec.stopGrace ?? 10_000, scope: spec.stopScope ?? 'process' },
    ...(identity && { identity }),
  };
}

/** Synchronous and without fsync: it must be done in the same turn as the spawn, and need not survive a power cut (the process does not). */
export function writeRecord(file: string, record: ProcessRecord): void {
  writeFileSync(`${file}.tmp`, `${JSON.stringify(record)}\n`, { mode: 0o600 });
  renameSync(`${file}.tmp`, file);
}

/** The record, or undefined where there is none. Throws `process-record-invalid` for a file that we have not written. */
export function readRecord(file: string): ProcessRecord | undefined {
  try {
    const record: ProcessRecord = JSON.parse(readFileSync(file, 'utf8'));
    if (typeof record.specHash !== 'string' || !Array.isArray(record.argv)) throw new Error('it lacks specHash or argv');
    return record;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw fail('process-record-invalid', { file, problem: reasonOf(error) }, error);
  }
}

export function removeRecord(file: string): void {
  rmSync(file, { force: true });
}

/** The living process of a record, or undefined when it has ended since. */
export function processOf(record: ProcessRecord): Identity | undefined {
  if (record.bootId !== bootId()) return undefined;
  if (record.identity === undefined) return findByCommand(record.argv);
  return isSame(record.identity, identify(record.identity.pid)) ? record.identity : undefined;
}

/** Every record of a folder, with its file; none where the folder does not exist yet. */
export async function listRecords(folder: string): Promise<{ readonly file: string; readonly record: ProcessRecord }[]> {
  const names = await readdir(folder).catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  });
  return names
    .filter((name) => name.endsWith('.json'))
    .map((name) => join(folder, name))
    .flatMap((file) => {
      const record = readRecord(file);
      return record ? [{ file, record }] : [];
    });
}
