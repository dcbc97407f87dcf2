/** Makes a root CA from CSR JSON: init_ca. */
import type { Clock } from '@rfo/foundation';
import { encodeMultiName, encodePem, memoryKey, sha1KeyId } from '@rfo/pki';
import { CfsslError } from '../cfssl-error.ts';
import { parseGoDuration } from '../config/go-duration.ts';
import { defaultSigningConfig } from '../config/read-config.ts';
import type { Profile } from '../config/types.ts';
import { readUsages } from '../config/usages.ts';
import { randomSerial } from './create-issuer.ts';
import type { CaWish, CsrWish } from './csr-json.ts';
import { type MadeRequest, makeRequest } from './make-request.ts';
import { prepare } from './prepare.ts';
import { readCertificateRequest } from './read-request.ts';
import { signDraft } from './sign-draft.ts';

export type MadeRoot = MadeRequest & { readonly certificatePem: string; readonly certificateDer: Buffer };

/**
 * A key, and a certificate of it that it signs itself: five years unless `ca.expiry` says otherwise, for signing certificates and CRLs. Of the hosts
 * only IP addresses come into it. Throws CfsslError: 0 under status 500 for a bad duration, 5300 for a request without a subject, those of makeRequest.
 */
export async function createSelfSigned(wish: CsrWish, { clock }: { readonly clock: Clock }): Promise<MadeRoot> {
  const profile = rootProfile(wish);
  checkSubject(wish);
  const made = await makeRequest(wish);
  const csr = readCertificateRequest(made.requestPem);
  const request = { certificateRequest: made.requestPem, hosts: null, profile: profile.name, label: '' };
  const { draft, extensions } = prepare(request, csr, { profile, certificate: {}, now: clock.now() });
  const issuer = { name: encodeMultiName(draft.subject), keyId: sha1KeyId(draft.publicKey), key: memoryKey(made.key) };
  const certificateDer = await signDraft({ draft, profile, serial: randomSerial(), extensions, selfSigned: true }, issuer);
  return { ...made, certificateDer, certificatePem: encodePem('CERTIFICATE', certificateDer) };
}

const usageNames = ['cert sign', 'crl sign'];
const usualExpiry = '43800h';

function rootProfile({ ca = { expiry: '', backdate: '' }, crlUrl }: CsrWish): Profile {
  const usual = defaultSigningConfig().defaultProfile;
  const expiryText = ca.expiry || usualExpiry;
  const expiry = parseGoDuration(expiryText);
  const backdate = ca.backdate === '' ? 0 : parseGoDuration(ca.backdate);
  if (expiry === 0) throw new CfsslError(5200, 'Invalid or unknown policy');
  return {
    ...usual,
    usageNames,
    ...readUsages(usageNames),
    expiryText,
    expiry,
    backdate: backdate || usual.backdate,
    crlUrl,
    ca: constraint(ca),
  };
}

function constraint({ pathLength }: CaWish): NonNullable<Profile['ca']> {
  return pathLength === undefined ? {} : { pathLength };
}

/** A CA has a name. */
function checkSubject({ commonName, names }: CsrWish): void {
  if (commonName !== '') return;
  const empty = (text = ''): boolean => text.trim() === '';
  const nameless = names.length === 0 || names.some(({ C, ST, L, O, OU }) => [C, ST, L, O, OU].every(empty));
  if (nameless) throw new CfsslError(5300, 'missing subject information');
}
