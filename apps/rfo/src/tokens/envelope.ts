// An envelope that several passwords open: a text under a random key, and that key once under each password. Pure, but for randomness.
import { createCipheriv, createDecipheriv, randomBytes, type ScryptOptions, scrypt } from 'node:crypto';
import { fail } from '@rfo/foundation';
import * as z from 'zod/mini';

/** The key of the text, under one password. */
export type SealedKey = {
  /** How the password becomes a key: scrypt with cost `n`, block size `r`, parallelism `p`, and a salt of its own. */
  readonly kdf: { readonly n: number; readonly r: number; readonly p: number; readonly salt: string };
  readonly nonce: string;
  /** Ciphertext and tag of AES-256-GCM. */
  readonly sealed: string;
  /** Milliseconds since 1970: from then on this password is to open nothing new. Absent: it is the present one. */
  readonly until?: number | undefined;
};

/** All bytes are base64. The present password's key stands first: each try is slow. */
export type Envelope = { readonly version: 1; readonly keys: readonly SealedKey[]; readonly nonce: string; readonly sealed: string };

export type Opened = {
  readonly content: string;
  readonly contentKey: Buffer;
  /** The entry that the password opened. */
  readonly by: SealedKey;
};

/** 128 MiB and about a third of a second for each try: what RFC 7914 calls interactive is an eighth of it. */
const cost = { n: 2 ** 17, r: 8, p: 1 };
/** A damaged record must not take the memory of the host. */
const mostMemory = 512 * 1024 * 1024;

const bounded = (most: number) => z.int().check(z.minimum(1), z.maximum(most));
const sealedKey = z.object({
  kdf: z.object({ n: bounded(2 ** 20), r: bounded(16), p: bounded(4), salt: z.string() }),
  nonce: z.string(),
  sealed: z.string(),
  until: z.optional(z.number()),
});
const schema = z.object({ version: z.literal(1), keys: z.array(sealedKey).check(z.maxLength(16)), nonce: z.string(), sealed: z.string() });

/** @throws bootstrap-damaged */
export function parseEnvelope(text: string): Envelope {
  try {
    return z.parse(schema, JSON.parse(text));
  } catch (error) {
    throw fail('bootstrap-damaged', { problem: 'it is not in the form that this version writes' }, error);
  }
}

/**
 * Writes an envelope that this password opens, and with `opened` also those of `keys`: the key of the text then stays the same.
 * @throws token-malformed for an empty password: it would only look like a seal (CVE-2021-32001)
 */
export async function sealEnvelope(input: {
  readonly content: string;
  readonly password?: string;
  readonly keys?: { readonly of: Opened; readonly kept: readonly SealedKey[] };
}): Promise<string> {
  const { content, password, keys } = input;
  const contentKey = keys?.of.contentKey ?? randomBytes(32);
  const added = password === undefined ? [] : [await sealKey(contentKey, password)];
  const envelope: Envelope = { version: 1, keys: [...added, ...(keys?.kept ?? [])], ...seal(contentKey, Buffer.from(content), 'content') };
  return JSON.stringify(envelope);
}

/**
 * Tries the password on every key. Says nothing of what is inside unless it opens one.
 * @throws bootstrap-locked, bootstrap-damaged, token-malformed
 */
export async function openEnvelope(envelope: Envelope, password: string): Promise<Opened> {
  for (const by of envelope.keys) {
    const contentKey = unseal(await deriveKey(password, by.kdf), by, 'key');
    if (contentKey === undefined) continue;
    const content = unseal(contentKey, envelope, 'content');
    if (content === undefined) throw fail('bootstrap-damaged', { problem: 'its content was changed' });
    return { content: content.toString(), contentKey, by };
  }
  throw fail('bootstrap-locked', {});
}

async function sealKey(contentKey: Buffer, password: string): Promise<SealedKey> {
  const kdf = { ...cost, salt: randomBytes(16).toString('base64') };
  return { kdf, ...seal(await deriveKey(password, kdf), contentKey, 'key') };
}

function deriveKey(password: string, { n, r, p, salt }: SealedKey['kdf']): Promise<Buffer> {
  if (password.trim() === '') throw fail('token-malformed', { where: 'the server token', problem: 'it is empty' });
  const options: ScryptOptions = { N: n, r, p, maxmem: mostMemory };
  return new Promise((resolve, reject) => {
    scrypt(password, Buffer.from(salt, 'base64'), 32, options, (error, key) => (error === null ? resolve(key) : reject(error)));
  });
}

type Sealed = { readonly nonce: string; readonly sealed: string };
type Purpose = 'key' | 'content';

function seal(key: Buffer, plain: Buffer, purpose: Purpose): Sealed {
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(purposeBytes(purpose));
  const sealed = Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
  return { nonce: nonce.toString('base64'), sealed: sealed.toString('base64') };
}

/** Undefined where it is not the key, or where the bytes were changed. */
function unseal(key: Buffer, { nonce, sealed }: Sealed, purpose: Purpose): Buffer | undefined {
  const [iv, bytes] = [Buffer.from(nonce, 'base64'), Buffer.from(sealed, 'base64')];
  if (iv.length !== 12 || bytes.length < 16) return undefined;
  const decipher = createDecipheriv('aes-256-gcm', key, iv, { authTagLength: 16 })
    .setAAD(purposeBytes(purpose))
    .setAuthTag(bytes.subarray(-16));
  try {
    return Buffer.concat([decipher.update(bytes.subarray(0, -16)), decipher.final()]);
  } catch {
    return undefined;
  }
}

/** Neither can stand in the place of the other. */
function purposeBytes(purpose: Purpose): Buffer {
  return Buffer.from(`rfo bootstrap 1 ${purpose}`);
}
