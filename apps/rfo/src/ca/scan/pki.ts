/** What the certificates of a host are worth. */
import { type CertificateInfo, nameValue } from '@rfo/pki';
import { isInOrder, makeLink } from '../bundle/link.ts';
import { formatTime } from '../certinfo/describe-certificate.ts';
import { sentCertificates } from '../certinfo/host-certificate.ts';
import { signatureName } from '../certinfo/signature-name.ts';
import { handshake } from './dial.ts';
import type { Family, Finding, Target } from './types.ts';

export const pki: Family = {
  description: 'The certificates that the host shows',
  scanners: {
    ChainExpiration: { description: 'No certificate of the chain has expired or will within 30 days', scan: expiration },
    ChainValidation: { description: 'Each certificate of the chain was signed by the one behind it', scan: validation },
    MultipleCerts: { description: 'The host shows the same certificate on all of its addresses', scan: sameEverywhere },
  },
};

const soon = 30 * 86_400_000;

async function expiration(target: Target): Promise<Finding> {
  const end = Math.min(...(await chainOf(target)).map(({ notAfter }) => notAfter));
  const left = end - target.now();
  return { grade: left < 0 ? 'Bad' : left < soon ? 'Warning' : 'Good', output: formatTime(end) };
}

async function validation(target: Target): Promise<Finding> {
  const chain = await chainOf(target);
  const warnings: string[] = [];
  for (const [index, certificate] of chain.entries()) {
    const signer = chain[index + 1];
    if (signer === undefined) break;
    const [name, signerName] = [titleOf(certificate), titleOf(signer)];
    if (!signer.ca) return { grade: 'Bad', error: `${signerName} is not a CA` };
    const { authorityKeyId } = certificate;
    if (authorityKeyId !== undefined && signer.subjectKeyId?.equals(authorityKeyId) === false)
      return { grade: 'Bad', error: `${name} names another key than that of ${signerName}` };
    if (!isInOrder([makeLink(certificate), makeLink(signer)]))
      return { grade: 'Bad', error: `the signature of ${name} is not one of ${signerName}` };
    if (/SHA1|MD5/.test(signatureName(certificate))) warnings.push(`${name} is signed with ${signatureName(certificate)}`);
  }
  return warnings.length > 0 ? { grade: 'Warning', output: warnings } : { grade: 'Good' };
}

async function sameEverywhere(target: Target): Promise<Finding> {
  const [first] = await chainOf(target);
  for (const address of await target.outbound.resolve(target.at.host, target.signal)) {
    const [leaf] = await handshake(target, { address }, sentCertificates);
    if (leaf === undefined || first === undefined || !leaf.der.equals(first.der))
      return { grade: 'Bad', error: `the certificate at ${address} is another one` };
  }
  return { grade: 'Good' };
}

async function chainOf(target: Target): Promise<readonly CertificateInfo[]> {
  const chain = await handshake(target, {}, sentCertificates);
  if (chain.length === 0) throw new Error('received no server certificates');
  return chain;
}

function titleOf({ subject }: CertificateInfo): string {
  return nameValue(subject, 'CN') ?? 'a certificate without a common name';
}
