// Cilium as its authors publish it, for tests: the pinned Go module, from Go's cache or, on a machine that never had it, from Go's module proxy.
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { KubeObject } from '@rfo/kube';
import { parse } from 'yaml';

/** With the hashes that go.sum would have. A newer one: `go mod download -json github.com/cilium/cilium@<version>` prints its Sum. */
const pins = {
  'v1.17.0': 'h1:WeR71cqrGN0nvn0QEzerGYHiKAYhs77QaXeOUU7UQUI=',
  'v1.20.2': 'h1:dqiEGIcXc+gqCLYG/l7VCFJ8GHyb4HUrwbZOpkX5dL8=',
} as const;

const kinds = ['bgpadvertisements', 'bgpclusterconfigs', 'bgpnodeconfigoverrides', 'bgppeerconfigs', 'loadbalancerippools'];

/** The folder of its sources; what is in the cache needs no network. */
export async function ciliumSources(version: keyof typeof pins): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'rfo-cilium-'));
  try {
    await writeFile(join(folder, 'go.mod'), 'module example.com/cilium\n');
    // The pin below takes the place of the checksum database, which would have to be asked over the network.
    const env = { ...process.env, GOFLAGS: '-mod=mod', GOWORK: 'off', GONOSUMDB: 'github.com/cilium/cilium' };
    const args = ['mod', 'download', '-json', `github.com/cilium/cilium@${version}`];
    const { stdout } = await promisify(execFile)('go', args, { cwd: folder, env, timeout: 300_000 });
    const { Dir, Sum } = JSON.parse(stdout) as { Dir: string; Sum: string };
    if (Sum !== pins[version]) throw new Error(`cilium ${version} is not what it was when it was pinned: ${Sum}`);
    return Dir;
  } catch (error) {
    const cure = `Run this once with a network: go mod download github.com/cilium/cilium@${version}`;
    throw new Error(`the sources of cilium ${version} are neither in Go's module cache nor to be had. ${cure}`, { cause: error });
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** The CustomResourceDefinitions of what `renderBgp` renders. */
export async function ciliumDefinitions(version: keyof typeof pins): Promise<readonly KubeObject[]> {
  const group = version === 'v1.17.0' ? 'v2alpha1' : 'v2';
  const folder = join(await ciliumSources(version), 'pkg/k8s/apis/cilium.io/client/crds', group);
  return await Promise.all(kinds.map(async (kind) => parse(await readFile(join(folder, `cilium${kind}.yaml`), 'utf8')) as KubeObject));
}
