import { fail } from '@rfo/foundation';
import { certificatesIn } from './trusted-context.ts';

/** That the CAs that are set can be read. @throws provider-settings */
export function checkCertificates(provider: string, { caBundle }: { readonly caBundle?: string | undefined }): void {
  if (caBundle === undefined) return;
  try {
    certificatesIn(caBundle);
  } catch (error) {
    const problem = `its caBundle cannot be used: ${error instanceof Error ? error.message : String(error)}`;
    throw fail('provider-settings', { provider, problem, cure: 'Give one or more certificates in PEM' }, error);
  }
}
