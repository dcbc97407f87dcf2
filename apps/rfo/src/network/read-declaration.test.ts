import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { problemsOf } from '@rfo/schema';
import { readDeclaration } from './read-declaration.ts';

const sentences = async (source: string, cilium = 20): Promise<string[]> => {
  try {
    await readDeclaration(source, { where: 'net.yaml', cilium });
    return [];
  } catch (error) {
    return problemsOf(error).map(({ message }) => message);
  }
};
const peer = 'name: r, asn: 65001, address: 192.0.2.1';
const bgp = (more: string, peers = `{ ${peer} }`): string => `bgp: { localASN: 65000, peers: [${peers}], ${more} }`;

describe('a wrong declaration is told', () => {
  /** What is wrong, the declaration, the sentence. */
  const cases: readonly (readonly [string, string, string, number?])[] = [
    ['YAML that is none', 'bgp: [', 'cannot read net.yaml: '],
    ['another kind of thing', '[1]', 'the declaration in net.yaml: [1] is not a map of keys and values'],
    ['a mistyped key', bgp('advertize: {}'), 'unknown key "bgp.advertize" in net.yaml. Did you mean advertise?'],
    ['a mistyped key of a peer', bgp('', `{ ${peer}, adress: x }`), 'unknown key "bgp.peers[0].adress" in net.yaml. Did you mean address?'],
    ['a key of no kind', bgp('', `{ ${peer}, colour: x }`), 'unknown key "bgp.peers[0].colour" in net.yaml. Known: name, asn, address,'],
    ['a key within what is switched', bgp('advertise: { podCIDR: { comunities: [] } }'), 'Did you mean communities?'],
    ['no AS number', `bgp: { peers: [{ ${peer} }] }`, 'bgp.localASN in net.yaml: it is missing. Give it: a number'],
    ['an AS number out of range', bgp('').replace('65000', '0'), 'bgp.localASN in net.yaml: 0 is not a whole number from 1 to 4294967295'],
    ['a number as a text', bgp('').replace('65000', 'AS65000'), 'bgp.localASN in net.yaml: "AS65000" is not a number. Give a number'],
    ['no peer at all', bgp('', ''), 'bgp.peers in net.yaml: it is empty. Give at least one entry'],
    ['a peer that is nowhere', bgp('', '{ name: r, asn: 1 }'), 'bgp.peers[0] in net.yaml: it needs either address or defaultGateway'],
    ['a peer that is twice', bgp('', `{ ${peer} }, { ${peer} }`), 'bgp.peers[1].name in net.yaml: bgp.peers[0] is called r as well'],
    [
      'an address that is none',
      bgp('', '{ name: r, asn: 1, address: 192.0.2.300 }'),
      '"192.0.2.300" is not an IP address. Write it like 192.0.2.1',
    ],
    [
      'timers that end the session',
      bgp('', `{ ${peer}, timers: { holdSeconds: 9, keepAliveSeconds: 30 } }`),
      '30 is more than holdSeconds, 9. Give 3',
    ],
    ['multihop within the AS', bgp('', '{ name: r, asn: 65000, address: 192.0.2.1, multihop: 2 }'), 'for routers of another AS alone'],
    [
      'a preference that nobody hears',
      bgp('advertise: { podCIDR: { localPreference: 9 } }'),
      'bgp.advertise.podCIDR.localPreference in net.yaml',
    ],
    [
      'a community that is none',
      bgp('advertise: { podCIDR: { communities: ["65536:1"] } }'),
      '"65536:1" is no community. Write it like 65000:99',
    ],
    [
      'an unknown kind of address',
      bgp('advertise: { services: { addresses: [ClusterIp] } }'),
      '"ClusterIp" is not one of its values. Use ClusterIP.',
    ],
    ['nothing to announce', bgp('advertise: { podCIDR: false }'), 'bgp.advertise in net.yaml: nothing is announced'],
    ['a peer of a node that is none', bgp('nodes: { w1: { localAddresses: { rr: 192.0.2.9 } } }'), 'there is no peer rr. Use r'],
    ['a gateway where none is found', bgp('', '{ name: r, asn: 1, defaultGateway: ipv4 }'), 'use Cilium 1.18 or later', 17],
    ['an AS that is not learned', bgp('', '{ name: r, address: 192.0.2.1 }'), 'Cilium 1.16 has to be told it', 16],
    ['a block that is none', 'loadBalancerPools: [{ name: a, blocks: [192.0.2.0/33] }]', '"192.0.2.0/33" is no range of addresses'],
    [
      'a block that runs backwards',
      'loadBalancerPools: [{ name: a, blocks: [192.0.2.9-192.0.2.1] }]',
      '192.0.2.9-192.0.2.1 ends before it begins',
    ],
    [
      'blocks that overlap',
      'loadBalancerPools: [{ name: a, blocks: [192.0.2.0/24] }, { name: b, blocks: [192.0.2.9] }]',
      'loadBalancerPools[1].blocks[0] in net.yaml: 192.0.2.9 shares addresses with 192.0.2.0/24',
    ],
    [
      'a pool among the pods',
      '{ cluster: { podCIDR: 10.42.0.0/16 }, loadBalancerPools: [{ name: a, blocks: [10.42.9.0/24] }] }',
      'shares addresses with cluster.podCIDR 10.42.0.0/16. Give addresses that no pod gets',
    ],
    ['a range with bits of a host', 'cluster: { podCIDR: 10.42.1.0/16 }', '"10.42.1.0/16" is not a range of addresses. Write 10.42.0.0/16'],
    [
      'nodes without room',
      'cluster: { podCIDR: 10.42.0.0/16, podMaskSize: 16 }',
      'a node cannot get a /16 of 10.42.0.0/16. Give a number from 17 to 32',
    ],
    ['a cluster that Cilium cannot name', 'cluster: { name: Cluster.Name }', '"Cluster.Name" is no name of a cluster'],
  ];
  for (const [what, source, sentence, cilium] of cases) {
    it(what, async () => {
      const [first = 'nothing is wrong', ...more] = await sentences(source, cilium);
      assert.ok(first.includes(sentence), `${first}\ndoes not hold\n${sentence}`);
      assert.deepEqual(more, []);
    });
  }

  it('all at once, one sentence each', async () => {
    assert.equal((await sentences(bgp('localPort: 0, colour: red', '{ name: R, address: x }'))).length, 4);
  });
});

describe('a declaration', () => {
  it('may be empty, and has its defaults', async () => {
    assert.deepEqual(await readDeclaration('', { where: 'net.yaml', cilium: 20 }), { loadBalancerPools: [] });
  });

  it('yields to what was said of the cluster elsewhere', async () => {
    const cluster = { name: 'north', podCIDR: undefined, apiPort: 443 };
    const read = await readDeclaration('cluster: { name: south, podCIDR: 10.42.0.0/16 }', { where: 'net.yaml', cilium: 20, cluster });
    assert.deepEqual(read.cluster, { name: 'north', podCIDR: '10.42.0.0/16', apiPort: 443 });
  });

  it('takes addresses of both families', async () => {
    const source = 'loadBalancerPools: [{ name: a, blocks: [192.0.2.0/24, 2001:db8::/64, 2001:db8:1::1-2001:db8:1::9] }]';
    assert.deepEqual(await sentences(source), []);
    assert.match((await sentences('loadBalancerPools: [{ name: a, blocks: [2001:db8::/64, 2001:db8::9] }]')).join(), /shares addresses/);
  });
});
