import type { CertificateInfo } from '@rfo/pki';
import { readCertificate } from '../../certinfo/read-certificates.ts';
import { CfsslError } from '../../cfssl-error.ts';
import type { CertificateRecord } from '../../store/types.ts';
import { actOf, audited, doneEntry } from '../audited.ts';
import { type GoOf, goAny, goInt, goPointer, goString, goStruct, goTime, readRequest } from '../go-types.ts';
import type { ApiParts, Records } from '../parts.ts';
import type { Endpoint } from '../types.ts';

/** Takes a certificate that was issued elsewhere into the database. What is said of it must be what it says itself. */
export function certaddEndpoint(parts: ApiParts, { store, audit }: Records): Endpoint {
  return {
    name: 'certadd',
    method: 'POST',
    handle: async (call) => {
      const json = readRequest(call.body, addRequest, 'Unable to parse certificate addition request');
      const act = { ...actOf('certadd', call), serial: json.serial_number, authorityKeyId: json.authority_key_identifier };
      await audited(parts, act, async () => {
        const record = checkedRecord(json);
        await store.insert(record, audit.within(doneEntry({ ...act, serial: record.serial, authorityKeyId: record.authorityKeyId })));
      });
      return { result: {} };
    },
  };
}

const addRequest = goStruct('certadd.AddRequest', {
  serial_number: goString,
  authority_key_identifier: goString,
  ca_label: goString,
  status: goString,
  reason: goInt,
  expiry: goTime,
  revoked_at: goTime,
  pem: goString,
  issued_at: goPointer(goTime),
  not_before: goPointer(goTime),
  metadata: goAny,
  sans: goAny,
  common_name: goString,
});

type AddRequest = GoOf<typeof addRequest>;

/** RFC 5280 §5.3.1. */
const reasons = new Set([0, 1, 2, 3, 4, 5, 6, 8, 9, 10]);

/** In the order of cfssl's checks, as its texts tell which one failed. */
function checkedRecord(json: AddRequest): CertificateRecord {
  const { status, expiry } = json;
  need(json.serial_number !== '', 'Serial number is required but not provided');
  need(json.authority_key_identifier !== '', 'Authority key identifier is required but not provided');
  if (status !== 'good' && status !== 'revoked') throw new CfsslError(400, 'Invalid certificate status');
  if (status === 'revoked') {
    need(json.revoked_at !== undefined, 'Revoked certificate should specify when it was revoked');
    need(reasons.has(json.reason), 'Invalid certificate status reason code');
  }
  need(json.pem !== '', 'The provided certificate is empty');
  if (expiry === undefined) throw new CfsslError(400, 'Expiry is required but not provided');
  const certificate = readPem(json.pem);
  need(/^[+-]?\d+$/.test(json.serial_number), 'Unable to parse serial key of request');
  const serial = BigInt(json.serial_number.replace(/^\+/, ''));
  need(serial === BigInt(`0x${certificate.serial}`), 'Serial key of request and certificate do not match');
  need(/^([0-9a-fA-F]{2})*$/.test(json.authority_key_identifier), 'Unable to decode authority key identifier');
  const authorityKeyId = json.authority_key_identifier.toLowerCase();
  need(certificate.authorityKeyId?.toString('hex') === authorityKeyId, 'Authority key identifier of request and certificate do not match');
  need(expiry === certificate.notAfter, 'Expiry of request and certificate do not match');
  return {
    serial: serial.toString(),
    authorityKeyId,
    caLabel: json.ca_label,
    status,
    reason: json.reason,
    expiry,
    revokedAt: json.revoked_at,
    issuedAt: json.issued_at,
    notBefore: json.not_before,
    metadata: json.metadata,
    sans: Array.isArray(json.sans) ? json.sans.filter((name) => typeof name === 'string') : [],
    commonName: json.common_name,
    pem: json.pem,
  };
}

function need(condition: boolean, otherwise: string): void {
  if (!condition) throw new CfsslError(400, otherwise);
}

function readPem(pem: string): CertificateInfo {
  try {
    return readCertificate(pem);
  } catch (error) {
    if (error instanceof CfsslError) throw new CfsslError(400, 'Unable to parse PEM encoded certificates');
    throw error;
  }
}
