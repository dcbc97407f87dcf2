/** `certinfo`: what a certificate says; one that is sent, one that a host shows, or one that this CA has issued. */
import { describeCertificate } from '../../certinfo/describe-certificate.ts';
import { certificateOfHost } from '../../certinfo/host-certificate.ts';
import { readCertificate } from '../../certinfo/read-certificates.ts';
import { readFields } from '../../certinfo/read-fields.ts';
import { CfsslError } from '../../cfssl-error.ts';
import { type Outbound, OutboundRefused } from '../../outbound/outbound.ts';
import type { CertificateStore } from '../../store/types.ts';
import type { Endpoint } from '../types.ts';

/** @param options `store`: undefined where the CA has no database */
export function certinfoEndpoint(options: {
  readonly store: Pick<CertificateStore, 'find'> | undefined;
  readonly outbound: Outbound;
}): Endpoint {
  const { store, outbound } = options;
  return {
    name: 'certinfo',
    method: 'POST',
    handle: async ({ body, signal }) => {
      const wish = readFields(body);
      const [certificate, domain, serial, authority] = ['certificate', 'domain', 'serial', 'authority_key_id'].map((key) => wish.get(key));
      if (certificate !== undefined) return { result: describeCertificate(readCertificate(certificate)) };
      if (domain !== undefined)
        return { result: describeCertificate(await dialed(certificateOfHost(domain, { outbound, signal }), signal)) };
      if (serial === undefined || authority === undefined) throw new CfsslError(400, 'no valid parameter sets found');
      return { result: describeCertificate(readCertificate(findPem(store, serial, authority))) };
    },
  };
}

/** The AKI may be written with colons and in capitals, as this endpoint gives it. */
function findPem(store: Pick<CertificateStore, 'find'> | undefined, serial: string, authority: string): string {
  // Both without a number of their own, as cfssl answers.
  if (store === undefined) throw new CfsslError(0, 'cannot lookup certificate from serial without db access', 500);
  const record = store.find({ serial, authorityKeyId: authority.toLowerCase().replaceAll(':', '') });
  if (record === undefined) throw new CfsslError(0, 'no certificate found', 500);
  return record.pem;
}

/** What the CA does not do is the fault of the request; a host that does not answer is none of it, and has no number in cfssl. */
async function dialed<T>(act: Promise<T>, signal: AbortSignal): Promise<T> {
  try {
    return await act;
  } catch (error) {
    signal.throwIfAborted();
    const message = error instanceof Error ? error.message : String(error);
    throw error instanceof OutboundRefused ? new CfsslError(6000, message) : new CfsslError(0, message, 500);
  }
}
