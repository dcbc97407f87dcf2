/** A CA that can sign: its certificate and its key. */
import { createPublicKey, X509Certificate } from 'node:crypto';
import { fail } from '@rfo/foundation';
import { type CertificateInfo, certificateInfo, encodePem, type IssuerIdentity, memoryKey, type SigningKey, sha1KeyId } from '@rfo/pki';
import { type CaPaths, caPaths } from './ca-paths.ts';
import { completeChange, exists } from './change-folder.ts';
import { readPrivateKey, readSpec, type Variables } from './read-key.ts';

export type Authority = {
  /** With a final newline. */
  readonly pem: string;
  readonly certificate: CertificateInfo;
  readonly identity: IssuerIdentity;
  /** Its key as the database names it: lower-case hex. */
  readonly keyId: string;
};

/**
 * Opens a CA by its files.
 *
 * Everything that signs does it through `SigningKey`: an algorithm, a public key, and `sign(bytes)`. A key that never leaves its device implements
 * these three and nothing else. For PKCS#11 that is: `C_FindObjects` for the public key of a label gives `publicKey`; the kind of key gives `algorithm`
 * as `memoryKey` chooses it; `sign` runs `C_SignInit` (CKM_ECDSA over the digest, or CKM_SHA256_RSA_PKCS) and `C_Sign` in a worker, for they block, and
 * wraps the two halves that an ECDSA mechanism gives into a SEQUENCE of two INTEGERs. `authorityOf` then makes a CA of it.
 * @param files each a path, `file:PATH` or `env:NAME`; CFSSL_CA_PK_PASSWORD of `env` decrypts the key
 * @throws ca-file-unreadable, certificate-unreadable, key-unreadable, authority-unusable
 */
export async function openAuthority(files: { readonly ca: string; readonly caKey: string }, env: Variables): Promise<Authority> {
  const [pem, key] = await Promise.all([readSpec(files.ca, env), readPrivateKey(files.caKey, env)]);
  const certificate = certificateInfo(pem, files.ca);
  if (!createPublicKey(key).equals(new X509Certificate(certificate.der).publicKey)) {
    throw unusable(files.ca, `the private key ${files.caKey} is another's`, 'Name the two that belong together');
  }
  return authorityOf(certificate, memoryKey(key), files.ca);
}

/**
 * A CA from its certificate and whatever signs for it.
 * @param where names the certificate in errors
 * @throws authority-unusable
 */
export function authorityOf(certificate: CertificateInfo, key: SigningKey, where: string): Authority {
  if (!certificate.ca) throw unusable(where, 'it is not the certificate of a CA', 'Name one with CA:TRUE');
  const keyId = certificate.subjectKeyId ?? sha1KeyId(certificate.publicKey);
  const pem = encodePem('CERTIFICATE', certificate.der);
  return { pem, certificate, identity: { name: certificate.rawSubject, keyId, key }, keyId: keyId.toString('hex') };
}

/**
 * The CA of a folder, and the one before it where there is an overlap.
 * @throws ca-missing, and what `openAuthority` throws
 */
export async function openAuthorities(
  dir: string,
  env: Variables,
): Promise<{ readonly present: Authority; readonly previous: Authority | undefined }> {
  const paths = await openFolder(dir);
  const [present, previous] = await Promise.all([
    openAuthority(paths, env),
    exists(paths.previous.ca).then((is) => (is ? openAuthority(paths.previous, env) : undefined)),
  ]);
  return { present, previous };
}

/**
 * The paths of a folder that holds a CA; a change that was cut short is finished first.
 * @throws ca-missing, ca-unwritable
 */
export async function openFolder(dir: string): Promise<CaPaths> {
  await completeChange(dir);
  const paths = caPaths(dir);
  if (!(await exists(paths.ca))) throw fail('ca-missing', { dir });
  return paths;
}

function unusable(file: string, problem: string, cure: string): Error {
  return fail('authority-unusable', { file, problem, cure });
}
