/** The extensions of a certificate, RFC 5280 §4.2. */
import { type AltName, decodeAltNames, encodeAltNames } from './alt-name.ts';
import { bitString, boolean, context, octetString, oid, sequence, tags, unsigned } from './der.ts';
import { DerError, DerReader, readOid, readWhole } from './der-reader.ts';

const extensionOids = {
  subjectKeyId: '2.5.29.14',
  keyUsage: '2.5.29.15',
  altNames: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyId: '2.5.29.35',
  extendedUsage: '2.5.29.37',
} as const;

/** In the order of their bits. */
const keyUsageBits = [
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

const usageOids = {
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
  codeSigning: '1.3.6.1.5.5.7.3.3',
  emailProtection: '1.3.6.1.5.5.7.3.4',
  timeStamping: '1.3.6.1.5.5.7.3.8',
  ocspSigning: '1.3.6.1.5.5.7.3.9',
} as const;
/** What the key may be used for: a known name or a dotted object identifier. */
export type Usage = keyof typeof usageOids | `${number}.${string}`;

/** Any other extension, content as DER. */
export type RawExtension = { readonly oid: string; readonly critical: boolean; readonly content: Uint8Array };

/** The extensions we understand, each absent where the certificate has none. `ca` comes with an optional path length. */
export type Extensions = {
  readonly ca: boolean;
  readonly pathLength?: number;
  readonly keyUsages: readonly KeyUsage[];
  readonly usages: readonly Usage[];
  readonly altNames: readonly AltName[];
  readonly subjectKeyId?: Buffer;
  readonly authorityKeyId?: Buffer;
  /** Critical extensions that we do not understand (dotted identifiers): such a certificate must not be trusted. */
  readonly unhandled: readonly string[];
};

/**
 * DER of `Extensions`: basicConstraints (always, so that a leaf says that it is none) and keyUsage are critical; the alternative names are
 * critical when the subject is empty.
 */
export function encodeExtensions(
  extensions: Extensions,
  options: { readonly emptySubject: boolean; readonly more?: readonly RawExtension[] },
): Buffer {
  const { ca, pathLength, keyUsages, usages, altNames, subjectKeyId, authorityKeyId } = extensions;
  const constraints = ca ? sequence(boolean(true), ...(pathLength === undefined ? [] : [unsigned(pathLength)])) : sequence();
  const items = [extension('basicConstraints', true, constraints)];
  if (keyUsages.length > 0) items.push(extension('keyUsage', true, encodeKeyUsages(keyUsages)));
  if (usages.length > 0) items.push(extension('extendedUsage', false, sequence(...usages.map((usage) => oid(usageOid(usage))))));
  if (subjectKeyId) items.push(extension('subjectKeyId', false, octetString(subjectKeyId)));
  if (authorityKeyId) items.push(extension('authorityKeyId', false, sequence(context(0, authorityKeyId, 'primitive'))));
  if (altNames.length > 0) items.push(extension('altNames', options.emptySubject, encodeAltNames(altNames)));
  for (const more of options.more ?? []) items.push(encodeExtension(more.oid, more.critical, more.content));
  return sequence(...items);
}

/** The extensions a request asks for: alternative names and usages only; the signer decides the rest. */
export function encodeRequestedExtensions(altNames: readonly AltName[], usages: readonly Usage[]): Buffer {
  const items: Buffer[] = [];
  if (usages.length > 0) items.push(extension('extendedUsage', false, sequence(...usages.map((usage) => oid(usageOid(usage))))));
  if (altNames.length > 0) items.push(extension('altNames', false, encodeAltNames(altNames)));
  return sequence(...items);
}

/** Reads the DER of `Extensions`; unknown ones are passed over. A doubled extension is refused, as RFC 5280 §4.2 demands. Throws DerError. */
export function decodeExtensions(raw: Uint8Array): Extensions {
  const contents = new Map<string, Buffer>();
  const unhandled: string[] = [];
  const reader = readWhole(raw);
  while (!reader.done) {
    const item = reader.enter();
    const id = readOid(item.next(tags.oid));
    const critical = item.optional(tags.boolean)?.content[0] === 0xff;
    if (critical && !understood.has(id)) unhandled.push(id);
    if (contents.has(id)) throw new DerError(`extension ${id} twice`);
    contents.set(id, item.next(tags.octetString).content);
    item.end();
  }
  const at = <T>(name: keyof typeof extensionOids, decode: (content: Buffer) => T): T | undefined => {
    const content = contents.get(extensionOids[name]);
    return content && decode(content);
  };
  const constraints = at('basicConstraints', decodeConstraints);
  const subjectKeyId = at('subjectKeyId', (content) => onlyValue(content, tags.octetString));
  const authorityKeyId = at('authorityKeyId', (content) => readWhole(content).optional(0x80)?.content);
  return {
    ca: constraints?.ca ?? false,
    ...(constraints?.pathLength !== undefined && { pathLength: constraints.pathLength }),
    keyUsages: at('keyUsage', decodeKeyUsages) ?? [],
    usages: at('extendedUsage', decodeUsages) ?? [],
    altNames: at('altNames', decodeAltNames) ?? [],
    ...(subjectKeyId && { subjectKeyId }),
    ...(authorityKeyId && { authorityKeyId }),
    unhandled,
  };
}

const understood = new Set<string>(Object.values(extensionOids));

function extension(name: keyof typeof extensionOids, critical: boolean, content: Uint8Array): Buffer {
  return encodeExtension(extensionOids[name], critical, content);
}

/** `critical` is written only when true: DER leaves defaults out. */
function encodeExtension(id: string, critical: boolean, content: Uint8Array): Buffer {
  return sequence(oid(id), ...(critical ? [boolean(true)] : []), octetString(content));
}

/** Bit 0 is the highest bit of the first byte; zero bits at the end are left out. */
function encodeKeyUsages(usages: readonly KeyUsage[]): Buffer {
  const bits = usages.map((usage) => keyUsageBits.indexOf(usage));
  const last = Math.max(...bits);
  const bytes = Buffer.alloc(Math.floor(last / 8) + 1);
  for (const bit of bits) bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) | (0x80 >> (bit & 7));
  return bitString(bytes, 7 - (last & 7));
}

function decodeKeyUsages(content: Buffer): KeyUsage[] {
  const bytes = onlyValue(content, tags.bitString).subarray(1);
  return keyUsageBits.filter((_, bit) => ((bytes[bit >> 3] ?? 0) & (0x80 >> (bit & 7))) !== 0);
}

function decodeConstraints(content: Buffer): { ca: boolean; pathLength?: number } {
  const reader = readWhole(content);
  const ca = reader.optional(tags.boolean)?.content[0] === 0xff;
  const path = reader.optional(tags.integer)?.content;
  return path === undefined ? { ca } : { ca, pathLength: path.reduce((number, byte) => number * 256 + byte, 0) };
}

function decodeUsages(content: Buffer): Usage[] {
  const usages: Usage[] = [];
  const reader = readWhole(content);
  while (!reader.done) usages.push(usageName(readOid(reader.next(tags.oid))));
  return usages;
}

function onlyValue(content: Buffer, tag: number): Buffer {
  const reader = new DerReader(content);
  const value = reader.next(tag).content;
  reader.end();
  return value;
}

const usageNames = new Map<string, Usage>(Object.entries(usageOids).map(([name, dotted]) => [dotted, name as Usage]));

function usageOid(usage: Usage): string {
  return usage in usageOids ? usageOids[usage as keyof typeof usageOids] : usage;
}

function usageName(dotted: string): Usage {
  return usageNames.get(dotted) ?? (dotted as Usage);
}
