import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { test } from 'node:test';
import { retry } from '@rfo/foundation';

const script = `
import { startCluster } from '${join(import.meta.dirname, 'cluster.ts')}';
const { options } = await startCluster({});
console.log(options.cert.file);
setInterval(() => undefined, 60_000);`;

test('a test that a signal ends leaves neither its API server nor its etcd nor their folder', async (context) => {
  const tester = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  context.after(() => tester.kill('SIGKILL'));
  const [line] = await once(tester.stdout, 'data');
  const folder = dirname(String(line).trim());
  assert.deepEqual(await programsOf(folder), ['etcd', 'kube-apiserver']);
  tester.kill('SIGTERM');
  await retry(
    async () => {
      assert.deepEqual(await programsOf(folder), []);
      assert.equal(existsSync(folder), false);
    },
    { initial: 20, max: 200, signal: AbortSignal.timeout(90_000) },
  );
});

/** Names of the processes that were given something in the folder. */
async function programsOf(folder: string): Promise<readonly string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  // What ends in between has no arguments.
  const commands = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')));
  const ours = commands.filter((command) => command.includes(`${folder}/`));
  return ours.map((command) => basename(command.split('\0')[0] ?? '')).sort();
}
