import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, readlink, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Life } from '@rfo/foundation';
import { nodePaths } from '../paths.ts';
import { checkDataVersion, compareVersions, linkBundle, lockDataDirectory, writeDataVersion } from './data-directory.ts';

async function freshPaths(t: TestContext) {
  const dir = await mkdtemp(join(tmpdir(), 'rfo-data-'));
  t.after(() => rm(dir, { recursive: true }));
  return nodePaths({ dataDir: join(dir, 'data'), runDir: join(dir, 'run'), etcDir: join(dir, 'etc') });
}

test('a second rfo on the same data is refused, naming the first', async (t) => {
  const paths = await freshPaths(t);
  await using life = new Life();
  await lockDataDirectory(paths, life);
  await assert.rejects(lockDataDirectory(paths, life), { code: 'data-in-use', message: new RegExp(`pid ${process.pid}\\b`) });
});

test('the lock goes with its life', async (t) => {
  const paths = await freshPaths(t);
  const first = new Life();
  await lockDataDirectory(paths, first);
  await first.end();
  await using second = new Life();
  await lockDataDirectory(paths, second);
});

test('the lock of a killed rfo is taken over', async (t) => {
  const paths = await freshPaths(t);
  const script = `
    import { Life } from '@rfo/foundation';
    import { nodePaths } from '${join(import.meta.dirname, '../paths.ts')}';
    import { lockDataDirectory } from '${join(import.meta.dirname, 'data-directory.ts')}';
    await lockDataDirectory(nodePaths(${JSON.stringify({ dataDir: paths.data, runDir: paths.run, etcDir: paths.etc })}), new Life());
    console.log('held');
    setInterval(() => undefined, 1e6);`;
  const holder = spawn(process.execPath, ['--input-type=module-typescript', '-e', script], {
    cwd: import.meta.dirname,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(holder.stdout, 'data');
  await using life = new Life();
  await assert.rejects(lockDataDirectory(paths, life), { code: 'data-in-use' });
  holder.kill('SIGKILL');
  await once(holder, 'exit');
  await lockDataDirectory(paths, life);
  assert.match(await readFile(paths.lockFile, 'utf8'), new RegExp(`"pid":${process.pid}\\b`));
});

test('data of a newer Kubernetes is refused, older and same are taken', async (t) => {
  const paths = await freshPaths(t);
  await using life = new Life();
  await lockDataDirectory(paths, life);
  const own = { rfo: '0.1.0', kubernetes: 'v1.36.3' };
  await checkDataVersion(paths, own);
  await writeDataVersion(paths, own);
  await checkDataVersion(paths, own);
  await checkDataVersion(paths, { rfo: '0.2.0', kubernetes: 'v1.37.0' });
  await assert.rejects(checkDataVersion(paths, { rfo: '0.1.0', kubernetes: 'v1.35.9' }), { code: 'data-newer', message: /v1\.36\.3/ });
});

test('a version file that is not JSON is said to be so', async (t) => {
  const paths = await freshPaths(t);
  await using life = new Life();
  await lockDataDirectory(paths, life);
  await writeFile(paths.versionFile, 'half');
  await assert.rejects(checkDataVersion(paths, { rfo: '0.1.0', kubernetes: 'v1.36.3' }), { code: 'data-unreadable' });
});

test('versions compare by their numbers', () => {
  assert.ok(compareVersions('v1.9.0', 'v1.10.0') < 0);
  assert.equal(compareVersions('v1.36.3', '1.36.3'), 0);
  assert.ok(compareVersions('v1.36.3+rfo2', 'v1.36.3+rfo1') > 0);
});

test('the link to the binaries moves to a new bundle', async (t) => {
  const paths = await freshPaths(t);
  await using life = new Life();
  await lockDataDirectory(paths, life);
  await linkBundle(paths, '/bundles/one');
  await linkBundle(paths, '/bundles/two');
  assert.equal(await readlink(paths.bin), '/bundles/two/bin');
});
