import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { parse, parseAllDocuments } from 'yaml';
import { rfo } from '../cli/rfo.testing.ts';

const declaration = `
cluster: { name: south, podCIDR: 10.42.0.0/16 }
bgp: { localASN: 65000, peers: [{ name: router, asn: 65001, address: 192.0.2.1 }] }
loadBalancerPools: [{ name: ippool, blocks: [198.51.100.0/24] }]
`;

describe('what is rendered for others', { timeout: 120_000 }, () => {
  let folder: string;
  let file: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rfo-network-'));
    file = join(folder, 'network.yaml');
    await writeFile(file, declaration);
  });
  after(async () => rm(folder, { recursive: true }));

  it('is the objects of BGP, as YAML that kubectl takes, to the standard output or a file', async () => {
    const shown = await rfo(['network', 'bgp', 'render', '-f', file, '--cilium-version', '1.17']);
    assert.equal(shown.status, 0, shown.stderr);
    const objects = parseAllDocuments(shown.stdout).map((document) => document.toJS() as { apiVersion: string; kind: string });
    assert.deepEqual(
      objects.map(({ apiVersion, kind }) => `${apiVersion} ${kind}`),
      ['CiliumLoadBalancerIPPool', 'CiliumBGPAdvertisement', 'CiliumBGPPeerConfig', 'CiliumBGPClusterConfig'].map(
        (kind) => `cilium.io/v2alpha1 ${kind}`,
      ),
    );
    const written = await rfo(['network', 'bgp', 'render', '-f', file, '--cilium-version', '1.17', '-o', join(folder, 'bgp.yaml')]);
    assert.deepEqual([written.status, written.stdout], [0, '']);
    assert.equal(await readFile(join(folder, 'bgp.yaml'), 'utf8'), shown.stdout);
  });

  it('is the values of the chart, in which flags go before the declaration', async () => {
    const { status, stdout, stderr } = await rfo([
      ...['network', 'cilium', 'values', '-f', file, '--api-server', '192.0.2.10', '--cluster-name', 'north'],
      ...['--leave-out', 'hubble,service-monitors'],
    ]);
    assert.equal(status, 0, stderr);
    const values = parse(stdout) as Readonly<Record<string, unknown>>;
    assert.deepEqual(
      [values.k8sServiceHost, values.k8sServicePort, values.cluster, values.kubeProxyReplacement, values.hubble],
      ['192.0.2.10', 6443, { name: 'north' }, true, { enabled: false }],
    );
    assert.match(stdout, /clusterPoolIPv4PodCIDRList:\n +- 10\.42\.0\.0\/16/);
  });

  it('is what the documents show', async () => {
    for (const document of ['external-control-plane.md', 'external-control-plane.zh-CN.md']) {
      const text = await readFile(join(import.meta.dirname, '../../../../docs', document), 'utf8');
      const [, shown = ''] = /```yaml\n(# network\.yaml\n[\s\S]*?)```/.exec(text) ?? [];
      await writeFile(join(folder, 'network.yaml'), shown);
      const bgp = await rfo(['network', 'bgp', 'render', '-f', join(folder, 'network.yaml')]);
      assert.equal(bgp.status, 0, `${document}: ${bgp.stderr}`);
      assert.match(bgp.stdout, /peerAddress: 192\.0\.2\.1$/m);
      const values = await rfo(['network', 'cilium', 'values', '-f', join(folder, 'network.yaml')]);
      assert.match(values.stdout, /^k8sServiceHost: 192\.0\.2\.10$/m, values.stderr);
    }
    await writeFile(file, declaration);
  });

  it('is refused in a sentence when something is missing or nothing is there', async () => {
    const complaints = async (...args: string[]): Promise<string> => {
      const { status, stdout, stderr } = await rfo(args);
      assert.deepEqual([status, stdout], [2, '']);
      return stderr;
    };
    assert.match(await complaints('network', 'bgp', 'render'), /needs a declaration: -f FILE/);
    assert.match(await complaints('network', 'bgp', 'render', '-f', join(folder, 'none.yaml')), /cannot read .*none\.yaml: ENOENT/);
    assert.match(
      await complaints('network', 'cilium', 'values', '-f', file),
      /cluster\.apiServer in .*: it is missing\. Give it, or --api-server/,
    );
    const range = ['--api-server', 'api.example.com', '--pod-cidr', '10.42.1.0/16'];
    assert.match(
      await complaints('network', 'cilium', 'values', ...range),
      /cluster\.podCIDR in the command line: .*Write 10\.42\.0\.0\/16/,
    );
    assert.match(await complaints('service', 'render', '--role', 'agent', '--disable-agent'), /disable-agent.*no meaning with role agent/);
  });

  it('is the files of a service, each with its mode', async () => {
    const { status, stdout, stderr } = await rfo([
      'service',
      'render',
      '--format',
      'smf',
      '--role',
      'ca',
      '--output-dir',
      join(folder, 'units'),
    ]);
    assert.equal(status, 0, stderr);
    const [manifest = '', method = ''] = stdout.trim().split('\n');
    assert.deepEqual([manifest, method], [join(folder, 'units/rfo-ca.xml'), join(folder, 'units/rfo-ca')]);
    assert.equal((await stat(method)).mode & 0o777, 0o555);
    const unit = await rfo(['service', 'render', '--disable-agent', '--argument=--debug']);
    assert.match(unit.stdout, /^ExecStart=\/usr\/local\/bin\/rfo server --disable-agent --debug$/m);
  });
});
