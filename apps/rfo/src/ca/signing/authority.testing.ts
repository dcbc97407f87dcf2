/** A CA that signs by a configuration given as an object, requests for it, and what OpenSSL says of the result; for tests. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '@rfo/foundation';
import { type CertificateInfo, decodeCertificate, type IssuerIdentity, memoryKey } from '@rfo/pki';
import { readAuthKey } from '../config/auth-key.ts';
import { readSigningConfig } from '../config/read-config.ts';
import { type Compat, strict } from './compat.ts';
import { createIssuer } from './create-issuer.ts';
import { createSelfSigned } from './create-self-signed.ts';
import type { CaWish, CsrWish } from './csr-json.ts';
import { makeRequest } from './make-request.ts';
import type { Issuer, SignRequest } from './types.ts';

/** 20 s after a full minute. */
export const now = Date.parse('2026-11-21T10:00:20Z');
export const clock: Clock = { now: () => now };

export const plainWish: CsrWish = {
  commonName: '',
  names: [],
  serialNumber: '',
  hosts: [],
  key: { algorithm: 'ecdsa', size: 256 },
  delegation: false,
  extensions: [],
  crlUrl: '',
};

export type TestAuthority = {
  readonly certificate: CertificateInfo;
  readonly identity: IssuerIdentity;
  readonly pem: string;
  readonly keyPem: string;
};

export async function testAuthority(wish: { key?: CsrWish['key']; ca?: CaWish; at?: number } = {}): Promise<TestAuthority> {
  const { key = plainWish.key, ca = { expiry: '', backdate: '' }, at = now } = wish;
  const made = await createSelfSigned({ ...plainWish, commonName: 'test-ca', key, ca }, { clock: { now: () => at } });
  const certificate = decodeCertificate(made.certificateDer);
  const keyId = certificate.subjectKeyId;
  if (keyId === undefined) throw new Error('the CA has no key id');
  const identity = { name: certificate.rawSubject, keyId, key: memoryKey(made.key) };
  return { certificate, identity, pem: made.certificatePem, keyPem: made.keyPem };
}

/** @param signing what stands under `signing`; `expiry` of one hour and server auth where nothing is said */
export async function testIssuer(
  signing: { readonly default?: object; readonly profiles?: Readonly<Record<string, object>> },
  options: { readonly authority?: TestAuthority; readonly compat?: Compat; readonly at?: number } = {},
): Promise<Issuer & { readonly authority: TestAuthority }> {
  const { compat = strict, at = now } = options;
  const authority = options.authority ?? (await testAuthority());
  const filled = (profile: object = {}): object => ({ expiry: '1h', usages: ['signing', 'server auth'], ...profile });
  const profiles = Object.fromEntries(Object.entries(signing.profiles ?? {}).map(([name, profile]) => [name, filled(profile)]));
  const text = JSON.stringify({ signing: { default: filled(signing.default), profiles } });
  const config = await readSigningConfig(text, { readKey: readAuthKey });
  return { authority, ...createIssuer({ config, ...authority, clock: { now: () => at }, compat }) };
}

/** A request for a certificate with everything left as usual but what is given. */
export async function testRequest(wish: Partial<CsrWish> = {}, rest: Partial<SignRequest> = {}): Promise<SignRequest> {
  const { requestPem } = await makeRequest({ ...plainWish, ...wish });
  return { certificateRequest: requestPem, hosts: null, profile: '', label: '', ...rest };
}

/** What the `openssl` program prints, given that input, in a folder that holds the given files for the time of the call. */
export function openssl(args: readonly string[], input: string | Uint8Array, files: Readonly<Record<string, string>> = {}): string {
  const folder = mkdtempSync(join(tmpdir(), 'rfo-signing-'));
  try {
    for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
    return execFileSync('openssl', args, { cwd: folder, input, encoding: 'utf8', stdio: ['pipe', 'pipe', 'pipe'] });
  } finally {
    rmSync(folder, { recursive: true });
  }
}
