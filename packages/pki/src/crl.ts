/** Certificate revocation lists, version 2 (RFC 5280 §5): made, and read without trust. */
import { fail, RfoError } from '@rfo/foundation';
import { bitString, context, octetString, oid, sequence, tagged, tags, time, unsigned } from './der.ts';
import { DerError, DerReader, readBits, readOid, readTime, readWhole } from './der-reader.ts';
import { decodeName, type Name } from './name.ts';
import { integerBytes, readInteger } from './ocsp-certificate-id.ts';
import type { IssuerIdentity } from './signing-key.ts';

/** Times are milliseconds since 1970, written in whole seconds. */
export type RevokedCertificate = {
  readonly serial: bigint;
  readonly revokedAt: number;
  /** A number of RFC 5280 §5.3.1; 0 is the same as none. */
  readonly reason?: number;
};

export type CrlBody = {
  readonly issuer: IssuerIdentity;
  /** Must grow with each list of this issuer; RFC 5280 §5.2.3 demands it, cfssl's own lists lack it. */
  readonly number?: bigint;
  readonly thisUpdate: number;
  readonly nextUpdate: number;
  readonly entries: readonly RevokedCertificate[];
};

export type CrlInfo = {
  readonly issuer: Name;
  readonly rawIssuer: Buffer;
  readonly number?: bigint;
  readonly authorityKeyId?: Buffer;
  readonly thisUpdate: number;
  readonly nextUpdate?: number;
  readonly entries: readonly RevokedCertificate[];
  /** What the issuer signed, with which algorithm (DER), and the signature. */
  readonly signedBytes: Buffer;
  readonly signatureAlgorithm: Buffer;
  readonly signature: Buffer;
};

/** DER of a signed list. */
export async function encodeCrl({ issuer, number, thisUpdate, nextUpdate, entries }: CrlBody): Promise<Buffer> {
  const { key, name, keyId } = issuer;
  const extensions = [extension(extensionOids.authorityKeyId, sequence(context(0, keyId, 'primitive')))];
  if (number !== undefined) extensions.push(extension(extensionOids.number, tagged(tags.integer, integerBytes(number))));
  const body = sequence(
    unsigned(version2),
    key.algorithm,
    name,
    time(thisUpdate),
    time(nextUpdate),
    // An empty list is left out (§5.1.2.6).
    ...(entries.length === 0 ? [] : [sequence(...entries.map(encodeEntry))]),
    context(0, sequence(...extensions)),
  );
  return sequence(body, key.algorithm, bitString(await key.sign(body)));
}

/** Reads the DER of a list. Whether its issuer signed it is for the caller to check. Throws crl-unreadable. */
export function decodeCrl(der: Uint8Array): CrlInfo {
  try {
    return decode(der);
  } catch (error) {
    if (error instanceof RfoError) throw error;
    throw fail('crl-unreadable', { problem: error instanceof Error ? error.message : String(error) }, error);
  }
}

const version2 = 1;
const extensionOids = { number: '2.5.29.20', reason: '2.5.29.21', authorityKeyId: '2.5.29.35' } as const;

/** Takes a certificate off a list, which only a delta list can do (§5.3.1): in a whole one it says nothing. */
const removeFromCrl = 8;

function encodeEntry({ serial, revokedAt, reason = 0 }: RevokedCertificate): Buffer {
  const says = reason !== 0 && reason !== removeFromCrl;
  const extensions = says ? [sequence(extension(extensionOids.reason, tagged(enumerated, Buffer.from([reason]))))] : [];
  return sequence(tagged(tags.integer, integerBytes(serial)), time(revokedAt), ...extensions);
}

const enumerated = 0x0a;

function extension(id: string, content: Uint8Array): Buffer {
  return sequence(oid(id), octetString(content));
}

function decode(der: Uint8Array): CrlInfo {
  const whole = readWhole(der);
  const signed = whole.next(tags.sequence);
  const signatureAlgorithm = whole.next(tags.sequence).raw;
  const signature = readBits(whole.next());
  whole.end();

  const body = new DerReader(signed.content);
  const version = body.optional(tags.integer);
  if (version !== undefined && readInteger(version) !== BigInt(version2)) throw new DerError('a version other than 2');
  if (!body.next(tags.sequence).raw.equals(signatureAlgorithm)) throw new DerError('two different signature algorithms');
  const rawIssuer = body.next(tags.sequence).raw;
  const thisUpdate = readTime(body.next());
  const nextUpdate = body.tag === tags.utcTime || body.tag === tags.generalizedTime ? readTime(body.next()) : undefined;
  const list = body.optional(tags.sequence);
  const extensions = readExtensions(body.optional(0xa0)?.content);
  body.end();

  const number = extensions.get(extensionOids.number);
  const authority = extensions.get(extensionOids.authorityKeyId);
  const authorityKeyId = authority && readWhole(authority).optional(0x80)?.content;
  return {
    issuer: decodeName(rawIssuer),
    rawIssuer,
    ...(number && { number: readInteger(new DerReader(number).next(tags.integer)) }),
    ...(authorityKeyId && { authorityKeyId }),
    thisUpdate,
    ...(nextUpdate !== undefined && { nextUpdate }),
    entries: list === undefined ? [] : readEntries(new DerReader(list.content)),
    signedBytes: signed.raw,
    signatureAlgorithm,
    signature,
  };
}

function readEntries(list: DerReader): RevokedCertificate[] {
  const entries: RevokedCertificate[] = [];
  while (!list.done) {
    const entry = list.enter();
    const serial = readInteger(entry.next(tags.integer));
    const revokedAt = readTime(entry.next());
    const extensions = entry.optional(tags.sequence);
    entry.end();
    const reason = extensions && readItems(new DerReader(extensions.content)).get(extensionOids.reason);
    entries.push({ serial, revokedAt, ...(reason && { reason: Number(readInteger(asInteger(reason))) }) });
  }
  return entries;
}

/** ENUMERATED is written as INTEGER is. */
function asInteger(content: Buffer): ReturnType<DerReader['next']> {
  const reader = new DerReader(content);
  const value = reader.next(enumerated);
  reader.end();
  return value;
}

function readExtensions(content: Buffer | undefined): ReadonlyMap<string, Buffer> {
  return content === undefined ? new Map() : readItems(readWhole(content));
}

/** A list with a critical extension that we do not know says something else than it seems to (§5.2). */
function readItems(reader: DerReader): ReadonlyMap<string, Buffer> {
  const items = new Map<string, Buffer>();
  while (!reader.done) {
    const item = reader.enter();
    const id = readOid(item.next(tags.oid));
    const critical = item.optional(tags.boolean)?.content[0] === 0xff;
    const content = item.next(tags.octetString).content;
    item.end();
    if (critical && !known.has(id)) throw new DerError(`the critical extension ${id} is not understood`);
    if (items.has(id)) throw new DerError(`extension ${id} twice`);
    items.set(id, content);
  }
  return items;
}

const known = new Set<string>(Object.values(extensionOids));
