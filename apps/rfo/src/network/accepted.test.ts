// What is rendered meets the definitions that Cilium brings, in a real API server, and its real chart.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { type KubeObject, startTestCluster, type TestCluster, waitForObject } from '@rfo/kube';
import { parseAllDocuments, stringify } from 'yaml';
import { ciliumDefinitions, ciliumSources } from './cilium.testing.ts';
import { readDeclaration } from './read-declaration.ts';
import { renderBgp } from './render-bgp.ts';
import { renderValues } from './render-values.ts';

/** Everything that every version has. */
const declaration = `
bgp:
  localASN: 4200000000
  localPort: 1790
  nodeSelector: { matchLabels: { bgp: worker }, matchExpressions: [{ key: zone, operator: In, values: [a, b] }] }
  peers:
    - name: spine
      asn: 4200000001
      address: 2001:db8::1
      port: 1179
      timers: { holdSeconds: 9 }
      passwordSecret: bgp-password
      multihop: 4
      gracefulRestart: { restartSeconds: 15 }
      families: [ipv4, ipv6]
    - { name: leaf, asn: 4200000000, address: 192.0.2.1, timers: {}, gracefulRestart: true }
  advertise:
    podCIDR: { communities: ["65000:99", "4294967295"] }
    services: { communities: [no-export, "65000:1:2"], localPreference: 200 }
  nodes:
    worker-1: { routerID: 192.0.2.21, localPort: 1790, localAddresses: { spine: 2001:db8::21 } }
loadBalancerPools:
  - { name: whole, blocks: [198.51.100.0/24, 2001:db8:1::/64], allowFirstLastIPs: false }
  - name: part
    blocks: [203.0.113.10-203.0.113.20, 203.0.113.30]
    serviceSelector: { matchLabels: { tier: front } }
    disabled: true
`;
/** What only newer ones have. */
const discovery = '{ bgp: { localASN: 65000, name: found, peers: [{ name: gateway, defaultGateway: ipv6 }] } }';

const render = async (source: string, cilium: number): Promise<readonly KubeObject[]> =>
  (await renderBgp(await readDeclaration(source, { where: 'net.yaml', cilium }), cilium)) as readonly KubeObject[];

describe('the API server takes for Cilium', { timeout: 600_000 }, () => {
  let cluster: TestCluster;
  before(async () => {
    cluster = await startTestCluster();
  });
  after(async () => cluster.stop());

  const define = async (version: Parameters<typeof ciliumDefinitions>[0]): Promise<void> => {
    for (const definition of await ciliumDefinitions(version)) {
      await cluster.client.apply(definition, { fieldManager: 'test', force: true });
      type Definition = KubeObject & { status?: { conditions?: { type: string; status: string }[] } };
      const { apiVersion, kind } = definition;
      await waitForObject<Definition>(
        cluster.client,
        { apiVersion, kind, name: definition.metadata.name },
        {
          accept: ({ status }) => status?.conditions?.some((each) => each.type === 'Established' && each.status === 'True') === true,
          signal: AbortSignal.timeout(60_000),
        },
      );
    }
  };
  /** As `kubectl apply --server-side --validate=strict` does it: unknown fields are refused, schema and rules are checked. */
  const apply = async (object: KubeObject): Promise<string> => {
    const { path } = { path: `/apis/${object.apiVersion}/${object.kind.toLowerCase()}s/${object.metadata.name}` };
    const { status, text } = await cluster.client.raw({
      method: 'PATCH',
      path: `${path}?fieldManager=test&force=true&fieldValidation=Strict`,
      headers: { 'content-type': 'application/apply-patch+yaml' },
      body: JSON.stringify(object),
    });
    return status === 200 || status === 201 ? 'taken' : text;
  };
  const applyAll = async (objects: readonly KubeObject[]): Promise<void> => {
    for (const object of objects) assert.equal(await apply(object), 'taken', `${object.kind} ${object.metadata.name}`);
  };

  it('1.17 what is rendered for 1.16 and 1.17', async () => {
    await define('v1.17.0');
    for (const cilium of [16, 17]) await applyAll(await render(declaration, cilium));
  });

  it('1.20 what is rendered for 1.18 and later, over the objects of 1.17', async () => {
    await define('v1.20.2');
    for (const cilium of [18, 20]) await applyAll(await render(declaration, cilium));
    await applyAll(await render(discovery, 20));
    const pool = { apiVersion: 'cilium.io/v2', kind: 'CiliumLoadBalancerIPPool', name: 'whole' };
    const { spec } = await cluster.client.get<KubeObject & { spec: { allowFirstLastIPs: string } }>(pool);
    assert.equal(spec.allowFirstLastIPs, 'No');
  });

  it('nothing that is wrong: the check above can fail', async () => {
    const [pool] = await render(declaration, 20);
    assert.ok(pool);
    assert.match(await apply({ ...pool, spec: { cidrs: [] } } as KubeObject), /spec\.cidrs: field not declared in schema/);
    const peer = (await render(declaration, 20)).find(({ kind }) => kind === 'CiliumBGPPeerConfig') as KubeObject & { spec: object };
    const timers = { connectRetryTimeSeconds: 5, holdTimeSeconds: 9, keepAliveTimeSeconds: 30 };
    assert.match(await apply({ ...peer, spec: { ...peer.spec, timers } } as KubeObject), /keepAliveTimeSeconds can not be larger/);
  });
});

