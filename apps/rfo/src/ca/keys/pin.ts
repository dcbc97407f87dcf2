/** How a CA is recognised by whoever has not got its certificate yet. */
import { hash } from 'node:crypto';
import type { CertificateInfo } from '@rfo/pki';

/** `sha256:` and the hash of the SubjectPublicKeyInfo, lower-case hex: stays the same when the certificate is renewed (kubeadm's form). */
export function pinOf({ publicKey }: Pick<CertificateInfo, 'publicKey'>): string {
  return `sha256:${hash('sha256', publicKey, 'hex')}`;
}

/** SHA-256 of the whole certificate, lower-case hex. */
export function fingerprintOf({ der }: Pick<CertificateInfo, 'der'>): string {
  return hash('sha256', der, 'hex');
}
