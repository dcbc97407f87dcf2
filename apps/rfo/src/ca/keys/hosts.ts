/** The names and addresses of this host, where nobody named any. */
import { hostname, networkInterfaces } from 'node:os';

/** Addresses before names, as they need no DNS; link-local ones are of no use to others. */
export function ownHosts(): readonly [string, ...string[]] {
  const addresses = Object.values(networkInterfaces())
    .flatMap((entries) => entries ?? [])
    .filter(({ internal, address }) => !internal && !address.startsWith('fe80:') && !address.startsWith('169.254.'))
    .sort((one, other) => one.family.localeCompare(other.family));
  const name = hostname().toLowerCase();
  return [...addresses.map(({ address }) => address), name] as unknown as readonly [string, ...string[]];
}

/** By which the CA can be called on its own host in any case. */
export const localHosts = ['localhost', '127.0.0.1', '::1'] as const;

/** `http://host:port`, an IPv6 address in brackets. */
export function httpUrl(host: string, port: number): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
