/** The object identifiers of X.509 by name, each encoded once. */
import { oid } from './der.ts';

/** RFC 5280 §4.2, RFC 6960 §4.2.2.2.1 (ocspNoCheck). */
export const extensionOids = {
  subjectKeyId: '2.5.29.14',
  keyUsage: '2.5.29.15',
  altNames: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  crlPoints: '2.5.29.31',
  policies: '2.5.29.32',
  authorityKeyId: '2.5.29.35',
  extendedUsage: '2.5.29.37',
  authorityInfo: '1.3.6.1.5.5.7.1.1',
  ocspNoCheck: '1.3.6.1.5.5.7.48.1.5',
} as const;

/** In the order of their bits, RFC 5280 §4.2.1.3. */
export const keyUsageBits = [
  'digitalSignature',
  'contentCommitment',
  'keyEncipherment',
  'dataEncipherment',
  'keyAgreement',
  'keyCertSign',
  'cRLSign',
  'encipherOnly',
  'decipherOnly',
] as const;
export type KeyUsage = (typeof keyUsageBits)[number];

/** RFC 5280 §4.2.1.12, the IPsec ones of RFC 2459, and the gated crypto of the browsers of 1997: all that CFSSL has a name for. */
const usageOids = {
  any: '2.5.29.37.0',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
  codeSigning: '1.3.6.1.5.5.7.3.3',
  emailProtection: '1.3.6.1.5.5.7.3.4',
  ipsecEndSystem: '1.3.6.1.5.5.7.3.5',
  ipsecTunnel: '1.3.6.1.5.5.7.3.6',
  ipsecUser: '1.3.6.1.5.5.7.3.7',
  timeStamping: '1.3.6.1.5.5.7.3.8',
  ocspSigning: '1.3.6.1.5.5.7.3.9',
  microsoftSgc: '1.3.6.1.4.1.311.10.3.3',
  netscapeSgc: '2.16.840.1.113730.4.1',
} as const;
/** What the key may be used for: a known name or a dotted object identifier. */
export type Usage = keyof typeof usageOids | `${number}.${string}`;

export const attributeOids = {
  C: '2.5.4.6',
  ST: '2.5.4.8',
  L: '2.5.4.7',
  STREET: '2.5.4.9',
  postalCode: '2.5.4.17',
  O: '2.5.4.10',
  OU: '2.5.4.11',
  CN: '2.5.4.3',
  serialNumber: '2.5.4.5',
  DC: '0.9.2342.19200300.100.1.25',
  emailAddress: '1.2.840.113549.1.9.1',
} as const;

/** DER of a dotted identifier; those of the tables above are made once, at their first use. Throws RangeError for what is no identifier. */
export function encodedOid(dotted: string): Buffer {
  const known = encoded.get(dotted);
  if (known !== undefined) return known;
  const made = oid(dotted);
  if (constant.has(dotted)) encoded.set(dotted, made);
  return made;
}

export function usageOid(usage: Usage): string {
  return usage in usageOids ? usageOids[usage as keyof typeof usageOids] : usage;
}

export function usageName(dotted: string): Usage {
  return usageNames.get(dotted) ?? (dotted as Usage);
}

const usageNames = new Map<string, Usage>(Object.entries(usageOids).map(([name, dotted]) => [dotted, name as Usage]));
const constant = new Set<string>([extensionOids, usageOids, attributeOids].flatMap((table) => Object.values(table)));
const encoded = new Map<string, Buffer>();
