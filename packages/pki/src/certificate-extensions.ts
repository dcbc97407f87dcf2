/** The extensions that a CA writes, one function each: DER content with its identifier, critical where RFC 5280 asks for it. */
import { type AltName, encodeAltNames } from './alt-name.ts';
import { bitString, boolean, context, nothing, octetString, sequence, sequenceOf, tagged, tags, unsigned, utf8String } from './der.ts';
import { encodedOid, extensionOids, type KeyUsage, keyUsageBits, type Usage, usageOid } from './oids.ts';

/** Any extension, content as DER. */
export type RawExtension = { readonly oid: string; readonly critical: boolean; readonly content: Uint8Array };

/** DER of `Extensions` (RFC 5280 §4.1): these, in this order. */
export function encodeExtensions(extensions: readonly RawExtension[]): Buffer {
  return sequenceOf(extensions.map(encodeExtension));
}

/** RFC 5280 §4.2.1.3; critical. At least one usage. */
export function keyUsageExtension(usages: readonly KeyUsage[]): RawExtension {
  return { oid: extensionOids.keyUsage, critical: true, content: encodeKeyUsages(usages) };
}

/** RFC 5280 §4.2.1.12, in the given order. Throws RangeError for a usage that is neither known nor a dotted identifier. */
export function extendedUsageExtension(usages: readonly Usage[]): RawExtension {
  const content = sequence(...usages.map((usage) => encodedOid(usageOid(usage))));
  return { oid: extensionOids.extendedUsage, critical: false, content };
}

/** RFC 5280 §4.2.1.9; critical. Undefined says that the certificate is no CA; a path length of 0 is written, none is not. */
export function basicConstraintsExtension(ca: { readonly pathLength?: number } | undefined): RawExtension {
  const path = ca?.pathLength === undefined ? [] : [unsigned(ca.pathLength)];
  return { oid: extensionOids.basicConstraints, critical: true, content: ca === undefined ? sequence() : sequence(boolean(true), ...path) };
}

/** RFC 5280 §4.2.1.2. */
export function subjectKeyIdExtension(keyId: Uint8Array): RawExtension {
  return { oid: extensionOids.subjectKeyId, critical: false, content: octetString(keyId) };
}

/** RFC 5280 §4.2.1.1: the key of the CA by its id alone. */
export function authorityKeyIdExtension(keyId: Uint8Array): RawExtension {
  return { oid: extensionOids.authorityKeyId, critical: false, content: sequence(context(0, keyId, 'primitive')) };
}

/** RFC 5280 §4.2.2.1: URLs of OCSP responders first, then those of the CA's certificate. */
export function authorityInfoExtension(urls: { readonly ocsp?: readonly string[]; readonly issuers?: readonly string[] }): RawExtension {
  const ocsp = (urls.ocsp ?? []).map((url) => sequence(encodedOid(accessOids.ocsp), uri(url)));
  const issuers = (urls.issuers ?? []).map((url) => sequence(encodedOid(accessOids.issuer), uri(url)));
  return { oid: extensionOids.authorityInfo, critical: false, content: sequence(...ocsp, ...issuers) };
}

/**
 * RFC 5280 §4.2.1.6, in the given order (Go writes DNS names, mail addresses, IP addresses, URIs). `critical` belongs to an empty subject.
 * Throws alt-name-invalid.
 */
export function altNamesExtension(names: readonly AltName[], options: { readonly critical?: boolean } = {}): RawExtension {
  return { oid: extensionOids.altNames, critical: options.critical ?? false, content: encodeAltNames(names) };
}

/** A policy by its dotted identifier; a `cps` is the URL of the practice statement, a `userNotice` is text to show. */
export type CertificatePolicy = {
  readonly oid: string;
  readonly qualifiers?: readonly { readonly type: 'cps' | 'userNotice'; readonly value: string }[];
};

/** RFC 5280 §4.2.1.4. Throws RangeError for what is no dotted identifier. */
export function policiesExtension(policies: readonly CertificatePolicy[]): RawExtension {
  return { oid: extensionOids.policies, critical: false, content: sequence(...policies.map(encodePolicy)) };
}

/** RFC 5280 §4.2.1.13: one point for each URL. */
export function crlPointsExtension(urls: readonly string[]): RawExtension {
  const points = urls.map((url) => sequence(context(0, context(0, uri(url)))));
  return { oid: extensionOids.crlPoints, critical: false, content: sequence(...points) };
}

/** RFC 6960 §4.2.2.2.1: a responder's certificate whose revocation nobody asks for. */
export function ocspNoCheckExtension(): RawExtension {
  return { oid: extensionOids.ocspNoCheck, critical: false, content: nothing() };
}

/** RFC 5280 §4.2.2.1. */
export const accessOids = { ocsp: '1.3.6.1.5.5.7.48.1', issuer: '1.3.6.1.5.5.7.48.2' } as const;

/** `critical` is written only when true: DER leaves defaults out. */
function encodeExtension({ oid, critical, content }: RawExtension): Buffer {
  if (!critical) return sequence(encodedOid(oid), octetString(content));
  return sequence(encodedOid(oid), boolean(true), octetString(content));
}

/** Bit 0 is the highest bit of the first byte; zero bits at the end are left out. */
function encodeKeyUsages(usages: readonly KeyUsage[]): Buffer {
  const bits = usages.map((usage) => keyUsageBits.indexOf(usage));
  const last = Math.max(...bits);
  const bytes = Buffer.alloc(Math.floor(last / 8) + 1);
  for (const bit of bits) bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) | (0x80 >> (bit & 7));
  return bitString(bytes, 7 - (last & 7));
}

/** GeneralName's choice 6. */
function uri(url: string): Buffer {
  return context(6, Buffer.from(url, 'latin1'), 'primitive');
}

/** RFC 5280 §4.2.1.4: id-qt-cps with an IA5String, id-qt-unotice with a UserNotice that has explicitText alone. */
const qualifierOids = { cps: '1.3.6.1.5.5.7.2.1', userNotice: '1.3.6.1.5.5.7.2.2' } as const;

function encodePolicy({ oid, qualifiers = [] }: CertificatePolicy): Buffer {
  const items = qualifiers.map(({ type, value }) =>
    sequence(
      encodedOid(qualifierOids[type]),
      type === 'cps' ? tagged(tags.ia5String, Buffer.from(value, 'latin1')) : sequence(utf8String(value)),
    ),
  );
  return sequence(encodedOid(oid), ...(items.length > 0 ? [sequence(...items)] : []));
}
