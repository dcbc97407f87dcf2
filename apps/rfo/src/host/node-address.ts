/** Chooses the addresses a node is known by, and the interface that carries them. */
import type os from 'node:os';
import { fail } from '@rfo/foundation';
import { parseDefaultRoute } from './proc.ts';

export type NodeAddress = { readonly nodeIps: readonly [string, ...string[]]; readonly nodeIp: string; readonly iface: string };
type Interfaces = ReturnType<typeof os.networkInterfaces>;

/**
 * The configured addresses, which must be on this host; else the first IPv4 address of the default route's interface; else, on a host without a
 * default route, the first one that other hosts could know.
 * @param input.route text of `/proc/net/route`
 * @throws node-address-foreign, node-address-missing
 */
export function chooseNodeAddress(input: { wanted: readonly string[]; interfaces: Interfaces; route: string }): NodeAddress {
  const [first, ...others] = input.wanted;
  if (first !== undefined) {
    const [iface = ''] = input.wanted.map((address) => interfaceOf(address, input.interfaces));
    return { nodeIps: [first, ...others], nodeIp: first, iface };
  }
  const all = usableAddresses(input.interfaces);
  const uplink = parseDefaultRoute(input.route);
  const found = all.find(({ iface }) => iface === uplink) ?? all[0];
  if (found === undefined) throw fail('node-address-missing', {});
  return { nodeIps: [found.address], nodeIp: found.address, iface: found.iface };
}

function interfaceOf(address: string, interfaces: Interfaces): string {
  const found = Object.entries(interfaces).find(([, entries = []]) => entries.some((entry) => entry.address === address));
  if (found !== undefined) return found[0];
  const usable = usableAddresses(interfaces).map((entry) => entry.address);
  throw fail('node-address-foreign', { address, found: usable.length === 0 ? 'none' : usable.join(', ') });
}

function usableAddresses(interfaces: Interfaces): { iface: string; address: string }[] {
  return Object.entries(interfaces).flatMap(([iface, entries = []]) =>
    entries
      .filter(({ family, internal, address }) => family === 'IPv4' && !internal && !address.startsWith('169.254.') && !isPodNetwork(iface))
      .map(({ address }) => ({ iface, address })),
  );
}

/** Interfaces of a pod or container network that may still be there from an earlier start. */
function isPodNetwork(iface: string): boolean {
  return /^(cni0|flannel|kube-ipvs0|veth|docker0)/.test(iface);
}
