/** Chooses the addresses a node is known by, and the interface that carries them. */
import type os from 'node:os';
import { fail } from '@rfo/foundation';
import { parseDefaultRoute } from './proc.ts';

export type NodeAddress = {
  readonly nodeIps: readonly [string, ...string[]];
  readonly nodeIp: string;
  readonly iface: string;
  /** Address of the interface that flannel is to use; the node's own unless configured, undefined while that interface has none. */
  readonly overlayIp: string | undefined;
};
/** What a node was known by when it ran last. */
export type KnownAddress = Pick<NodeAddress, 'nodeIps' | 'iface'> & {
  /** Whether the configuration named them. */
  readonly configured: boolean;
};
export type AddressWish = {
  /** `node-ip`; nothing: the host's own, as found. */
  readonly wanted: readonly string[];
  readonly known?: KnownAddress | undefined;
  /** Addresses that come and go, such as the virtual IP: never a node's own. */
  readonly except?: readonly string[];
  /** `flannel-iface` */
  readonly overlayIface?: string | undefined;
};
/** The wish of a node that runs: from now on it is known by what was found. */
export type KnownWish = AddressWish & { readonly known: KnownAddress };
export type Interfaces = ReturnType<typeof os.networkInterfaces>;

/**
 * The configured addresses, which must be on this host. Else the address that the node is known by, as long as the host has it; else the first IPv4
 * address of the default route's interface; else that of the interface which carried the known one; else, for a new node, the first that other
 * hosts could know. A node that is known does not move to any other interface by itself: it may be one that other nodes do not reach.
 * @param input.route text of `/proc/net/route`
 * @throws node-address-foreign and node-address-missing for a node that is new here; node-ip-gone and node-address-gone for a known one, which
 * waiting may cure
 */
export function chooseNodeAddress(input: AddressWish & { readonly interfaces: Interfaces; readonly route: string }): NodeAddress {
  const { wanted, known, interfaces, overlayIface } = input;
  const [first, ...others] = wanted;
  const { iface, nodeIps } =
    first === undefined
      ? findAddress(input)
      : {
          iface: wanted.map((address) => interfaceOf(address, { wanted, known, interfaces }))[0] ?? '',
          nodeIps: [first, ...others] as const,
        };
  const [nodeIp] = nodeIps;
  const overlayIp = overlayIface === undefined ? nodeIp : interfaces[overlayIface]?.find(({ family }) => family === 'IPv4')?.address;
  return { nodeIps, nodeIp, iface, overlayIp };
}

/** Whether the node is known by another address than the one that was found. */
export function hasMoved({ known }: AddressWish, { nodeIp }: Pick<NodeAddress, 'nodeIp'>): boolean {
  return known !== undefined && known.nodeIps[0] !== nodeIp;
}

/** What the running node looks for its address by. */
export function wishFrom(wish: AddressWish, { nodeIps, iface }: Pick<NodeAddress, 'nodeIps' | 'iface'>): KnownWish {
  return { ...wish, known: { nodeIps, iface, configured: wish.wanted.length > 0 } };
}

function interfaceOf(
  address: string,
  { wanted, known, interfaces }: Pick<AddressWish, 'wanted' | 'known'> & { interfaces: Interfaces },
): string {
  const found = Object.entries(interfaces).find(([, entries = []]) => entries.some((entry) => entry.address === address));
  if (found !== undefined) return found[0];
  const others = listed(usableAddresses(interfaces, []));
  const ranWithIt = known !== undefined && wanted.every((each) => known.nodeIps.includes(each));
  throw ranWithIt ? fail('node-ip-gone', { address, found: others }) : fail('node-address-foreign', { address, found: others });
}

function findAddress({
  known,
  except = [],
  interfaces,
  route,
}: Parameters<typeof chooseNodeAddress>[0]): Pick<NodeAddress, 'nodeIps' | 'iface'> {
  const all = usableAddresses(interfaces, except);
  const own = known?.configured === false ? all.find(({ address }) => known.nodeIps.includes(address)) : undefined;
  const uplink = parseDefaultRoute(route);
  const found =
    own ?? all.find(({ iface }) => iface === uplink) ?? (known === undefined ? all[0] : all.find(({ iface }) => iface === known.iface));
  if (found !== undefined) return { nodeIps: [found.address], iface: found.iface };
  if (known === undefined) throw fail('node-address-missing', {});
  throw fail('node-address-gone', { address: known.nodeIps.join(', '), iface: known.iface, found: listed(all) });
}

function listed(addresses: readonly { readonly address: string }[]): string {
  return addresses.length === 0 ? 'none' : addresses.map(({ address }) => address).join(', ');
}

function usableAddresses(interfaces: Interfaces, except: readonly string[]): { iface: string; address: string }[] {
  return Object.entries(interfaces).flatMap(([iface, entries = []]) =>
    entries
      .filter(({ family, internal, address }) => family === 'IPv4' && !internal && !address.startsWith('169.254.') && !isPodNetwork(iface))
      .filter(({ address }) => !except.includes(address))
      .map(({ address }) => ({ iface, address })),
  );
}

/** Interfaces of a pod or container network that may still be there from an earlier start. */
function isPodNetwork(iface: string): boolean {
  return /^(cni0|flannel|kube-ipvs0|veth|docker0)/.test(iface);
}
