import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { stageManifests } from './stage-manifests.ts';

const variables = { CLUSTER_DNS: '10.43.0.10', CLUSTER_DOMAIN: 'cluster.local', CLUSTER_CIDR: '10.42.0.0/16', SYSTEM_DEFAULT_REGISTRY: '' };

async function folders(t: TestContext, bundle: Record<string, string>) {
  const folder = await mkdtemp(join(tmpdir(), 'rfo-stage-'));
  t.after(() => rm(folder, { recursive: true }));
  const [from, to] = [join(folder, 'from'), join(folder, 'to')];
  await mkdir(from);
  for (const [name, text] of Object.entries(bundle)) await writeFile(join(from, name), text);
  return { from, to, stage: (disable: readonly string[] = []) => stageManifests({ from, to, disable, variables }) };
}
const names = async (folder: string): Promise<string[]> => (await readdir(folder)).filter((name) => !name.startsWith('.')).sort();

describe('staging the packaged manifests', () => {
  it('fills in variables and writes only what differs', async (t) => {
    const { to, stage } = await folders(t, { 'rfo-a.yaml': 'dns: %{CLUSTER_DNS}%', 'rfo-b.yaml': 'b' });
    assert.deepEqual(await stage(), { written: ['rfo-a.yaml', 'rfo-b.yaml'], removed: [] });
    assert.equal(await readFile(join(to, 'rfo-a.yaml'), 'utf8'), 'dns: 10.43.0.10');
    await writeFile(join(to, 'rfo-b.yaml'), 'changed by hand');
    assert.deepEqual(await stage(), { written: ['rfo-b.yaml'], removed: [] });
  });

  it('removes what an older bundle brought or is switched off, and nothing of the user', async (t) => {
    const { from, to, stage } = await folders(t, { 'rfo-a.yaml': 'a', 'rfo-b.yaml': 'b', 'rfo-c.yaml': 'c' });
    await stage();
    await writeFile(join(to, 'mine.yaml'), 'mine');
    await rm(join(from, 'rfo-b.yaml'));
    assert.deepEqual(await stage(['rfo-c']), { written: [], removed: ['rfo-b.yaml', 'rfo-c.yaml'] });
    assert.deepEqual(await names(to), ['mine.yaml', 'rfo-a.yaml']);
  });

  it('leaves a skipped file alone', async (t) => {
    const { to, stage } = await folders(t, { 'rfo-a.yaml': 'a' });
    await mkdir(to);
    await writeFile(join(to, 'rfo-a.yaml.skip'), '');
    assert.deepEqual(await stage(), { written: [], removed: [] });
    assert.deepEqual(await names(to), ['rfo-a.yaml.skip']);
  });

  it('says that the bundle is missing', async (t) => {
    const { from, stage } = await folders(t, {});
    await rm(from, { recursive: true });
    await assert.rejects(stage(), { code: 'bundle-missing' });
  });
});
