import assert from 'node:assert/strict';
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { retry } from './backoff.ts';

const module = join(import.meta.dirname, 'end-with-process.ts');
const lasting = 'setInterval(() => undefined, 60_000)';

for (const signal of ['SIGINT', 'SIGTERM', 'SIGKILL'] as const)
  test(`a program and its folder do not outlast a process that ${signal} ends`, async (context) => {
    const { starter, folder, pid } = await startOne(context, lasting);
    assert.ok(isAlive(pid));
    starter.kill(signal);
    await untilGone(folder);
    await untilDead(pid);
  });

test('nor one that ends by itself, which is not kept from it', async (context) => {
  const { starter, folder, pid } = await startOne(context, '');
  if (starter.exitCode === null) await once(starter, 'exit');
  assert.equal(starter.exitCode, 0);
  await untilGone(folder);
  await untilDead(pid);
});

test('a program that has ended is forgotten, for another may have its number by then', async (context) => {
  const other = spawn('sleep', ['1000'], { stdio: 'ignore' });
  context.after(() => other.kill('SIGKILL'));
  const ended = `
    const ended = Object.assign(new EventEmitter(), { pid: ${other.pid} });
    endWithProcess(ended, folder);
    ended.emit('exit');`;
  const { starter, folder, pid } = await startOne(context, `${ended}\n${lasting}`);
  starter.kill('SIGKILL');
  await untilGone(folder);
  await untilDead(pid);
  assert.deepEqual([other.exitCode, other.signalCode], [null, null]);
});

/** A process that has started a program, which has a folder, and then does more. */
async function startOne(
  context: TestContext,
  more: string,
): Promise<{ readonly starter: ChildProcessByStdio<null, Readable, null>; readonly folder: string; readonly pid: number }> {
  const folder = await mkdtemp(join(tmpdir(), 'rfo-end-'));
  context.after(() => rm(folder, { recursive: true, force: true }));
  const script = `
    import { spawn } from 'node:child_process';
    import { EventEmitter } from 'node:events';
    import { endWithProcess } from '${module}';
    const folder = '${folder}';
    const child = spawn('sleep', ['1000'], { stdio: 'ignore' });
    child.unref();
    endWithProcess(child, folder);
    ${more};
    console.log(child.pid);`;
  const starter = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  context.after(() => starter.kill('SIGKILL'));
  const [pid] = await once(starter.stdout, 'data');
  return { starter, folder, pid: Number(String(pid)) };
}

function untilGone(folder: string): Promise<void> {
  return until(() => !existsSync(folder), `${folder} is still there`);
}

function untilDead(pid: number): Promise<void> {
  return until(() => !isAlive(pid), `process ${pid} is still there`);
}

function until(is: () => boolean, problem: string): Promise<void> {
  const look = async (): Promise<void> => assert.ok(is(), problem);
  return retry(look, { initial: 5, max: 100, signal: AbortSignal.timeout(90_000) });
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
