/** What tests of certificate status need beside `openssl.testing.ts`: both streams of the program, whether it fails or not. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Signer } from './certificate.ts';
import type { CertificateInfo } from './certificate-info.ts';
import { day, publicBytes, testAuthority, testLeaf } from './issuing.testing.ts';
import { generateKey, type KeyAlgorithm } from './key.ts';
import { encodePem } from './pem.ts';
import { type IssuerIdentity, memoryKey } from './signing-key.ts';

/** Runs `openssl` beside the given files. `output` names a file that it writes. */
export function askOpenssl(
  args: readonly string[],
  files: Readonly<Record<string, string | Uint8Array>>,
  output = 'output',
): { readonly status: number | null; readonly text: string; readonly written: Buffer } {
  const folder = mkdtempSync(join(tmpdir(), 'rfo-pki-'));
  try {
    for (const [name, content] of Object.entries({ ...files, [output]: '' })) writeFileSync(join(folder, name), content);
    const { status, stdout, stderr } = spawnSync('openssl', args, { cwd: folder, encoding: 'utf8', timeout: 30_000 });
    return { status, text: `${stdout}${stderr}`, written: readFileSync(join(folder, output)) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export type StatusScene = {
  readonly ca: Signer;
  readonly identity: IssuerIdentity;
  readonly leaf: CertificateInfo;
  /** PEM of both, for openssl. */
  readonly files: { readonly ca: string; readonly leaf: string };
};

/** A CA and a leaf that are valid now: openssl looks at the real clock. */
export function statusScene(algorithm: KeyAlgorithm = 'P-256'): StatusScene {
  const window = { notBefore: Date.now() - day, notAfter: Date.now() + day };
  const ca = testAuthority('status-ca', { key: algorithm, change: window });
  const leaf = testLeaf(ca, window);
  const identity = { name: ca.certificate.rawSubject, keyId: ca.certificate.subjectKeyId ?? Buffer.alloc(0), key: memoryKey(ca.key) };
  return { ca, identity, leaf, files: { ca: pem(ca.certificate), leaf: pem(leaf) } };
}

/** A certificate for OCSP signing, issued by the CA of the scene. */
export function testResponder({ ca }: StatusScene): Signer {
  const key = generateKey();
  const window = { notBefore: Date.now() - day, notAfter: Date.now() + day };
  return { key, certificate: testLeaf(ca, { publicKey: publicBytes(key), usages: ['ocspSigning'], ...window }) };
}

export function serialOf(certificate: CertificateInfo): bigint {
  return BigInt(`0x${certificate.serial}`);
}

function pem({ der }: CertificateInfo): string {
  return encodePem('CERTIFICATE', der);
}
