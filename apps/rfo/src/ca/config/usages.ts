/** The names that cfssl has for what a key may be used for. */
import type { KeyUsage, Usage } from '@rfo/pki';

const keyUsages = new Map<string, KeyUsage>([
  ['signing', 'digitalSignature'],
  ['digital signature', 'digitalSignature'],
  ['content commitment', 'contentCommitment'],
  // Spelt so in older releases, and in the files written for them.
  ['content committment', 'contentCommitment'],
  ['key encipherment', 'keyEncipherment'],
  ['key agreement', 'keyAgreement'],
  ['data encipherment', 'dataEncipherment'],
  ['cert sign', 'keyCertSign'],
  ['crl sign', 'cRLSign'],
  ['encipher only', 'encipherOnly'],
  ['decipher only', 'decipherOnly'],
]);

const extendedUsages = new Map<string, Usage>([
  ['any', '2.5.29.37.0'],
  ['server auth', 'serverAuth'],
  ['client auth', 'clientAuth'],
  ['code signing', 'codeSigning'],
  ['email protection', 'emailProtection'],
  ['s/mime', 'emailProtection'],
  ['ipsec end system', '1.3.6.1.5.5.7.3.5'],
  ['ipsec tunnel', '1.3.6.1.5.5.7.3.6'],
  ['ipsec user', '1.3.6.1.5.5.7.3.7'],
  ['timestamping', 'timeStamping'],
  ['ocsp signing', 'ocspSigning'],
  ['microsoft sgc', '1.3.6.1.4.1.311.10.3.3'],
  ['netscape sgc', '2.16.840.1.113730.4.1'],
]);

/** The usages of those names; extended ones stay in their order. A name that nobody knows is passed over, as cfssl does. */
export function readUsages(names: readonly string[]): { readonly keyUsages: readonly KeyUsage[]; readonly usages: readonly Usage[] } {
  const known = names.flatMap((name) => keyUsages.get(name) ?? []);
  return { keyUsages: [...new Set(known)], usages: names.flatMap((name) => (keyUsages.has(name) ? [] : (extendedUsages.get(name) ?? []))) };
}
