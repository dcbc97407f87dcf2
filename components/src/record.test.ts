import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { type BuildRecord, commandLine, linkedModules, readRecord, sha256File } from './record.ts';

test('linked modules are read from what Go prints, replacements in place of what they replace', () => {
  const text = [
    '/out/kubernetes: go1.26.8',
    '\tpath\trfo.io/components/kubernetes',
    '\tmod\trfo.io/components/kubernetes\t(devel)\t',
    '\tdep\tk8s.io/kubernetes\tv1.36.3\th1:bbb=',
    '\tdep\tk8s.io/api\tv0.0.0',
    '\t=>\tk8s.io/api\tv0.36.3\th1:aaa=',
    '\tbuild\t-trimpath=true',
  ].join('\n');
  assert.deepEqual(linkedModules(text), ['k8s.io/api v0.36.3 h1:aaa=', 'k8s.io/kubernetes v1.36.3 h1:bbb=']);
});

test('a record counts only while its outputs are as they were left', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'rfo-record-'));
  t.after(() => rm(folder, { recursive: true }));
  const record: BuildRecord = {
    format: 1,
    name: 'etcd',
    version: 'v3.6.16',
    arch: 'amd64',
    key: 'k',
    toolchain: { go: 'go1.26.8' },
    builtAt: '2026-11-21T09:42:23.575Z',
    seconds: 3,
    commands: [],
    outputs: { etcd: { sha256: 's', bytes: 5, modules: [] } },
  };
  assert.equal(await readRecord(folder), undefined);
  await writeFile(join(folder, 'record.json'), JSON.stringify(record));
  assert.equal(await readRecord(folder), undefined);
  await writeFile(join(folder, 'etcd'), 'hello');
  assert.deepEqual(await readRecord(folder), record);
  assert.equal(await sha256File(join(folder, 'etcd')), '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824');
  await writeFile(join(folder, 'etcd'), 'hell');
  assert.equal(await readRecord(folder), undefined);
});

test('a command is recorded as a line that a shell understands', () => {
  const step = { file: 'etcd', command: 'go', args: ['build', '-ldflags', '-s -w', '.'], env: { CGO_ENABLED: '0' } };
  assert.equal(commandLine(step), "CGO_ENABLED=0 go build -ldflags '-s -w' .");
});
