// The text forms of join tokens, which are RKE2's: who may join, and how the joiner knows the cluster before it says anything.
import { createHash, randomInt } from 'node:crypto';
import { fail } from '@rfo/foundation';
import { type CertificateInfo, certificateInfos, decodePem, isSelfSigned, isSignedBy } from '@rfo/pki';

/** A secret of the whole cluster, or a token that `rfo token create` made. */
export type TokenCredential =
  | {
      readonly kind: 'password';
      /** Absent from a bare password: servers present it as `server`, agents as `node`. */
      readonly user?: 'server' | 'node';
      readonly password: string;
    }
  | { readonly kind: 'id'; readonly id: string; readonly secret: string };

export type ParsedToken = {
  /** SHA-256 that `caHash` must give for what `/cacerts` serves; absent from short forms, which pin nothing. */
  readonly caHash?: string;
  readonly credential: TokenCredential;
};

/**
 * Reads a token: `K10<64 hex>::server:<password>`, `K10<64 hex>::node:<password>`, `K10<64 hex>::<id>.<secret>`, or one of the short forms
 * `server:<password>`, `node:<password>`, `<id>.<secret>`, `<password>`. White space around it is left out.
 * @param where what the error says is wrong, for example `token-file`
 * @throws token-malformed, which never holds a part of the token
 */
export function parseToken(text: string, where = 'the token'): ParsedToken {
  const token = text.trim();
  const malformed = (problem: string): Error => fail('token-malformed', { where, problem });
  if (token === '') throw malformed('it is empty');
  if (/[\r\n]/.test(token)) throw malformed('it has more than one line');
  if (/\p{Cc}/u.test(token)) throw malformed('it holds control characters');
  // A bare password that begins like this would hide that half of a token was lost on the way.
  if (!token.startsWith('K10')) return { credential: parseCredential(token) ?? { kind: 'password', password: token } };
  const [, caHash, rest] = /^K10([0-9a-f]{64})::(.+)$/.exec(token) ?? [];
  if (caHash === undefined || rest === undefined) throw malformed('it begins with "K10", but 64 hexadecimal digits and "::" do not follow');
  const credential = parseCredential(rest);
  if (credential === undefined) throw malformed('after "::" comes neither server:<password>, node:<password> nor <id>.<secret>');
  return { caHash, credential };
}

/** Writes a token; with the hash of the cluster's CA the full form, without it a short one. */
export function renderToken({ caHash, credential }: ParsedToken): string {
  const head = caHash === undefined ? '' : `K10${caHash}::`;
  if (credential.kind === 'id') return `${head}${credential.id}.${credential.secret}`;
  const { user, password } = credential;
  if (user !== undefined) return `${head}${user}:${password}`;
  return caHash === undefined ? password : `${head}server:${password}`;
}

/**
 * What the full forms pin: of one certificate the SHA-256 of the text itself, byte by byte as `/cacerts` serves it; of several that of the
 * root above the first one, in DER.
 * @throws certificate-unreadable, certificate-untrusted where a bundle lacks its root
 */
export function caHash(caPem: string): string {
  const [first, ...more] = decodePem(caPem).filter(({ label }) => label === 'CERTIFICATE');
  if (first === undefined || more.length === 0) return sha256(caPem);
  const bundle = certificateInfos(caPem, 'the CA of the cluster');
  return sha256(rootAbove(bundle[0], bundle).der);
}

/** A new token of the form `<id>.<secret>`: 6 characters to name it by, 16 (82 bits) to keep. */
export function makeIdCredential(): TokenCredential & { readonly kind: 'id' } {
  return { kind: 'id', id: randomText(6), secret: randomText(16) };
}

const idForm = /^([a-z0-9]{6})\.([a-z0-9]{16})$/;

function parseCredential(text: string): TokenCredential | undefined {
  const [, id, secret] = idForm.exec(text) ?? [];
  if (id !== undefined && secret !== undefined) return { kind: 'id', id, secret };
  const [, user, password] = /^(server|node):(.+)$/.exec(text) ?? [];
  return (user === 'server' || user === 'node') && password !== undefined ? { kind: 'password', user, password } : undefined;
}

function rootAbove(first: CertificateInfo | undefined, bundle: readonly CertificateInfo[]): CertificateInfo {
  const passed = new Set<CertificateInfo>();
  for (let at = first; at !== undefined; ) {
    if (isSelfSigned(at)) return at;
    passed.add(at);
    const below: CertificateInfo = at;
    at = bundle.find((candidate) => !passed.has(candidate) && isSignedBy(below, candidate));
  }
  throw fail('certificate-untrusted', { subject: 'that /cacerts serves', problem: 'no root stands above it in the bundle' });
}

function randomText(length: number): string {
  const letters = 'abcdefghijklmnopqrstuvwxyz0123456789';
  return Array.from({ length }, () => letters[randomInt(letters.length)]).join('');
}

function sha256(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}
