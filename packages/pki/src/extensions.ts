/** Reads the extensions of a certificate or of a request, RFC 5280 §4.2. */
import { type AltName, decodeAltNames } from './alt-name.ts';
import type { RawExtension } from './certificate-extensions.ts';
import { tags } from './der.ts';
import { DerError, DerReader, readOid, readUnsigned, readWhole } from './der-reader.ts';
import { extensionOids, type KeyUsage, keyUsageBits, type Usage, usageName } from './oids.ts';

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
  /** All of them, as they stand there. */
  readonly extensions: readonly RawExtension[];
};

/** Reads the DER of `Extensions` whole. A doubled extension is refused, as RFC 5280 §4.2 demands. Throws DerError. */
export function decodeExtensions(raw: Uint8Array): Extensions {
  return readExtensions(decodeRawExtensions(raw));
}

/** What the extensions mean. Throws DerError. */
export function readExtensions(extensions: readonly RawExtension[]): Extensions {
  const unhandled = extensions.filter(({ oid, critical }) => critical && !understood.has(oid)).map(({ oid }) => oid);
  const at = <T>(name: keyof typeof extensionOids, decode: (content: Uint8Array) => T): T | undefined => {
    const found = extensions.find(({ oid }) => oid === extensionOids[name]);
    return found && decode(found.content);
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
    extensions,
  };
}

/** Reads the DER of `Extensions` without looking into them. Throws DerError, also for a doubled one. */
export function decodeRawExtensions(raw: Uint8Array): RawExtension[] {
  const extensions: RawExtension[] = [];
  const seen = new Set<string>();
  const reader = readWhole(raw);
  while (!reader.done) {
    const item = reader.enter();
    const oid = readOid(item.next(tags.oid));
    const critical = item.optional(tags.boolean)?.content[0] === 0xff;
    if (seen.has(oid)) throw new DerError(`extension ${oid} twice`);
    seen.add(oid);
    extensions.push({ oid, critical, content: item.next(tags.octetString).content });
    item.end();
  }
  return extensions;
}

/** RFC 5280 §4.2.1.9. Throws DerError. */
export function decodeConstraints(content: Uint8Array): { ca: boolean; pathLength?: number } {
  const reader = readWhole(content);
  const ca = reader.optional(tags.boolean)?.content[0] === 0xff;
  const path = reader.optional(tags.integer);
  reader.end();
  if (path === undefined) return { ca };
  const pathLength = readUnsigned(path);
  if (pathLength > Number.MAX_SAFE_INTEGER) throw new DerError('a path length out of range');
  return { ca, pathLength: Number(pathLength) };
}

const understood: ReadonlySet<string> = new Set([
  extensionOids.subjectKeyId,
  extensionOids.keyUsage,
  extensionOids.altNames,
  extensionOids.basicConstraints,
  extensionOids.authorityKeyId,
  extensionOids.extendedUsage,
]);

function decodeKeyUsages(content: Uint8Array): KeyUsage[] {
  const bytes = onlyValue(content, tags.bitString).subarray(1);
  return keyUsageBits.filter((_, bit) => ((bytes[bit >> 3] ?? 0) & (0x80 >> (bit & 7))) !== 0);
}

function decodeUsages(content: Uint8Array): Usage[] {
  const usages: Usage[] = [];
  const reader = readWhole(content);
  while (!reader.done) usages.push(usageName(readOid(reader.next(tags.oid))));
  return usages;
}

function onlyValue(content: Uint8Array, tag: number): Buffer {
  const reader = new DerReader(content);
  const value = reader.next(tag).content;
  reader.end();
  return value;
}
