import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readDeclaration } from './read-declaration.ts';
import { renderBgp } from './render-bgp.ts';

const render = async (source: string, cilium = 20) => renderBgp(await readDeclaration(source, { where: 'net.yaml', cilium }), cilium);

const seed = `
bgp:
  localASN: 65000
  nodeSelector: { matchLabels: { bgp: worker } }
  peers:
    - { name: router, asn: 65001, address: 192.0.2.1 }
  advertise:
    podCIDR: { communities: ["65000:99"] }
    services: true
loadBalancerPools:
  - { name: ippool, blocks: [198.51.100.0/24] }
`;

const seedRendered = (apiVersion: string) => [
  {
    apiVersion,
    kind: 'CiliumLoadBalancerIPPool',
    metadata: { name: 'ippool' },
    spec: { blocks: [{ cidr: '198.51.100.0/24' }], disabled: false },
  },
  {
    apiVersion,
    kind: 'CiliumBGPAdvertisement',
    metadata: { name: 'cilium-bgp-advertisements', labels: { advertise: 'bgp' } },
    spec: {
      advertisements: [
        { advertisementType: 'PodCIDR', attributes: { communities: { standard: ['65000:99'] } } },
        {
          advertisementType: 'Service',
          service: { addresses: ['ClusterIP', 'ExternalIP', 'LoadBalancerIP'] },
          selector: { matchExpressions: [{ key: 'somekey', operator: 'NotIn', values: ['never-used-value'] }] },
        },
      ],
    },
  },
  {
    apiVersion,
    kind: 'CiliumBGPPeerConfig',
    metadata: { name: 'cilium-bgp-router' },
    spec: {
      transport: { peerPort: 179 },
      families: [{ afi: 'ipv4', safi: 'unicast', advertisements: { matchLabels: { advertise: 'bgp' } } }],
    },
  },
  {
    apiVersion,
    kind: 'CiliumBGPClusterConfig',
    metadata: { name: 'cilium-bgp' },
    spec: {
      nodeSelector: { matchLabels: { bgp: 'worker' } },
      bgpInstances: [
        {
          name: 'instance-65000',
          localASN: 65000,
          peers: [{ name: 'router', peerASN: 65001, peerAddress: '192.0.2.1', peerConfigRef: { name: 'cilium-bgp-router' } }],
        },
      ],
    },
  },
];

test('a router, pods and all Services of an external control plane become objects of Cilium', async () => {
  assert.deepEqual(await render(seed), seedRendered('cilium.io/v2'));
});

test('they have the version that each Cilium takes', async () => {
  for (const cilium of [16, 17]) assert.deepEqual(await render(seed, cilium), seedRendered('cilium.io/v2alpha1'));
  for (const cilium of [18, 19]) assert.deepEqual(await render(seed, cilium), seedRendered('cilium.io/v2'));
});

test('what is left out is announced as a whole', async () => {
  const [advertisement] = await render('bgp: { localASN: 65000, peers: [{ name: r, address: 192.0.2.1 }] }');
  assert.deepEqual(advertisement?.spec, {
    advertisements: [
      { advertisementType: 'PodCIDR' },
      {
        advertisementType: 'Service',
        service: { addresses: ['ClusterIP', 'ExternalIP', 'LoadBalancerIP'] },
        selector: { matchExpressions: [{ key: 'somekey', operator: 'NotIn', values: ['never-used-value'] }] },
      },
    ],
  });
});

test('the port that nodes listen on stands where each version has it', async () => {
  const source = 'bgp: { localASN: 65000, localPort: 1790, peers: [{ name: r, asn: 65000, address: 192.0.2.1 }] }';
  const places = async (cilium: number): Promise<object> => {
    const objects = await render(source, cilium);
    const spec = (kind: string) => JSON.stringify(objects.find((object) => object.kind === kind)?.spec).includes('1790');
    return { peer: spec('CiliumBGPPeerConfig'), instance: spec('CiliumBGPClusterConfig') };
  };
  for (const cilium of [16, 17]) assert.deepEqual(await places(cilium), { peer: true, instance: false });
  assert.deepEqual(await places(18), { peer: false, instance: true });
  assert.deepEqual(await places(20), { peer: false, instance: true });
});

