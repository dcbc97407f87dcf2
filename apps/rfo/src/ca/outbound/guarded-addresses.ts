/** The addresses that the CA connects to for nobody who merely asks: its own host, its own link, what clouds tell machines about themselves. */
import { BlockList, isIPv6 } from 'node:net';

const guarded = new BlockList();
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['127.0.0.0', 8],
  // Link-local; most clouds have their metadata service here.
  ['169.254.0.0', 16],
  // Metadata and control services that are elsewhere: Alibaba, Oracle, Azure.
  ['100.100.100.200', 32],
  ['192.0.0.192', 32],
  ['168.63.129.16', 32],
  // Multicast, and what nobody was given.
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
] as const)
  guarded.addSubnet(network, prefix, 'ipv4');
for (const [network, prefix] of [
  // Unspecified, loopback, and the obsolete way to write an address of version 4.
  ['::', 96],
  ['fe80::', 10],
  ['ff00::', 8],
  // Amazon's metadata service.
  ['fd00:ec2::254', 128],
  // Addresses of version 4 behind a translator (RFC 6052, RFC 8215, RFC 3056): which one it would be is not ours to know.
  ['64:ff9b::', 96],
  ['64:ff9b:1::', 48],
  ['2002::', 16],
] as const)
  guarded.addSubnet(network, prefix, 'ipv6');

/** Whether nobody may have the CA connect there. `address` is an IP address; one of version 4 in the form of version 6 counts as itself. */
export function isGuarded(address: string): boolean {
  return guarded.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
}
