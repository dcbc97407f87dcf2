import { encodeOcspResponse, isSignedBy, type OcspHash, type OcspResponder, type OcspStatus, ocspCertificateId } from '@rfo/pki';
import { readCertificate } from '../../certinfo/read-certificates.ts';
import { CfsslError } from '../../cfssl-error.ts';
import { actOf, audited, doneEntry } from '../audited.ts';
import { goInt, goString, goStruct, readRequest } from '../go-types.ts';
import type { ApiParts, Authority } from '../parts.ts';
import type { Endpoint } from '../types.ts';

/** Signs an OCSP answer that says what the caller wants it to say, of a certificate of this CA. */
export function ocspsignEndpoint(parts: ApiParts, { certificate: issuer }: Authority, responder: () => OcspResponder): Endpoint {
  const { clock, records } = parts;
  return {
    name: 'ocspsign',
    method: 'POST',
    handle: async (call) => {
      const json = readRequest(call.body, ocspRequest, 'Unable to parse sign request');
      const act = actOf('ocspsign', call);
      return await audited(parts, act, async (learn) => {
        const certificate = orMalformed(() => readCertificate(json.certificate));
        const serial = BigInt(`0x${certificate.serial}`);
        learn({ serial: serial.toString() });
        const now = clock.now();
        const status = statusOf(json, now);
        const hash = hashOf(json.issuer_hash);
        if (!certificate.rawIssuer.equals(issuer.rawSubject) || !isSignedBy(certificate, issuer))
          throw new CfsslError(8100, 'Certificate not issued by this issuer');
        if (status === undefined) throw new CfsslError(8200, 'Invalid revocation status');
        const thisUpdate = now - (now % hour);
        const id = ocspCertificateId(serial, { name: issuer.rawSubject, publicKey: issuer.publicKey }, hash);
        const answers = [{ id, status, thisUpdate, nextUpdate: thisUpdate + validity }];
        const der = await encodeOcspResponse({ answers, producedAt: now }, responder());
        await records?.audit.write({ ...doneEntry({ ...act, serial: serial.toString() }), reason: `said to be ${status.kind}` });
        return { result: { ocspResponse: der.toString('base64') } };
      });
    },
  };
}

const hour = 3_600_000;
/** As cfssl's, 96 h. */
const validity = 96 * hour;

const ocspRequest = goStruct('ocsp.jsonSignRequest', {
  certificate: goString,
  status: { ...goString, zero: 'good' },
  reason: goInt,
  revoked_at: goString,
  issuer_hash: goString,
});

/** Undefined for a word that is no status. */
function statusOf(
  json: { readonly status: string; readonly reason: number; readonly revoked_at: string },
  now: number,
): OcspStatus | undefined {
  if (json.status === 'good' || json.status === 'unknown') return { kind: json.status };
  if (json.status !== 'revoked') return undefined;
  if (json.revoked_at === '' || json.revoked_at === 'now') return { kind: 'revoked', at: now, reason: json.reason };
  const at = /^\d{4}-\d{2}-\d{2}$/.test(json.revoked_at) ? Date.parse(`${json.revoked_at}T00:00:00Z`) : Number.NaN;
  if (Number.isNaN(at)) throw new CfsslError(400, 'Malformed revocation time');
  return { kind: 'revoked', at, reason: json.reason };
}

const hashes: ReadonlyMap<string, OcspHash> = new Map([
  ['', 'sha1'],
  ['MD5', 'md5'],
  ['SHA1', 'sha1'],
  ['SHA256', 'sha256'],
  ['SHA384', 'sha384'],
  ['SHA512', 'sha512'],
]);

function hashOf(name: string): OcspHash {
  const hash = hashes.get(name);
  if (hash === undefined) throw new CfsslError(400, 'Unsupported hash algorithm in request');
  return hash;
}

function orMalformed<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof CfsslError) throw new CfsslError(400, 'Malformed certificate');
    throw error;
  }
}
