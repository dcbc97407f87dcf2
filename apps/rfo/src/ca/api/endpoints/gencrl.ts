import { RfoError } from '@rfo/foundation';
import { decodeKey, encodeCrl, type IssuerIdentity, memoryKey, sha1KeyId } from '@rfo/pki';
import { readCertificate } from '../../certinfo/read-certificates.ts';
import { CfsslError } from '../../cfssl-error.ts';
import { actOf, audited, doneEntry } from '../audited.ts';
import { parseGoInt32 } from '../go-int.ts';
import { GoJsonError } from '../go-json.ts';
import { type GoOf, goSlice, goString, goStruct, readGo } from '../go-types.ts';
import type { ApiParts } from '../parts.ts';
import type { Endpoint } from '../types.ts';

/** Signs a list of revoked certificates with a key that the caller sends along: a service of cfssl for CAs that it is not. */
export function gencrlEndpoint(parts: ApiParts): Endpoint {
  const { clock, records } = parts;
  return {
    name: 'gencrl',
    method: 'POST',
    handle: async (call) => {
      const act = actOf('gencrl', call);
      return await audited(parts, act, async () => {
        const json = readBody(call.body);
        const now = clock.now();
        const nextUpdate = now + (json.expireTime === '' ? week : seconds(json.expireTime) * 1000);
        const issuer = issuerOf(json);
        const entries = (json.serialNumber ?? []).map((serial) => ({ serial: serialOf(serial), revokedAt: now }));
        const der = await encodeCrl({ issuer, thisUpdate: now, nextUpdate, entries });
        await records?.audit.write(doneEntry(act));
        return { result: der.toString('base64') };
      });
    },
  };
}

const week = 7 * 86_400_000;

const crlRequest = goStruct('gencrl.jsonCRLRequest', {
  certificate: goString,
  serialNumber: goSlice(goString),
  issuingKey: goString,
  expireTime: goString,
});

/** What is wrong with the text is an error of the server for cfssl here. */
function readBody(body: Buffer): GoOf<typeof crlRequest> {
  try {
    return readGo(body, crlRequest);
  } catch (error) {
    if (error instanceof GoJsonError) throw new CfsslError(0, error.message, 500);
    throw error;
  }
}

function seconds(text: string): number {
  const value = parseGoInt32(text.trim());
  if (typeof value === 'string') throw new CfsslError(0, value, 500);
  return value;
}

function issuerOf(json: { readonly certificate: string; readonly issuingKey: string }): IssuerIdentity {
  const certificate = orRefuse('malformed certificate', () => readCertificate(json.certificate));
  const key = orRefuse('malformed Private Key', () => memoryKey(decodeKey(json.issuingKey, 'the request')));
  return { name: certificate.rawSubject, keyId: certificate.subjectKeyId ?? sha1KeyId(certificate.publicKey), key };
}

function serialOf(text: string): bigint {
  if (!/^[+-]?\d+$/.test(text)) throw new CfsslError(400, 'malformed serial number');
  return BigInt(text.replace(/^\+/, ''));
}

function orRefuse<T>(message: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof CfsslError || error instanceof RfoError) throw new CfsslError(400, message);
    throw error;
  }
}
