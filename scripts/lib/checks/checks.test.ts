import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { missingPairs } from './document-pairs.ts';
import { fileSizes, judgeSizes } from './file-sizes.ts';
import { anchorsOf, links, relativeLinks } from './links.ts';

test('a file over 400 lines is a finding, one of 400 is not', () => {
  const sizes = [
    { file: 'a.ts', lines: 400 },
    { file: 'b.ts', lines: 401 },
    { file: 'c.ts', lines: 10 },
  ];
  assert.deepEqual(judgeSizes(sizes), {
    detail: '3 files, median 400 lines, p90 401, most 401',
    findings: ['b.ts: 401 lines, the limit is 400'],
  });
});

test('sizes are those of scripts and sources, not of documents or generated files', async () => {
  await inFolder({ 'long.ts': 'x\n'.repeat(401), 'long.md': 'x\n'.repeat(401), 'short.sh': 'x' }, async (folder) => {
    const files = ['long.ts', 'long.md', 'short.sh'].map((name) => join(folder, name));
    const { findings } = await fileSizes.run([...files, join(folder, 'generated/any.ts')].slice(0, 3), new AbortController().signal);
    assert.deepEqual(findings, [`${join(folder, 'long.ts')}: 401 lines, the limit is 400`]);
  });
});

test('links are found outside code, and only those into the repository', () => {
  const text = '[a](x.md) ![b](img/y.png "title") [c](https://h/z) [d](#top) `[e](no.md)`\n```\n[f](no.md)\n```\n[g](mailto:x@y)';
  assert.deepEqual(relativeLinks(text), ['x.md', 'img/y.png', '#top']);
});

test('headings give the anchors that code hosts give', () => {
  assert.deepEqual(anchorsOf('# The two commands\n## `npm start`: a node\n```\n# no\n```\n### 两个命令'), [
    'the-two-commands',
    'npm-start-a-node',
    '两个命令',
  ]);
});

test('a link to a missing file or heading is a finding', async () => {
  const text = '# Top\n[a](there.md) [b](there.md#top) [c](gone.md) [d](there.md#bottom) [e](#top)';
  await inFolder({ 'there.md': text }, async (folder) => {
    const file = join(folder, 'there.md');
    const { findings } = await links.run([file], new AbortController().signal);
    assert.deepEqual(findings, [`${file}: gone.md: there is no such file`, `${file}: there.md#bottom: there is no such heading`]);
  });
});

test('a document in one language only is a finding', () => {
  const both = ['README.md', 'README.zh-CN.md', 'docs/quick-start.md', 'docs/quick-start.zh-CN.md'];
  assert.deepEqual(missingPairs(both), []);
  assert.deepEqual(missingPairs([...both.slice(1), 'docs/x.zh-CN.md']), ['README.md is missing', 'docs/x.md is missing']);
});

async function inFolder(files: Readonly<Record<string, string>>, use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'rfo-checks-'));
  try {
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
    await use(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}
