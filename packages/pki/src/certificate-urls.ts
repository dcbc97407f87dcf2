/** Where a certificate says that its status, its CRL and its issuer are to be had. */
import { fail } from '@rfo/foundation';
import { accessOids } from './certificate-extensions.ts';
import type { CertificateInfo } from './certificate-info.ts';
import { tags } from './der.ts';
import { DerError, DerReader, readOid, readWhole } from './der-reader.ts';
import { extensionOids } from './oids.ts';

export type CertificateUrls = {
  /** OCSP responders, in the order of the certificate. */
  readonly ocsp: readonly string[];
  /** Certificates of the issuer. */
  readonly issuers: readonly string[];
  /** Whether it names places of a CRL. */
  readonly crlPoints: boolean;
};

/** RFC 5280 §4.2.2.1 and §4.2.1.13. Throws certificate-unreadable. */
export function certificateUrls(certificate: Pick<CertificateInfo, 'signedBytes'>): CertificateUrls {
  try {
    const extensions = extensionsOf(certificate.signedBytes);
    const access = extensions.get(extensionOids.authorityInfo);
    const urls = access === undefined ? [] : readAccess(access);
    const of = (method: string): string[] => urls.filter((entry) => entry.method === method).map(({ url }) => url);
    return { ocsp: of(accessOids.ocsp), issuers: of(accessOids.issuer), crlPoints: extensions.has(extensionOids.crlPoints) };
  } catch (error) {
    if (!(error instanceof DerError)) throw error;
    throw fail('certificate-unreadable', { where: 'the certificate', problem: `its extensions cannot be read (${error.message})` }, error);
  }
}

/** Content by identifier. */
function extensionsOf(body: Uint8Array): ReadonlyMap<string, Buffer> {
  const fields = readWhole(body);
  const contents = new Map<string, Buffer>();
  while (!fields.done) {
    const field = fields.next();
    if (field.tag !== 0xa3) continue;
    const items = readWhole(field.content);
    while (!items.done) {
      const item = items.enter();
      const id = readOid(item.next(tags.oid));
      item.optional(tags.boolean);
      contents.set(id, item.next(tags.octetString).content);
    }
  }
  return contents;
}

/** Only locations that are URLs: choice 6 of GeneralName. */
function readAccess(content: Uint8Array): { readonly method: string; readonly url: string }[] {
  const found: { method: string; url: string }[] = [];
  const entries = new DerReader(content).enter();
  while (!entries.done) {
    const entry = entries.enter();
    const method = readOid(entry.next(tags.oid));
    const location = entry.next();
    if (location.tag === 0x86) found.push({ method, url: location.content.toString('latin1') });
  }
  return found;
}
