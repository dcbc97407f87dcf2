// Renders Cilium's BGP and address objects from a network declaration. Pure.
// Sources: the CustomResourceDefinitions of Cilium 1.16, 1.17 and 1.20, and its upgrade notes.
import { type Bgp, type BgpAttributes, type BgpPeer, loadNetworkOptions, type NetworkDeclaration } from '@rfo/schema';
import type { CiliumMinor } from './read-declaration.ts';

export type CiliumObject = { readonly apiVersion: string; readonly kind: string; readonly metadata: object; readonly spec: object };

/** Both families of addresses come with the announcements that have this label. */
const advertised = { advertise: 'bgp' };
/** No Service has this label, so every one matches: Cilium takes a missing selector for none at all. */
const everyService = { matchExpressions: [{ key: 'somekey', operator: 'NotIn', values: ['never-used-value'] }] };

/**
 * The objects in the order in which they are best created: what refers to others comes last.
 * @param declaration one that `readDeclaration` gave for the same version
 */
export async function renderBgp(declaration: NetworkDeclaration, cilium: CiliumMinor): Promise<readonly CiliumObject[]> {
  const { kindOfCommunity, readBlock } = await loadNetworkOptions();
  const { bgp, loadBalancerPools } = declaration;
  const object = (kind: string, name: string, spec: object, labels?: object): CiliumObject => ({
    // Promoted in 1.18; the version before it is not known to 1.20 any more.
    apiVersion: cilium >= 18 ? 'cilium.io/v2' : 'cilium.io/v2alpha1',
    kind,
    metadata: { name, ...(labels && { labels }) },
    spec,
  });
  const pools = loadBalancerPools.map(({ name, blocks, serviceSelector, allowFirstLastIPs, disabled }) =>
    object('CiliumLoadBalancerIPPool', name, {
      blocks: blocks.map(readBlock),
      ...(serviceSelector && { serviceSelector }),
      ...(allowFirstLastIPs === undefined ? {} : { allowFirstLastIPs: allowFirstLastIPs ? 'Yes' : 'No' }),
      disabled,
    }),
  );
  if (bgp === undefined) return pools;
  return [
    ...pools,
    object('CiliumBGPAdvertisement', `${bgp.name}-advertisements`, { advertisements: advertisements(bgp, kindOfCommunity) }, advertised),
    ...bgp.peers.map((peer) => object('CiliumBGPPeerConfig', peerConfigName(bgp, peer), peerConfig(bgp, peer, cilium))),
    ...Object.entries(bgp.nodes ?? {}).map(([node, own]) => object('CiliumBGPNodeConfigOverride', node, nodeOverride(bgp, own))),
    object('CiliumBGPClusterConfig', bgp.name, clusterConfig(bgp, cilium)),
  ];
}

type KindOf = (community: string) => 'standard' | 'large' | 'wellKnown' | undefined;

function advertisements({ advertise: { podCIDR, services } }: Bgp, kindOf: KindOf): object[] {
  return [
    ...(podCIDR === undefined ? [] : [{ advertisementType: 'PodCIDR', ...attributes(podCIDR, kindOf) }]),
    ...(services === undefined
      ? []
      : [
          {
            advertisementType: 'Service',
            service: { addresses: services.addresses },
            selector: services.selector ?? everyService,
            ...attributes(services, kindOf),
          },
        ]),
  ];
}

function attributes({ communities = [], localPreference }: BgpAttributes, kindOf: KindOf): object {
  const groups = Object.groupBy(communities, (community) => kindOf(community) ?? 'standard');
  if (communities.length === 0 && localPreference === undefined) return {};
  return {
    attributes: {
      ...(communities.length > 0 && { communities: { ...groups } }),
      ...(localPreference === undefined ? {} : { localPreference }),
    },
  };
}

function clusterConfig(bgp: Bgp, cilium: CiliumMinor): object {
  return {
    ...(bgp.nodeSelector && { nodeSelector: bgp.nodeSelector }),
    bgpInstances: [
      {
        name: instanceName(bgp),
        localASN: bgp.localASN,
        // Versions before 1.18 have it with each peer.
        ...(bgp.localPort === undefined || cilium < 18 ? {} : { localPort: bgp.localPort }),
        peers: bgp.peers.map((peer) => ({
          name: peer.name,
          ...(peer.asn === undefined ? {} : { peerASN: peer.asn }),
          ...(peer.address === undefined ? {} : { peerAddress: peer.address }),
          ...(peer.defaultGateway && { autoDiscovery: { mode: 'DefaultGateway', defaultGateway: { addressFamily: peer.defaultGateway } } }),
          peerConfigRef: { name: peerConfigName(bgp, peer) },
        })),
      },
    ],
  };
}

function peerConfig(bgp: Bgp, peer: BgpPeer, cilium: CiliumMinor): object {
  const { timers, gracefulRestart, passwordSecret, multihop } = peer;
  const own = peer.defaultGateway ?? (peer.address?.includes(':') ? 'ipv6' : 'ipv4');
  return {
    transport: { peerPort: peer.port, ...(bgp.localPort !== undefined && cilium < 18 ? { localPort: bgp.localPort } : {}) },
    ...(timers && {
      timers: {
        connectRetryTimeSeconds: timers.connectRetrySeconds,
        holdTimeSeconds: timers.holdSeconds,
        // Left to its default, it could be longer than the hold time.
        keepAliveTimeSeconds: timers.keepAliveSeconds ?? Math.floor(timers.holdSeconds / 3),
      },
    }),
    ...(passwordSecret && { authSecretRef: passwordSecret }),
    ...(multihop === undefined ? {} : { ebgpMultihop: multihop }),
    ...(gracefulRestart && { gracefulRestart: { enabled: true, restartTimeSeconds: gracefulRestart.restartSeconds } }),
    families: (peer.families ?? [own]).map((afi) => ({ afi, safi: 'unicast', advertisements: { matchLabels: advertised } })),
  };
}

function nodeOverride(bgp: Bgp, own: NonNullable<Bgp['nodes']>[string]): object {
  const { routerID, localPort, localAddresses } = own;
  const peers = Object.entries(localAddresses ?? {}).map(([name, localAddress]) => ({ name, localAddress }));
  return {
    bgpInstances: [
      {
        name: instanceName(bgp),
        ...(routerID && { routerID }),
        ...(localPort === undefined ? {} : { localPort }),
        ...(peers.length > 0 && { peers }),
      },
    ],
  };
}

function instanceName({ localASN }: Bgp): string {
  return `instance-${localASN}`;
}

function peerConfigName(bgp: Bgp, { name }: BgpPeer): string {
  return `${bgp.name}-${name}`;
}
