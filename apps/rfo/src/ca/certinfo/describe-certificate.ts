/** A certificate as `certinfo` describes it, in cfssl's words: for its endpoint and for `rfo ca info`. */
import { type CertificateInfo, encodePem, type Name, type NameAttribute } from '@rfo/pki';
import { signatureName } from './signature-name.ts';

export type CertificateDescription = {
  readonly subject: NameDescription;
  readonly issuer: NameDescription;
  /** Decimal. */
  readonly serial_number: string;
  /** DNS names, then addresses. */
  readonly sans?: readonly string[];
  /** RFC 3339 in UTC. */
  readonly not_before: string;
  readonly not_after: string;
  readonly sigalg: string;
  /** `AB:CD:…`; empty where the certificate has none. */
  readonly authority_key_id: string;
  readonly subject_key_id: string;
  readonly pem: string;
};

export type NameDescription = {
  readonly common_name?: string;
  readonly serial_number?: string;
  readonly country?: string;
  readonly organization?: string;
  readonly organizational_unit?: string;
  readonly locality?: string;
  readonly province?: string;
  readonly street_address?: string;
  readonly postal_code?: string;
  /** Every value in the order of the certificate. */
  readonly names?: readonly string[];
};

/** Keys in cfssl's order; those that are empty are left out where cfssl leaves them out. */
export function describeCertificate(certificate: CertificateInfo): CertificateDescription {
  const values = (type: 'dns' | 'ip'): string[] => certificate.altNames.filter((name) => name.type === type).map(({ value }) => value);
  const sans = [...values('dns'), ...values('ip')];
  return {
    subject: describeName(certificate.subject),
    issuer: describeName(certificate.issuer),
    serial_number: BigInt(`0x${certificate.serial}`).toString(),
    ...(sans.length > 0 && { sans }),
    not_before: formatTime(certificate.notBefore),
    not_after: formatTime(certificate.notAfter),
    sigalg: signatureName(certificate),
    authority_key_id: colons(certificate.authorityKeyId),
    subject_key_id: colons(certificate.subjectKeyId),
    pem: encodePem('CERTIFICATE', certificate.der),
  };
}

/** RFC 3339 as Go writes it: no fraction where there is none. `time` in milliseconds since 1970. */
export function formatTime(time: number): string {
  return new Date(time).toISOString().replace(/\.?0*Z$/, 'Z');
}

function describeName(name: Name): NameDescription {
  const all = (type: NameAttribute['type']): string[] => name.filter((attribute) => attribute.type === type).map(({ value }) => value);
  // Of what can be there once only, Go keeps the last one.
  const fields = {
    common_name: all('CN').at(-1),
    serial_number: all('serialNumber').at(-1),
    country: all('C').join(','),
    organization: all('O').join(','),
    organizational_unit: all('OU').join(','),
    locality: all('L').join(','),
    province: all('ST').join(','),
    street_address: all('STREET').join(','),
    postal_code: all('postalCode').join(','),
  };
  const present = Object.entries(fields).filter(([, value]) => value !== undefined && value !== '');
  return { ...Object.fromEntries(present), ...(name.length > 0 && { names: name.map(({ value }) => value) }) };
}

function colons(id: Buffer | undefined): string {
  return (id?.toString('hex').toUpperCase().match(/../g) ?? []).join(':');
}
