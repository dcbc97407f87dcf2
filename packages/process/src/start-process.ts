import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fail, type Log, systemCode } from '@rfo/foundation';
import { hashSpec } from './hash.ts';
import { type Identity, identifyChild } from './identity.ts';
import { reasonOf } from './reason.ts';
import { recordOf, removeRecord, writeRecord } from './record.ts';
import { type RunningProcess, watchChild } from './running-process.ts';
import type { ProcessSpec } from './spec.ts';

/**
 * Starts a process that outlives us: own session, log appended by itself, and a record by which the next rfo finds it.
 * Throws `process-not-started` when the kernel refuses to run it.
 */
export async function startProcess(spec: ProcessSpec, log: Log): Promise<RunningProcess> {
  const specHash = await hashSpec(spec);
  await mkdir(dirname(spec.logFile), { recursive: true, mode: 0o700 });
  await mkdir(dirname(spec.recordFile), { recursive: true, mode: 0o700 });
  await using output = await open(spec.logFile, 'a', 0o640);
  const logOffset = (await output.stat()).size;

  // From here to the second record without an await, so that a kill of rfo finds no gap worth the name.
  writeRecord(spec.recordFile, recordOf(spec, specHash));
  const child = launch(spec, output.fd);
  const identity = child.pid === undefined ? undefined : identifyChild(child.pid);
  if (identity === undefined) throw await refused(spec, child);
  writeRecord(spec.recordFile, recordOf(spec, specHash, identity));

  if (spec.oomScore !== undefined) setOomScore(identity, spec, log);
  return watchChild(child, { name: spec.name, identity, logFile: spec.logFile, logOffset });
}

function launch(spec: ProcessSpec, output: number): ChildProcess {
  return spawn(spec.path, spec.args, {
    detached: true,
    cwd: spec.cwd ?? '/',
    env: { ...spec.env },
    stdio: ['ignore', output, output],
  });
}

/** A child without a number was never born; Node says why with its `error` event. */
async function refused(spec: ProcessSpec, child: ChildProcess): Promise<Error> {
  removeRecord(spec.recordFile);
  const problem = await once(child, 'exit').then(() => 'it was never seen', reasonOf);
  return fail('process-not-started', { name: spec.name, path: spec.path, problem });
}

/** Lowering the score needs CAP_SYS_RESOURCE, which containers mostly lack: the process runs all the same, and the log says so. */
function setOomScore(identity: Identity, spec: ProcessSpec, log: Log): void {
  try {
    writeFileSync(`/proc/${identity.pid}/oom_score_adj`, String(spec.oomScore));
  } catch (error) {
    const code = systemCode(error);
    if (code === 'EACCES' || code === 'EPERM') log.info('oom score refused by the host', { name: spec.name, score: spec.oomScore });
    else if (code !== 'ENOENT' && code !== 'ESRCH') throw error;
  }
}