describe('the chart of Cilium takes', { timeout: 600_000 }, () => {
  const helm = join(import.meta.dirname, '../../../../.cache/dist/bin/helm');
  const given = { apiServer: '192.0.2.10', apiPort: 6443, clusterName: 'north', podCIDR: '10.42.0.0/16', podMaskSize: 24 } as const;
  /** What the chart makes of the values. */
  const template = async (version: Parameters<typeof ciliumSources>[0], values: object): Promise<readonly KubeObject[]> => {
    const chart = join(await ciliumSources(version), 'install/kubernetes/cilium');
    const folder = await mkdtemp(join(tmpdir(), 'rfo-chart-'));
    try {
      const file = join(folder, 'values.yaml');
      await writeFile(file, stringify(values));
      const versions = [
        '--kube-version',
        '1.36.3',
        '--api-versions',
        'monitoring.coreos.com/v1',
        '--api-versions',
        'gateway.networking.k8s.io/v1/GatewayClass',
      ];
      const args = ['template', 'cilium', chart, '-n', 'kube-system', '-f', file, ...versions];
      const env = { PATH: process.env.PATH, HOME: folder };
      const { stdout } = await promisify(execFile)(helm, args, { env, timeout: 120_000, maxBuffer: 2 ** 26 });
      return parseAllDocuments(stdout).flatMap((document) => (document.toJS() as KubeObject | null) ?? []);
    } finally {
      await rm(folder, { recursive: true });
    }
  };
  const settings = (objects: readonly KubeObject[]): Readonly<Record<string, string>> =>
    (
      objects.find(({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === 'cilium-config') as unknown as {
        data: Record<string, string>;
      }
    ).data;

  for (const version of ['v1.17.0', 'v1.20.2'] as const) {
    it(`${version} all that an external control plane needs`, async () => {
      const objects = await template(version, renderValues({ ...given, ipam: 'cluster-pool', leaveOut: [] }));
      const config = settings(objects);
      const wanted = {
        'kube-proxy-replacement': 'true',
        'enable-bgp-control-plane': 'true',
        'bpf-lb-external-clusterip': 'true',
        'cluster-name': 'north',
        'ipam': 'cluster-pool',
        'cluster-pool-ipv4-cidr': '10.42.0.0/16',
        'cluster-pool-ipv4-mask-size': '24',
        'enable-gateway-api': 'true',
        'enable-ingress-controller': 'true',
        'ingress-default-lb-mode': 'dedicated',
        'enable-hubble': 'true',
        'enable-hubble-open-metrics': 'true',
      };
      for (const [key, value] of Object.entries(wanted)) assert.equal(config[key], value, key);
      assert.match(config['hubble-metrics'] ?? '', /^dns drop tcp icmp flow:sourceContext=.*httpV2:exemplars=true/s);
      const agent = JSON.stringify(objects.find(({ kind, metadata }) => kind === 'DaemonSet' && metadata.name === 'cilium'));
      assert.match(agent, /"KUBERNETES_SERVICE_HOST","value":"192\.0\.2\.10"/);
      const monitors = objects.filter(({ kind }) => kind === 'ServiceMonitor').map(({ metadata }) => metadata.name);
      assert.deepEqual(monitors.sort(), ['cilium-agent', 'cilium-operator', 'hubble', 'hubble-relay']);
      assert.ok(objects.some(({ kind, metadata }) => kind === 'ConfigMap' && metadata.namespace === 'monitoring'));
    });
  }

  it('v1.20.2 no more than that', async () => {
    const leaveOut = ['gateway-api', 'ingress', 'hubble', 'dashboards', 'service-monitors'] as const;
    const objects = await template('v1.20.2', renderValues({ ...given, podMaskSize: undefined, ipam: 'kubernetes', leaveOut }));
    const config = settings(objects);
    assert.deepEqual([config.ipam, config['enable-hubble'], config['enable-ingress-controller']], ['kubernetes', 'false', undefined]);
    assert.deepEqual(
      objects.filter(({ kind }) => kind === 'ServiceMonitor' || kind === 'GatewayClass'),
      [],
    );
  });
});
