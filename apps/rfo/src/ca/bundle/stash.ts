/** The folder of `-int-dir`: intermediates that were fetched once, one file each. */
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomic } from '@rfo/foundation';
import { type CertificateInfo, certificateInfos, encodePem } from '@rfo/pki';

export type Stash = {
  /** Those that were there. */
  readonly certificates: readonly CertificateInfo[];
  /** @throws the system's error */
  readonly keep: (certificate: CertificateInfo) => Promise<void>;
};

/** Makes the folder where it is missing. @throws certificate-unreadable with the name of the file, the system's error */
export async function openStash(folder: string): Promise<Stash> {
  await mkdir(folder, { recursive: true, mode: 0o755 });
  const files = (await readdir(folder)).filter((name) => /\.(crt|pem)$/.test(name)).sort();
  const certificates = await Promise.all(
    files.map(async (name) => certificateInfos(await readFile(join(folder, name), 'utf8'), join(folder, name))),
  );
  return {
    certificates: certificates.flat(),
    keep: async (certificate) => {
      // By what it is and not by what it says of itself: a name could lead out of the folder.
      const name = `${createHash('sha256').update(certificate.der).digest('hex')}.crt`;
      await writeFileAtomic(join(folder, name), encodePem('CERTIFICATE', certificate.der), 0o644);
    },
  };
}
