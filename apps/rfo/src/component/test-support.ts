import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { createLog, Life, type Log, silentLog } from '@rfo/foundation';
import type { ProcessSpec } from '@rfo/process';
import type { Component, ProcessComponent, TaskComponent } from './component.ts';
import { type Manager, type ManagerOptions, startComponents } from './manager.ts';

/** For tests: a node of shell scripts in a folder of its own, ended and removed afterwards. */
export async function makeLab(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'rfo-component-'));
  const records = join(folder, 'processes');
  const lives: Life[] = [];
  t.after(async () => {
    for (const life of lives) await life.end();
    for (const name of existsSync(records) ? readdirSync(records) : []) process.kill(pidIn(join(records, name)), 'SIGKILL');
    await rm(folder, { recursive: true });
  });
  const changes: string[] = [];
  const watchers = new Set<() => void>();

  const part = (
    name: string,
    more: Partial<ProcessComponent> & { script?: string; spec?: Partial<ProcessSpec> } = {},
  ): ProcessComponent => {
    const { script = 'exec sleep 100', spec, ...rest } = more;
    const process: ProcessSpec = {
      ...{ name, path: '/bin/sh', args: ['-c', script], env: { PATH: '/usr/bin:/bin' } },
      ...{ logFile: join(folder, `${name}.log`), recordFile: join(records, `${name}.json`) },
      ...spec,
    };
    return { kind: 'process', name, needs: [], render: () => ({ files: [], process }), ready: async () => undefined, ...rest };
  };
  const task = (name: string, more: Partial<TaskComponent> = {}): TaskComponent => {
    return { kind: 'task', name, needs: [], run: async () => undefined, ...more };
  };
  const start = (components: readonly Component[], more: Partial<ManagerOptions> = {}): Manager => {
    const life = new Life();
    lives.push(life);
    const onChange: ManagerOptions['onChange'] = ({ name, state }) => {
      changes.push(`${name} ${state}`);
      for (const watcher of watchers) watcher();
    };
    const pace = { backoff: { initial: 1, max: 4 }, ...more.pace };
    return startComponents({ components, life, log: silentLog, processRecords: records, onChange, ...more, pace });
  };
  const pidOf = (name: string): number => pidIn(join(records, `${name}.json`));
  /** Resolves when this change is among those from `since` on. */
  const reached = (change: string, since = 0): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (changes.indexOf(change, since) < 0) return;
        watchers.delete(look);
        resolve();
      };
      watchers.add(look);
      look();
    });
  const logTo = (lines: { push: (line: string) => unknown }): Log => createLog({ write: (line) => void lines.push(line) });
  return { folder, changes, process: part, task, start, pidOf, reached, logTo };
}

export function isRunning(pid: number): boolean {
  const state = existsSync(`/proc/${pid}`) && /^State:\s+(\w)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return state !== false && state !== 'Z';
}

function pidIn(file: string): number {
  const { identity } = JSON.parse(readFileSync(file, 'utf8'));
  assert.ok(identity, `${file} names no process`);
  return identity.pid;
}
