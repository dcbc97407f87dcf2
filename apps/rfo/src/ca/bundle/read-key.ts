/** A private key out of a request, in whatever form; refused with cfssl's numbers. */
import { createPrivateKey, type KeyObject } from 'node:crypto';
import { takePemBlock } from '../certinfo/pem-blocks.ts';
import { CfsslError } from '../cfssl-error.ts';

/**
 * What a PEM block's label says does not count: its content is tried in every form (PKCS8, PKCS1, SEC1).
 * @throws CfsslError 2002 where no PEM is there, 2100 for an encrypted key, 2003 where it is no key
 */
export function readPrivateKey(text: string): KeyObject {
  let taken = takePemBlock(text);
  // openssl writes the curve before the key.
  while (taken?.block.label === 'EC PARAMETERS') taken = takePemBlock(taken.rest);
  if (taken === undefined) throw new CfsslError(2002, 'Failed to decode private key');
  const { headers, bytes } = taken.block;
  if (headers['Proc-Type']?.includes('ENCRYPTED')) throw new CfsslError(2100, 'Private key is encrypted.');
  for (const type of ['pkcs8', 'pkcs1', 'sec1'] as const) {
    try {
      return createPrivateKey({ key: bytes, format: 'der', type });
    } catch {
      // It is in another form, or in none.
    }
  }
  throw new CfsslError(2003, 'Failed to parse private key');
}
