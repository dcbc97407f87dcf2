/** Turns a draft into a certificate: every extension in the order of Go's crypto/x509, then the signature. */
import { RfoError } from '@rfo/foundation';
import {
  altNamesExtension,
  authorityInfoExtension,
  authorityKeyIdExtension,
  basicConstraintsExtension,
  crlPointsExtension,
  encodeMultiName,
  extendedUsageExtension,
  type IssuerIdentity,
  keyUsageExtension,
  ocspNoCheckExtension,
  type RawExtension,
  sha1KeyId,
  signCertificate,
  subjectKeyIdExtension,
} from '@rfo/pki';
import { CfsslError } from '../cfssl-error.ts';
import type { Profile } from '../config/types.ts';
import type { Draft } from './types.ts';

export type Signed = {
  readonly draft: Draft;
  readonly profile: Profile;
  /** Big-endian. */
  readonly serial: Buffer;
  /** From the request: they take the place of those that the profile would make. */
  readonly extensions: readonly RawExtension[];
  /** A root names no key above its own. */
  readonly selfSigned?: boolean;
};

/** DER. Throws CfsslError 1000 for what cannot be written into a certificate, and whatever the key throws. */
export async function signDraft(signed: Signed, identity: IssuerIdentity): Promise<Buffer> {
  const { draft, serial } = signed;
  const { subject, extensions } = encoded(signed, identity);
  const { publicKey, notBefore, notAfter } = draft;
  return signCertificate({ serial, subject, publicKey, notBefore, notAfter, extensions }, identity);
}

type Encoded = { readonly subject: Buffer; readonly extensions: readonly RawExtension[] };

function encoded(signed: Signed, identity: IssuerIdentity): Encoded {
  try {
    const subject = encodeMultiName(signed.draft.subject);
    return { subject, extensions: allExtensions(signed, { emptySubject: signed.draft.subject.length === 0, identity }) };
  } catch (error) {
    if (error instanceof RfoError || error instanceof RangeError) throw new CfsslError(1000, error.message);
    throw error;
  }
}

function allExtensions(signed: Signed, { emptySubject, identity }: { emptySubject: boolean; identity: IssuerIdentity }): RawExtension[] {
  const { draft, profile, selfSigned = false } = signed;
  const { keyUsages, usages, ocspUrl, issuerUrls, crlUrl } = profile;
  const extras = unique([...signed.extensions, ...profile.policies, ...(profile.ocspNoCheck ? [ocspNoCheckExtension()] : [])]);
  const made = [
    ...(keyUsages.length > 0 ? [keyUsageExtension(keyUsages)] : []),
    ...(usages.length > 0 ? [extendedUsageExtension(usages)] : []),
    basicConstraintsExtension(profile.ca),
    subjectKeyIdExtension(sha1KeyId(draft.publicKey)),
    ...(selfSigned ? [] : [authorityKeyIdExtension(identity.keyId)]),
    ...(ocspUrl !== '' || issuerUrls.length > 0
      ? [authorityInfoExtension({ ocsp: ocspUrl === '' ? [] : [ocspUrl], issuers: issuerUrls })]
      : []),
    ...(draft.altNames.length > 0 ? [altNamesExtension(draft.altNames, { critical: emptySubject })] : []),
    ...(crlUrl !== '' ? [crlPointsExtension([crlUrl])] : []),
  ];
  return [...made.filter(({ oid }) => !extras.some((extra) => extra.oid === oid)), ...extras];
}

/** RFC 5280 §4.2: no extension twice; the first counts. */
function unique(extensions: readonly RawExtension[]): RawExtension[] {
  return extensions.filter(({ oid }, at) => extensions.findIndex((other) => other.oid === oid) === at);
}
