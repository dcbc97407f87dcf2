/** Makes a key and a request for it, from CSR JSON. */
import type { KeyObject } from 'node:crypto';
import { RfoError } from '@rfo/foundation';
import {
  basicConstraintsExtension,
  createSigningRequest,
  encodeKey,
  encodeMultiName,
  encodePem,
  generateKeyAside,
  type KeyAlgorithm,
  type Name,
  type RawExtension,
} from '@rfo/pki';
import { CfsslError } from '../cfssl-error.ts';
import type { CsrWish } from './csr-json.ts';
import { readHosts } from './hosts.ts';
import { delegationUsage } from './prepare.ts';
import { subjectOf } from './subject.ts';

export type MadeRequest = {
  readonly key: KeyObject;
  /** As cfssl writes it: `RSA PRIVATE KEY`, `EC PRIVATE KEY`, `Ed25519 PRIVATE KEY`. */
  readonly keyPem: string;
  readonly requestPem: string;
  readonly requestDer: Buffer;
};

/** Throws CfsslError: 2400 for a key that cannot be, 9300 for what cannot be written into a request. */
export async function makeRequest(wish: CsrWish): Promise<MadeRequest> {
  const key = await generateKeyAside(keyAlgorithm(wish.key));
  return { key, keyPem: encodeKey(key, 'cfssl'), ...writeRequest(wish, key) };
}

/** The request alone, for a key that is there. Throws CfsslError 9300. */
export function writeRequest(wish: CsrWish, key: KeyObject): Pick<MadeRequest, 'requestPem' | 'requestDer'> {
  try {
    const request = { subject: encodeMultiName(wishedName(wish)), altNames: readHosts(wish.hosts), extensions: wishedExtensions(wish) };
    const requestDer = createSigningRequest(request, key);
    return { requestDer, requestPem: encodePem('CERTIFICATE REQUEST', requestDer) };
  } catch (error) {
    if (error instanceof RfoError || error instanceof RangeError) throw new CfsslError(9300, error.message);
    throw error;
  }
}

/** The subject of CSR JSON. Throws CfsslError 9300. */
function wishedName({ commonName, names, serialNumber }: CsrWish): Name {
  return subjectOf({ CN: commonName, names, SerialNumber: serialNumber });
}

function keyAlgorithm({ algorithm, size }: CsrWish['key']): KeyAlgorithm {
  if (algorithm === 'ed25519') return 'Ed25519';
  if (algorithm === 'rsa') {
    if (size < 2048) throw new CfsslError(2400, 'RSA key is too weak');
    if (size > 8192) throw new CfsslError(2400, 'RSA key size too large');
    return `RSA-${size}`;
  }
  if (algorithm !== 'ecdsa') throw new CfsslError(2400, 'invalid algorithm');
  if (size !== 256 && size !== 384 && size !== 521) throw new CfsslError(2400, 'invalid curve');
  return `P-${size}`;
}

function wishedExtensions({ ca, delegation, extensions }: CsrWish): RawExtension[] {
  const constraints = ca === undefined ? [] : [basicConstraintsExtension(ca.pathLength === undefined ? {} : { pathLength: ca.pathLength })];
  const delegated = delegation ? [{ oid: delegationUsage, critical: false, content: asn1Null }] : [];
  return [...constraints, ...delegated, ...extensions];
}

const asn1Null = Buffer.from('0500', 'hex');
