/** Subject alternative names: the names and addresses a certificate may be used under. */
import { isAscii } from 'node:buffer';
import { fail } from '@rfo/foundation';
import { context, sequenceOf } from './der.ts';
import { DerError, readWhole } from './der-reader.ts';
import { bytesToIp, ipToBytes } from './ip.ts';

export type AltName = { readonly type: 'dns' | 'ip' | 'email' | 'uri'; readonly value: string };

/** Numbers of GeneralName's choices, RFC 5280 §4.2.1.6. */
const choices = { email: 1, dns: 2, uri: 6, ip: 7 } as const satisfies Record<AltName['type'], number>;

/**
 * What a user wrote as a host: an IP address or a DNS name, without doubles and in canonical spelling, in the given order.
 * Throws alt-name-invalid.
 */
export function hostNames(hosts: readonly string[]): AltName[] {
  const seen = new Map(hosts.map(hostName).map((name) => [formatAltName(name), name]));
  return [...seen.values()];
}

/** `DNS:localhost`, as openssl prints it. */
export function formatAltName(name: AltName): string {
  return `${{ dns: 'DNS', ip: 'IP', email: 'email', uri: 'URI' }[name.type]}:${name.value}`;
}

/** Content of the extension. Throws alt-name-invalid. */
export function encodeAltNames(names: readonly AltName[]): Buffer {
  return sequenceOf(names.map((name) => context(choices[name.type], encodeValue(name), 'primitive')));
}

/** Reads the extension's content; kinds of names that we never use (directory names, other names) are left out. Throws DerError. */
export function decodeAltNames(raw: Uint8Array): AltName[] {
  const names: AltName[] = [];
  const reader = readWhole(raw);
  while (!reader.done) {
    const { tag, content } = reader.next();
    if (tag === (0x80 | choices.dns)) names.push({ type: 'dns', value: readAscii(content) });
    if (tag === (0x80 | choices.email)) names.push({ type: 'email', value: readAscii(content) });
    if (tag === (0x80 | choices.uri)) names.push({ type: 'uri', value: readAscii(content) });
    if (tag === (0x80 | choices.ip)) names.push({ type: 'ip', value: readAddress(content) });
  }
  return names;
}

function hostName(host: string): AltName {
  const bytes = ipToBytes(host);
  if (bytes !== undefined) return { type: 'ip', value: bytesToIp(bytes) ?? host };
  return { type: 'dns', value: host.toLowerCase() };
}

/** Labels of letters, digits, `-` and `_`, the first may be `*`: what Go's and OpenSSL's verifiers match. */
const dnsPattern = /^(\*\.)?([A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?)(\.[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?)*$/;

function encodeValue({ type, value }: AltName): Buffer {
  if (type === 'ip') {
    const bytes = ipToBytes(value);
    if (bytes === undefined) throw fail('alt-name-invalid', { name: value, problem: 'it is not an IP address' });
    return bytes;
  }
  if (type === 'dns' && (value.length > 253 || !dnsPattern.test(value)))
    throw fail('alt-name-invalid', { name: value, problem: 'it is neither an IP address nor a DNS name' });
  if (!/^[\x21-\x7e]+$/.test(value)) throw fail('alt-name-invalid', { name: value, problem: 'only printable ASCII can be in it' });
  return Buffer.from(value, 'latin1');
}

function readAscii(content: Buffer): string {
  if (!isAscii(content)) throw new DerError('an alternative name that is not ASCII');
  return content.toString('latin1');
}

function readAddress(content: Uint8Array): string {
  const address = bytesToIp(content);
  if (address === undefined) throw new DerError('an IP address of odd length');
  return address;
}
