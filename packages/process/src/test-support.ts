import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { listRecords, processOf } from './record.ts';
import type { ProcessSpec } from './spec.ts';

/** For tests: a folder that is removed afterwards with every recorded process in it, and specs that live there. */
export async function scratch(t: TestContext): Promise<{ readonly folder: string; readonly spec: SpecMaker }> {
  const folder = await mkdtemp(join(tmpdir(), 'rfo-process-'));
  t.after(async () => {
    for (const { record } of await listRecords(join(folder, 'processes'))) {
      const identity = processOf(record);
      if (identity) process.kill(identity.pid, 'SIGKILL');
    }
    await rm(folder, { recursive: true });
  });
  const spec: SpecMaker = (script, more = {}) => {
    const name = more.name ?? 'part';
    return {
      name,
      path: '/bin/sh',
      args: ['-c', script],
      env: { PATH: '/usr/bin:/bin' },
      logFile: join(folder, 'logs', `${name}.log`),
      recordFile: join(folder, 'processes', `${name}.json`),
      ...more,
    };
  };
  return { folder, spec };
}

/** A process that runs the shell script. */
type SpecMaker = (script: string, more?: Partial<ProcessSpec>) => ProcessSpec;
