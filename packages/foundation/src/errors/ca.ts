// The certificate authority: its keys, its database, its tokens.
import type { ErrorEntry } from './entry.ts';

export const caErrors = {
  'ca-certificate-known': {
    text: 'the database knows a certificate with the serial number {serial} already',
    cure: 'A serial number is given once; choose another',
    retryable: false,
    exit: 1,
  },
  'ca-certificate-unknown': {
    text: 'the database knows no certificate with the serial number {serial} of the CA key {authority}',
    cure: 'rfo ca list shows those it knows; serial numbers are decimal there',
    retryable: false,
    exit: 1,
  },
  'ca-store-failed': {
    text: 'the database {file} cannot be written: {problem}',
    cure: 'Nothing was issued; give its disk space, or repair it',
    retryable: true,
    exit: 1,
  },
  'ocsp-responder-unusable': {
    text: 'the certificate {file} cannot sign OCSP answers: {problem}',
    cure: 'Issue one with the profile ocsp, or name none: then the CA signs them itself',
    retryable: false,
    exit: 1,
  },
  'ca-token-unknown': { text: 'there is no join token {id}', cure: 'rfo ca token list shows those there are', retryable: false, exit: 2 },
  'ca-token-expired': {
    text: 'the join token {id} expired at {when}',
    cure: 'Make another: rfo ca token create',
    retryable: false,
    exit: 1,
  },
  'ca-token-used-up': { text: 'the join token {id} is used up', cure: 'Make another: rfo ca token create', retryable: false, exit: 1 },
  'ca-token-wrong-node': {
    text: 'the join token {id} is not for {node}',
    cure: 'It is good for the node alone that it was made for: rfo ca token list',
    retryable: false,
    exit: 1,
  },
  'ca-token-wrong-profile': {
    text: 'the join token {id} is not for the profile {profile}',
    cure: 'rfo ca token list shows which it is for',
    retryable: false,
    exit: 1,
  },
} as const satisfies Record<string, ErrorEntry>;
