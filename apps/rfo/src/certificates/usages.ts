import type { CertificateInfo } from '@rfo/pki';

/** Usages as users and metrics see them: `ClientAuth,ServerAuth`, `CertSign` of a CA. */
export function usagesOf(certificate: Pick<CertificateInfo, 'ca' | 'usages'>): string {
  if (certificate.ca) return 'CertSign';
  return certificate.usages
    .map((usage) => usage.charAt(0).toUpperCase() + usage.slice(1))
    .sort()
    .join(',');
}
