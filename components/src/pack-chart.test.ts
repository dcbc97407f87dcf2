import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { ensureChart } from './pack-chart.ts';
import { repositoryRoot } from './paths.ts';

test('the packed chart is the chart for helm, and the same to the last bit wherever and whenever it is packed', async (t) => {
  const root = await mkdtemp(join(tmpdir(), 'rfo-chart-'));
  t.after(() => rm(root, { recursive: true }));
  const chart = join(root, 'apps/manager/chart');
  await cp(join(repositoryRoot, 'apps/manager/chart'), chart, { recursive: true });
  const packed = await ensureChart({ root });
  const first = await readFile(packed);
  await utimes(join(chart, 'values.yaml'), 1, 1);
  assert.deepEqual(await readFile(await ensureChart({ root })), first);

  const helm = (...args: readonly string[]): string =>
    execFileSync(join(repositoryRoot, '.cache/dist/bin/helm'), args, { encoding: 'utf8', env: { HOME: root, PATH: process.env.PATH } });
  assert.equal(helm('show', 'values', packed).trim(), (await readFile(join(chart, 'values.yaml'), 'utf8')).trim());
  assert.equal(helm('template', 'it', packed), helm('template', 'it', chart));
});
