// What no single key of a network declaration shows: whether its parts go together, and whether this version of Cilium can do it.
import { type Bgp, type BgpAttributes, type BgpPeer, type Flaw, type NetworkDeclaration, nearest } from '@rfo/schema';
import { boundsOf, overlap } from './blocks.ts';
import type { CiliumMinor } from './read-declaration.ts';

/** A flaw and the key that it is told of. */
export type Judgement = Flaw & { readonly at: string };

/** @param cilium the minor version that is to read what is rendered */
export function judgeDeclaration(declaration: NetworkDeclaration, cilium: CiliumMinor): readonly Judgement[] {
  return [
    ...(declaration.bgp === undefined ? [] : judgeBgp(declaration.bgp, cilium)),
    ...judgePools(declaration),
    ...judgeCluster(declaration),
  ];
}

function judgeBgp(bgp: Bgp, cilium: CiliumMinor): Judgement[] {
  const names = bgp.peers.map(({ name }) => name);
  const { podCIDR, services } = bgp.advertise;
  const internal = bgp.peers.some(({ asn }) => asn === undefined || asn === bgp.localASN);
  return [
    ...judgeNames('bgp.peers', names, 'peer'),
    ...bgp.peers.flatMap((peer, index) => judgePeer(peer, { at: `bgp.peers[${index}]`, localASN: bgp.localASN, cilium })),
    ...(podCIDR === undefined && services === undefined
      ? [{ at: 'bgp.advertise', problem: 'nothing is announced', cure: 'Set podCIDR or services to true, or leave advertise out for both' }]
      : []),
    ...judgeAttributes('bgp.advertise.podCIDR', podCIDR, internal),
    ...judgeAttributes('bgp.advertise.services', services, internal),
    ...Object.entries(bgp.nodes ?? {}).flatMap(([node, { localAddresses = {} }]) =>
      Object.keys(localAddresses)
        .filter((peer) => !names.includes(peer))
        .map((peer) => ({
          at: `bgp.nodes.${node}.localAddresses.${peer}`,
          problem: `there is no peer ${peer}`,
          cure: `Use ${nearest(peer, names) ?? names.join(', ')}`,
        })),
    ),
  ];
}

function judgePeer(
  peer: BgpPeer,
  { at, localASN, cilium }: { readonly at: string; readonly localASN: number; readonly cilium: CiliumMinor },
): Judgement[] {
  const { asn, address, defaultGateway, timers, multihop } = peer;
  const flaws: Judgement[] = [];
  if ((address === undefined) === (defaultGateway === undefined))
    flaws.push({ at, problem: 'it needs either address or defaultGateway', cure: 'Give one of the two: where the router is' });
  if (defaultGateway !== undefined && cilium < 18)
    flaws.push({
      at: `${at}.defaultGateway`,
      problem: `Cilium 1.${cilium} finds no router by itself`,
      cure: 'Give address, or use Cilium 1.18 or later',
    });
  if (asn === undefined && cilium < 17)
    flaws.push({ at: `${at}.asn`, problem: `Cilium 1.${cilium} has to be told it`, cure: 'Give the AS number of the router' });
  if (timers?.keepAliveSeconds !== undefined && timers.keepAliveSeconds > timers.holdSeconds) {
    const { keepAliveSeconds, holdSeconds } = timers;
    flaws.push({
      at: `${at}.timers.keepAliveSeconds`,
      problem: `${keepAliveSeconds} is more than holdSeconds, ${holdSeconds}`,
      cure: `Give ${Math.floor(holdSeconds / 3)}, a third of it, or leave it out`,
    });
  }
  if (multihop !== undefined && multihop > 1 && asn === localASN)
    flaws.push({
      at: `${at}.multihop`,
      problem: 'it has a meaning for routers of another AS alone',
      cure: `Leave it out, as asn is localASN, ${localASN}`,
    });
  return flaws;
}

function judgeAttributes(at: string, attributes: BgpAttributes | undefined, internal: boolean): Judgement[] {
  if (attributes?.localPreference === undefined || internal) return [];
  return [
    {
      at: `${at}.localPreference`,
      problem: 'it is told to routers of the own AS alone, and no peer is one',
      cure: 'Leave it out, or use communities',
    },
  ];
}

function judgePools({ loadBalancerPools: pools, cluster }: NetworkDeclaration): Judgement[] {
  const names = pools.map(({ name }) => name);
  const pods = cluster?.podCIDR;
  const blocks = pools.flatMap(({ blocks: texts }, pool) =>
    texts.map((text, index) => ({ at: `loadBalancerPools[${pool}].blocks[${index}]`, text, bounds: boundsOf(text) })),
  );
  return [
    ...judgeNames('loadBalancerPools', names, 'pool'),
    ...blocks.flatMap(({ at, text, bounds }, index): Judgement[] => {
      if (bounds.first > bounds.last) return [{ at, problem: `${text} ends before it begins`, cure: 'Write the lower address first' }];
      const other = blocks.slice(0, index).find((each) => overlap(each.bounds, bounds));
      if (other !== undefined) return [{ at, problem: `${text} shares addresses with ${other.text}`, cure: 'Give ranges that share none' }];
      return pods !== undefined && overlap(boundsOf(pods), bounds)
        ? [{ at, problem: `${text} shares addresses with cluster.podCIDR ${pods}`, cure: 'Give addresses that no pod gets' }]
        : [];
    }),
  ];
}

function judgeCluster({ cluster }: NetworkDeclaration): Judgement[] {
  if (cluster?.podCIDR === undefined || cluster.podMaskSize === undefined) return [];
  const [range, size] = [cluster.podCIDR, cluster.podMaskSize];
  const least = Number(range.split('/')[1]) + 1;
  const most = range.includes(':') ? 128 : 32;
  if (size >= least && size <= most) return [];
  return [
    { at: 'cluster.podMaskSize', problem: `a node cannot get a /${size} of ${range}`, cure: `Give a number from ${least} to ${most}` },
  ];
}

/** The later one of two objects with the same name. */
function judgeNames(list: string, names: readonly string[], what: string): Judgement[] {
  return names.flatMap((name, index) => {
    const first = names.indexOf(name);
    if (first === index) return [];
    return [
      { at: `${list}[${index}].name`, problem: `${list}[${first}] is called ${name} as well`, cure: `Give each ${what} a name of its own` },
    ];
  });
}
