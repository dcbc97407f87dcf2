/** Where a server's join API listens, as users write it and as a dialler needs it. */
import { fail } from '@rfo/foundation';
import { canonicalIp } from '@rfo/pki';
import { serverPorts } from '../server/inputs.ts';

/** `host` is a name or an address, one of version 6 without brackets. */
export type ServerAddress = { readonly host: string; readonly port: number };

/**
 * Reads `https://host[:port]` or `host[:port]`; the port is 9345 unless given. Not by `new URL`, which would drop a written 443.
 * @throws server-address-invalid
 */
export function parseServerAddress(text: string): ServerAddress {
  const address = text
    .trim()
    .replace(/^https:\/\//i, '')
    .replace(/\/$/, '');
  if (address.includes(':') && canonicalIp(address) !== undefined) return { host: address, port: serverPorts.supervisor };
  const [, bracketed, name, digits] = /^(?:\[([^\]]+)\]|([^\s:/?#@[\]]+))(?::(\d{1,5}))?$/.exec(address) ?? [];
  const port = digits === undefined ? serverPorts.supervisor : Number(digits);
  const host = bracketed ?? name;
  const wrong = host === undefined || port < 1 || port > 65535 || (bracketed !== undefined && canonicalIp(bracketed) === undefined);
  if (wrong) throw fail('server-address-invalid', { address: text });
  return { host, port };
}

/** `https://host:port`, brackets round an address of version 6. */
export function renderServerAddress({ host, port }: ServerAddress): string {
  return `https://${hostAndPort({ host, port })}`;
}

/** `host:port`, as lists of servers hold it. */
export function hostAndPort({ host, port }: ServerAddress): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}
