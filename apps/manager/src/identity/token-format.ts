/** The form of sessions' and tokens' secrets: `rfo_<id>_<secret>`. The id is public and names the Token; of the secret only a hash is kept. */
import { hash, randomBytes, timingSafeEqual } from 'node:crypto';

export type Credential = { readonly id: string; readonly secret: string };

const form = /^rfo_([a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)_([0-9a-f]{64})$/;

export function makeCredential(): Credential {
  return { id: randomName(12), secret: randomBytes(32).toString('hex') };
}

export function formatCredential({ id, secret }: Credential): string {
  return `rfo_${id}_${secret}`;
}

/** The parts, or undefined of any other text. */
export function parseCredential(text: string): Credential | undefined {
  const [, id, secret] = form.exec(text) ?? [];
  return id === undefined || secret === undefined ? undefined : { id, secret };
}

/** Hex SHA-256. A slow hash would add nothing: the secret is 256 random bits. */
export function hashSecret(secret: string): string {
  return hash('sha256', secret);
}

/** Takes the same time whatever is wrong. @param expected what `hashSecret` gave */
export function isSecretOf(secret: string, expected: string): boolean {
  const [actual, wanted] = [Buffer.from(hashSecret(secret)), Buffer.from(expected)];
  return actual.length === wanted.length && timingSafeEqual(actual, wanted);
}

/** `length` letters and digits, 5 random bits each, that can stand in the name of an object. */
export function randomName(length: number): string {
  return Array.from(randomBytes(length), (byte) => alphabet[byte & 31]).join('');
}

/** Without those that are taken for one another when read aloud or copied by hand. */
const alphabet = 'abcdefghijkmnpqrstuvwxyz23456789';
