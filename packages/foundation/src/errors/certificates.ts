// Certificates and keys.
import type { ErrorEntry } from './entry.ts';

export const certificateErrors = {
  'certificate-unreadable': {
    text: 'cannot read {where}: {problem}',
    cure: 'Put a certificate in PEM there, or remove the file if RFO made it',
    retryable: false,
    exit: 1,
  },
  'certificate-untrusted': {
    text: 'the certificate {subject} is not to be trusted: {problem}',
    cure: 'Check the clocks of both sides and which CA signed it',
    retryable: false,
    exit: 1,
  },
  'certificate-unwritable': {
    text: 'cannot write {file}: {problem}',
    cure: 'Make room or give rfo the right to write there; it tries again by itself',
    retryable: true,
    exit: 1,
  },
  'key-unreadable': {
    text: 'cannot read the private key {where}: {problem}',
    cure: 'Put a private key in PEM there',
    retryable: false,
    exit: 1,
  },
  'key-unsupported': {
    text: 'a private key {kind} cannot sign here',
    cure: 'Use P-256, P-384, P-521, Ed25519 or RSA of 2048 to 8192 bits',
    retryable: false,
    exit: 2,
  },
  'alt-name-invalid': {
    text: '"{name}" cannot be in a certificate: {problem}',
    cure: 'Give host names and IP addresses, for example in tls-san',
    retryable: false,
    exit: 2,
  },
  'signing-request-invalid': {
    text: 'the certificate signing request is refused: {problem}',
    cure: 'Make it anew',
    retryable: false,
    exit: 1,
  },
  'crl-unreadable': { text: 'the revocation list cannot be read: {problem}', cure: 'Fetch it anew', retryable: true, exit: 1 },
  'ocsp-request-invalid': { text: 'the OCSP request is refused: {problem}', cure: 'Make it anew', retryable: false, exit: 1 },
  'ocsp-response-unreadable': {
    text: 'the answer of the OCSP responder cannot be read: {problem}',
    cure: 'Ask again, and look at whether it is a responder that answers there',
    retryable: true,
    exit: 1,
  },
  'authority-unusable': { text: 'the certificate authority {file} cannot be used: {problem}', cure: '{cure}', retryable: false, exit: 1 },
} as const satisfies Record<string, ErrorEntry>;
