/** Certificates out of the PEM of a request, refused with cfssl's numbers and texts where they cannot be read. */
import { RfoError } from '@rfo/foundation';
import { type CertificateInfo, decodeCertificate } from '@rfo/pki';
import { CfsslError } from '../cfssl-error.ts';
import { takePemBlock } from './pem-blocks.ts';

/** The one certificate of a text. @throws CfsslError 1002 where no PEM is in it, 1003 where it is no certificate or not the only one */
export function readCertificate(text: string): CertificateInfo {
  const taken = takePemBlock(text.trim());
  if (taken === undefined) throw undecodable();
  const certificate = parse(taken.block.bytes);
  if (taken.rest.length > 0) throw new CfsslError(1003, 'the PEM file should contain only one object');
  return certificate;
}

/** All certificates of a text in their order, at least one. @throws CfsslError 1002 where something else is in it, 1003 where one is broken */
export function readCertificates(text: string): readonly CertificateInfo[] {
  const certificates: CertificateInfo[] = [];
  let rest = text.trim();
  while (rest !== '') {
    const taken = takePemBlock(rest);
    if (taken === undefined) throw undecodable();
    certificates.push(parse(taken.block.bytes));
    rest = taken.rest;
  }
  if (certificates.length === 0) throw undecodable();
  return certificates;
}

function undecodable(): CfsslError {
  return new CfsslError(1002, 'Failed to decode certificate');
}

function parse(der: Buffer): CertificateInfo {
  try {
    return decodeCertificate(der);
  } catch (error) {
    if (!(error instanceof RfoError)) throw error;
    throw new CfsslError(1003, 'Failed to parse certificate');
  }
}
