import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { programImages } from '../../images/index.ts';
import { collectNode, collectProgram } from './collect-program.ts';
import { repositoryRoot } from './paths.ts';

for (const { name, app, config } of programImages) {
  test(`the program of the image ${name} runs without the repository, and carries nothing of its tests`, async (t) => {
    const files = await collectProgram({ root: repositoryRoot, app });
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
    const main = join(folder, config.entrypoint.at(-1) ?? '');
    const said = (flag: string): string => execFileSync(process.execPath, [main, flag], { cwd: folder, encoding: 'utf8' });
    assert.match(said('--version'), new RegExp(`^rfo-${name} \\d`));
    assert.match(said('--help'), new RegExp(`^Usage: rfo-${name} `));
    // All that it loads when it really starts.
    const names = "console.log(process.moduleLoadList.join('\\n'))";
    const loaded = execFileSync(process.execPath, ['--import', join(folder, 'app/src/boot.js'), '-e', names], { encoding: 'utf8' }).split(
      '\n',
    );
    assert.ok(loaded.includes('NativeModule http2'));
    // Each takes memory for as long as the program runs, and only who fetches, or packs something, has a use for it.
    assert.deepEqual(
      loaded.filter((each) => /undici|webstreams\/readablestream/.test(each) || (name === 'cluster-agent' && /zlib/.test(each))),
      [],
    );
  });
}

test('Node comes with the loader and the libraries that it names', async (t) => {
  const paths = (await collectNode(process.execPath, t.signal)).map(({ path }) => path);
  assert.ok(paths.includes('/usr/bin/node'));
  assert.ok(paths.some((path) => /\/ld-linux/.test(path)) && paths.some((path) => /\/libc\.so/.test(path)), paths.join(' '));
});
