/** What we render, read by the programs it is for: they say which keys they do not know. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { execute } from '../host/execute.ts';
import { renderContainerdConfig } from './containerd-config.ts';
import { kubeProxyArguments } from './kube-proxy-config.ts';
import { kubeletArguments, renderKubeletConfig } from './kubelet-config.ts';
import { testInputs } from './test-inputs.ts';

const bin = join(import.meta.dirname, '../../../../.cache/dist/bin');
const skip = existsSync(join(bin, 'kubelet')) ? false : 'the components are not built';

describe('the programs accept what is rendered for them', { skip }, () => {
  test('containerd', async () => {
    await inFolder(async (folder) => {
      const file = join(folder, 'config.toml');
      await writeFile(file, renderContainerdConfig(testInputs({ dataDir: folder, host: { canRaiseOom: false } })));
      const { ok, stdout, stderr } = await execute(join(bin, 'containerd'), ['--config', file, 'config', 'dump']);
      assert.ok(ok, stderr);
      assert.doesNotMatch(stderr, /unknown key|migrated/);
      for (const line of [
        `sandbox = 'rfo.io/pause:3.10.2'`,
        'restrict_oom_score_adj = true',
        'SystemdCgroup = true',
        `Root = '/run/rfo/containerd/runc'`,
      ]) {
        assert.ok(stdout.includes(line), line);
      }
    });
  });

  test('kubelet', async () => {
    await inFolder(async (folder) => {
      const config = join(folder, 'kubelet.conf');
      const inputs = testInputs({
        dataDir: folder,
        host: { cgroup: 'v1', cgroupDriver: 'cgroupfs', canRaiseOom: false },
        config: { 'node-taint': ['a=b:NoSchedule'] },
      });
      await writeFile(config, renderKubeletConfig(inputs));
      // As the main configuration, because of drop-ins kubelet does not say what it ignores. It ends over the missing kubeconfig.
      const args = kubeletArguments(inputs).filter((argument) => !argument.startsWith('--config-dir='));
      const { stderr } = await execute(join(bin, 'kubelet'), [`--config=${config}`, ...args]);
      assert.match(stderr, /invalid kubeconfig/);
      assert.doesNotMatch(stderr, /strict decoding|unknown f/);
    });
  });

  test('kube-proxy', async () => {
    for (const host of [{}, { nftables: { ok: false, why: '' }, conntrackWritable: false, canRaiseOom: false } as const]) {
      const { stderr } = await execute(join(bin, 'kube-proxy'), kubeProxyArguments(testInputs({ dataDir: '/nonexistent', host })));
      assert.match(stderr, /kube-proxy\.kubeconfig: no such file/);
      assert.doesNotMatch(stderr, /unknown flag/);
    }
  });
});

async function inFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'rfo-accepted-'));
  try {
    await use(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}