test('every setting of a peer, a pool and a node has its place', async () => {
  const objects = await render(`
bgp:
  name: core
  localASN: 4200000000
  peers:
    - name: spine
      asn: 4200000001
      address: 2001:db8::1
      port: 1179
      timers: { holdSeconds: 9, connectRetrySeconds: 5 }
      passwordSecret: bgp-password
      multihop: 4
      gracefulRestart: { restartSeconds: 15 }
      families: [ipv4, ipv6]
    - { name: gateway, asn: 4200000000, defaultGateway: ipv4, gracefulRestart: true }
  advertise:
    services:
      addresses: [LoadBalancerIP]
      selector: { matchLabels: { tier: front } }
      communities: [no-export, "65000:1", "1:2:3"]
      localPreference: 200
  nodes:
    worker-1: { routerID: 192.0.2.21, localPort: 1790, localAddresses: { spine: 2001:db8::21 } }
loadBalancerPools:
  - name: front
    blocks: [203.0.113.10-203.0.113.20, 203.0.113.30]
    serviceSelector: { matchExpressions: [{ key: tier, operator: In, values: [front] }] }
    allowFirstLastIPs: false
    disabled: true
`);
  const spec = (kind: string, name: string): object | undefined =>
    objects.find((object) => object.kind === kind && (object.metadata as { name: string }).name === name)?.spec;
  const advertisements = { matchLabels: { advertise: 'bgp' } };
  assert.deepEqual(spec('CiliumBGPPeerConfig', 'core-spine'), {
    transport: { peerPort: 1179 },
    timers: { connectRetryTimeSeconds: 5, holdTimeSeconds: 9, keepAliveTimeSeconds: 3 },
    authSecretRef: 'bgp-password',
    ebgpMultihop: 4,
    gracefulRestart: { enabled: true, restartTimeSeconds: 15 },
    families: [
      { afi: 'ipv4', safi: 'unicast', advertisements },
      { afi: 'ipv6', safi: 'unicast', advertisements },
    ],
  });
  assert.deepEqual(spec('CiliumBGPPeerConfig', 'core-gateway'), {
    transport: { peerPort: 179 },
    gracefulRestart: { enabled: true, restartTimeSeconds: 120 },
    families: [{ afi: 'ipv4', safi: 'unicast', advertisements }],
  });
  assert.deepEqual(spec('CiliumBGPAdvertisement', 'core-advertisements'), {
    advertisements: [
      {
        advertisementType: 'Service',
        service: { addresses: ['LoadBalancerIP'] },
        selector: { matchLabels: { tier: 'front' } },
        attributes: { communities: { wellKnown: ['no-export'], standard: ['65000:1'], large: ['1:2:3'] }, localPreference: 200 },
      },
    ],
  });
  assert.deepEqual(spec('CiliumBGPNodeConfigOverride', 'worker-1'), {
    bgpInstances: [
      {
        name: 'instance-4200000000',
        routerID: '192.0.2.21',
        localPort: 1790,
        peers: [{ name: 'spine', localAddress: '2001:db8::21' }],
      },
    ],
  });
  assert.deepEqual(spec('CiliumLoadBalancerIPPool', 'front'), {
    blocks: [{ start: '203.0.113.10', stop: '203.0.113.20' }, { start: '203.0.113.30' }],
    serviceSelector: { matchExpressions: [{ key: 'tier', operator: 'In', values: ['front'] }] },
    allowFirstLastIPs: 'No',
    disabled: true,
  });
  const [instance] = (spec('CiliumBGPClusterConfig', 'core') as { bgpInstances: { peers: object[] }[] }).bgpInstances;
  assert.deepEqual(instance?.peers[1], {
    name: 'gateway',
    peerASN: 4200000000,
    autoDiscovery: { mode: 'DefaultGateway', defaultGateway: { addressFamily: 'ipv4' } },
    peerConfigRef: { name: 'core-gateway' },
  });
});
