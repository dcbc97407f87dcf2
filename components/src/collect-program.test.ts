import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { programImages } from '../../images/index.ts';
import { collectNode, collectProgram } from './collect-program.ts';
import { repositoryRoot } from './paths.ts';

const clusterAgentImage = programImages.find(({ name }) => name === 'cluster-agent');

test('the program of an image runs without the repository, and carries nothing of its tests', async (t) => {
  assert.ok(clusterAgentImage);
  const files = await collectProgram({ root: repositoryRoot, app: clusterAgentImage.app });
  assert.deepEqual(
    files.filter(({ path }) => /\.(test|testing)\.|\.ts$/.test(path) && !path.includes('/node_modules/ws/')).map(({ path }) => path),
    [],
  );
  const folder = await mkdtemp(join(tmpdir(), 'rfo-program-'));
  t.after(() => rm(folder, { recursive: true }));
  for (const file of files) {
    if (!('content' in file)) continue;
    await mkdir(dirname(join(folder, file.path)), { recursive: true });
    await writeFile(join(folder, file.path), file.content);
  }
  const main = join(folder, clusterAgentImage.config.entrypoint.at(-1) ?? '');
  assert.match(execFileSync(process.execPath, [main, '--version'], { cwd: folder, encoding: 'utf8' }), /^rfo-cluster-agent \d/);
  assert.match(execFileSync(process.execPath, [main, '--help'], { cwd: folder, encoding: 'utf8' }), /--via/);
});

test('Node comes with the loader and the libraries that it names', async (t) => {
  const paths = (await collectNode(process.execPath, t.signal)).map(({ path }) => path);
  assert.ok(paths.includes('/usr/bin/node'));
  assert.ok(paths.some((path) => /\/ld-linux/.test(path)) && paths.some((path) => /\/libc\.so/.test(path)), paths.join(' '));
});
