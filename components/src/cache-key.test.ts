import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cacheKey, type KeyInput, keyFiles } from './cache-key.ts';
import { repositoryRoot } from './paths.ts';
import { components } from './table.ts';

const input: KeyInput = {
  files: { 'go.mod': 'module a\n', 'go.sum': 'b h1:c\n' },
  toolchain: { go: 'go1.26.8' },
  arch: 'amd64',
  steps: [{ file: 'etcd', command: 'go', args: ['build'], env: {} }],
};

test('the key depends on what is built, not on the order in which the files were read', () => {
  assert.equal(cacheKey({ ...input, files: { 'go.sum': 'b h1:c\n', 'go.mod': 'module a\n' } }), cacheKey(input));
  assert.match(cacheKey(input), /^[0-9a-f]{32}$/);
});

test('each input changes the key', () => {
  const changed: readonly KeyInput[] = [
    { ...input, files: { ...input.files, 'main.go': 'package main\n' } },
    { ...input, files: { ...input.files, 'go.sum': 'b h1:d\n' } },
    { ...input, toolchain: { go: 'go1.26.9' } },
    { ...input, toolchain: { go: 'go1.26.8', cc: '12.2.0' } },
    { ...input, arch: 'arm64' },
    { ...input, steps: [{ file: 'etcd', command: 'go', args: ['build', '-trimpath'], env: {} }] },
  ];
  const keys = new Set([input, ...changed].map(cacheKey));
  assert.equal(keys.size, changed.length + 1);
});

test('every component has its pinned modules and its own description in the key', async () => {
  for (const component of components) {
    const names = Object.keys(await keyFiles(repositoryRoot, component));
    const module = component.sharesModuleOf ?? component.name;
    for (const name of [`/components/${component.name}/component.ts`, `/components/${module}/go.mod`, `/components/${module}/go.sum`]) {
      assert.ok(names.includes(name), `${component.name}: ${name} is not in ${names.join(', ')}`);
    }
  }
});
