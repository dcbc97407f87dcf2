import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import { runForeground } from './foreground.ts';

const module = join(import.meta.dirname, 'foreground.ts');
/** Counts the signals it gets, and ends with that count as its status when its timer is over. */
const program = `
  let count = 0;
  process.on('SIGINT', () => { count += 1; if (count === 1) setTimeout(() => process.exit(40 + count), 300); });
  setInterval(() => {}, 1000);
  console.log('ready');
`;

test('the exit status of the program is passed on', async () => {
  assert.equal(await runForeground([process.execPath, '-e', 'process.exit(7)'], process.env), 7);
  assert.equal(await runForeground([process.execPath, '-e', 'process.kill(process.pid, "SIGKILL")'], process.env), 137);
});

test('a Ctrl-C that comes twice reaches the program once, which ends in its own time', async () => {
  const runner = `
    const { runForeground } = await import(${JSON.stringify(module)});
    process.exitCode = await runForeground([process.execPath, '-e', ${JSON.stringify(program)}], process.env);
  `;
  const outer = spawn(process.execPath, ['--input-type=module', '-e', runner], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(outer, 'exit');
  await once(outer.stdout, 'data');
  outer.kill('SIGINT');
  outer.kill('SIGTERM');
  const [status] = await ended;
  assert.equal(status, 41);
});

test('a program that does not exist is an error', async () => {
  await assert.rejects(runForeground(['/no/such/program'], process.env), { code: 'ENOENT' });
});
