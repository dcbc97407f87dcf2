import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, it } from 'node:test';
import { createLog, Life } from '@rfo/foundation';
import { certificateFiles } from './files.ts';
import { planServing } from './plan.ts';

const make = () => planServing({ held: undefined, names: ['localhost'], now: Date.now(), where: 'test' }).pems;
let folder: string;
let life: Life;
let log: ReturnType<typeof createLog>;
let nextLine: (matching: RegExp) => Promise<void>;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rfo-files-'));
  life = new Life();
  const waiting = new Set<(line: string) => void>();
  log = createLog({ write: (line) => [...waiting].map((each) => each(line)) });
  nextLine = (matching) =>
    new Promise((resolve) => {
      const look = (line: string): void => {
        if (!matching.test(line)) return;
        waiting.delete(look);
        resolve();
      };
      waiting.add(look);
    });
});
afterEach(async () => {
  await life.end();
  await rm(folder, { recursive: true });
});

const put = async (pems: ReturnType<typeof make>, into = folder): Promise<void> => {
  await writeFile(join(into, 'tls.crt'), pems['tls.crt']);
  await writeFile(join(into, 'tls.key'), pems['tls.key'], { mode: 0o600 });
};
const files = () => ({ cert: join(folder, 'tls.crt'), key: join(folder, 'tls.key') });

it('a certificate in files is read again when both it and its key were replaced', async () => {
  const [first, second] = [make(), make()];
  await put(first);
  const certificate = await certificateFiles({ files: files(), life, log });
  assert.equal(certificate.current().cert, first['tls.crt']);
  assert.equal(certificate.ca(), undefined);
  const changed = new Promise<void>((resolve) => certificate.onChange(resolve));
  await put(second);
  await changed;
  assert.deepEqual({ ...certificate.current() }, { cert: second['tls.crt'], key: second['tls.key'], ca: undefined });
});

it('a link that is replaced is noticed, as the kubelet renews Secrets', async () => {
  const [first, second] = [make(), make()];
  for (const [name, pems] of [
    ['1', first],
    ['2', second],
  ] as const) {
    await mkdir(join(folder, name));
    await put(pems, join(folder, name));
  }
  await symlink('1', join(folder, '..data'));
  for (const name of ['tls.crt', 'tls.key']) await symlink(`..data/${name}`, join(folder, name));
  const certificate = await certificateFiles({ files: files(), life, log });
  const changed = new Promise<void>((resolve) => certificate.onChange(resolve));
  await symlink('2', join(folder, '..new'));
  await rename(join(folder, '..new'), join(folder, '..data'));
  await changed;
  assert.equal(certificate.current().cert, second['tls.crt']);
});

it('what does not fit together is told, and the certificate before it stays', async () => {
  const [first, second] = [make(), make()];
  await put(first);
  const certificate = await certificateFiles({ files: files(), life, log });
  const told = nextLine(/the certificate in .*tls\.crt cannot be used/);
  await writeFile(join(folder, 'tls.crt'), second['tls.crt']);
  await told;
  assert.equal(certificate.current().cert, first['tls.crt']);
});

it('files that are missing, wrong or expired are refused at the start', async () => {
  await assert.rejects(certificateFiles({ files: files(), life, log }), /cannot be used: ENOENT/);
  await put({ ...make(), 'tls.crt': 'nonsense' });
  await assert.rejects(certificateFiles({ files: files(), life, log }), /cannot be used/);
  await put(planServing({ held: undefined, names: ['localhost'], now: Date.now() - 200 * 86_400_000, where: 'test' }).pems);
  await assert.rejects(certificateFiles({ files: files(), life, log }), /it expired at/);
});
