/** The roots that this system trusts, for a CA that was given no `-ca-bundle`. */
import { getCACertificates } from 'node:tls';
import { type Log, RfoError } from '@rfo/foundation';
import { type CertificateInfo, certificateInfos } from '@rfo/pki';

/** Those that cannot be read are left out, and the log says how many. */
export function systemRoots(log: Log): readonly CertificateInfo[] {
  let unreadable = 0;
  const roots = getCACertificates('system').flatMap((pem) => {
    try {
      return certificateInfos(pem);
    } catch (error) {
      if (!(error instanceof RfoError)) throw error;
      unreadable++;
      return [];
    }
  });
  if (unreadable > 0) log.warn('some roots of the system could not be read', { unreadable, read: roots.length });
  return roots;
}
