import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { bundleNodeProgram } from './bundle.ts';

test('a node loads no WebSockets, which only agents of imported clusters and the manager need, and no zlib before it unpacks', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'rfo-bundle-'));
  t.after(() => rm(folder, { recursive: true }));
  await bundleNodeProgram(join(import.meta.dirname, '..'), folder);
  const names = (await readdir(folder)).filter((name) => name.endsWith('.mjs'));
  const chunks = new Map(await Promise.all(names.map(async (name) => [name, await readFile(join(folder, name), 'utf8')] as const)));
  const withWebSockets = names.filter((name) => chunks.get(name)?.includes('permessage-deflate'));
  const loaded = new Set(names.filter((name) => name === 'rfo.mjs' || name.startsWith('run-node-') || name.startsWith('server-')));
  for (const name of loaded) for (const [, next] of (chunks.get(name) ?? '').matchAll(/ from "\.\/([^"]+)"/g)) loaded.add(next ?? '');
  assert.ok(loaded.size > 5, [...loaded].join());
  assert.equal(withWebSockets.length, 1);
  assert.deepEqual(
    [...loaded].filter((name) => withWebSockets.includes(name)),
    [],
  );
  const withZlib = /getBuiltinModule\("node:zlib"\)|from "node:zlib"/;
  assert.deepEqual(
    [...loaded].filter((name) => withZlib.test(chunks.get(name) ?? '')),
    [],
  );
});
