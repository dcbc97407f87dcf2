/** Reads the CSR of a request, and refuses what is none or not genuine with cfssl's numbers. */
import { RfoError } from '@rfo/foundation';
import { type CertificateSigningRequest, checkRequestSignature, decodeRequest } from '@rfo/pki';
import { takePemBlock } from '../certinfo/pem-blocks.ts';
import { CfsslError } from '../cfssl-error.ts';

/**
 * The first PEM block, whatever stands around it. Throws CfsslError: 9002 for no PEM, 9300 for a block of another kind, 9003 for what is no CSR in
 * it, 9300 for a signature that is not one of its own key.
 */
export function readCertificateRequest(pem: string): CertificateSigningRequest {
  const block = takePemBlock(pem)?.block;
  if (block === undefined) throw new CfsslError(9002, 'CSR Decode failed');
  if (!labels.has(block.label)) throw new CfsslError(9300, 'not a csr');
  const request = orRefuse(
    () => decodeRequest(block.bytes),
    (problem) => new CfsslError(9003, problem),
  );
  orRefuse(
    () => checkRequestSignature(block.bytes),
    () => new CfsslError(9300, signatureProblem(request)),
  );
  return request;
}

const labels: ReadonlySet<string> = new Set(['CERTIFICATE REQUEST', 'NEW CERTIFICATE REQUEST']);

function orRefuse<T>(act: () => T, refusal: (problem: string) => CfsslError): T {
  try {
    return act();
  } catch (error) {
    if (!(error instanceof RfoError)) throw error;
    throw refusal(error.cause instanceof Error ? error.cause.message : error.message);
  }
}

/** In Go's words, which clients show. */
function signatureProblem({ signatureAlgorithm }: CertificateSigningRequest): string {
  if (signatureAlgorithm.startsWith('MD5')) return `x509: cannot verify signature: insecure algorithm ${signatureAlgorithm}`;
  if (signatureAlgorithm === '0' || signatureAlgorithm.startsWith('DSA')) return 'x509: cannot verify signature: algorithm unimplemented';
  if (signatureAlgorithm.startsWith('ECDSA')) return 'x509: ECDSA verification failure';
  return signatureAlgorithm === 'Ed25519' ? 'x509: Ed25519 verification failure' : 'crypto/rsa: verification error';
}
