import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createLog, type Life } from '@rfo/foundation';
import type { CommandContext } from '../cli/context.ts';
import type { ProcessComponent } from '../component/component.ts';
import { startComponents } from '../component/manager.ts';
import { nodePaths } from '../paths.ts';
import { type RunningNode, runNode } from './run-node.ts';

test('a node that is outdated is booted again in the same process, and finds what ran', {
  skip: process.geteuid?.() !== 0 && 'needs root',
  timeout: 30_000,
}, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'rfo-run-node-'));
  const paths = nodePaths({ dataDir: join(folder, 'data'), runDir: join(folder, 'run'), etcDir: join(folder, 'etc') });
  const recordFile = join(paths.processRecords, 'part.json');
  const pid = (): number => (JSON.parse(readFileSync(recordFile, 'utf8')) as { identity: { pid: number } }).identity.pid;
  t.after(async () => {
    if (existsSync(recordFile)) process.kill(pid(), 'SIGKILL');
    await rm(folder, { recursive: true });
  });
  const part: ProcessComponent = {
    kind: 'process',
    name: 'part',
    needs: [],
    render: () => ({
      files: [],
      process: {
        ...{ name: 'part', path: '/bin/sh', args: ['-c', 'exec sleep 100'], env: {} },
        ...{ logFile: join(paths.logs, 'part.log'), recordFile },
      },
    }),
    ready: async () => undefined,
  };
  const lines: string[] = [];
  const log = createLog({ write: (line) => lines.push(line) });
  const seen: string[] = [];
  const boot = async (life: Life): Promise<RunningNode> => {
    const number = seen.filter((what) => what.startsWith('boot')).length + 1;
    seen.push(`boot ${number}`);
    life.defer(() => seen.push(`end ${number}`));
    const manager = startComponents({ components: [part], life, log, processRecords: paths.processRecords });
    const ready = manager.allReady().then(() => 'the node is ready');
    await ready;
    seen.push(`runs ${pid()}`);
    // The second one is never outdated: it ends as a signal says.
    const outdated = number === 1 ? Promise.resolve('the address changed') : new Promise<string>(() => undefined);
    if (number === 2) process.kill(process.pid, 'SIGTERM');
    return { paths, manager, ready, announce: async () => undefined, leave: async () => void seen.push(`leave ${number}`), outdated };
  };
  const context = { env: {}, log, stdout: { write: () => true } } as unknown as CommandContext;
  const title = process.title;
  await runNode('rfo server', boot, context);
  process.title = title;

  const [runs = ''] = seen.filter((what) => what.startsWith('runs'));
  assert.deepEqual(seen, ['boot 1', runs, 'leave 1', 'end 1', 'boot 2', runs, 'leave 2', 'end 2']);
  assert.ok(!existsSync(recordFile), 'the end by a signal stops it');
  assert.match(lines.join(''), /warn {2}rfo: the address changed: everything that depends on it is started anew\n/);
});
