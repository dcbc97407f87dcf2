/** The JSON by which a certificate is asked for, of `sign` and inside of `authsign`. */
import { nameJson, toNameEntry } from '../signing/csr-json.ts';
import type { SignRequest } from '../signing/types.ts';
import { type GoOf, goBigInt, goBool, goPointer, goSlice, goString, goStruct } from './go-types.ts';

/** What else clients send along (`NotBefore`, `metadata`, `crl_override`, …) cfssl has never heeded over HTTP. */
export const jsonSignRequest = goStruct('signhandler.jsonSignRequest', {
  hostname: goString,
  hosts: goSlice(goString),
  certificate_request: goString,
  subject: goPointer(goStruct('signer.Subject', { CN: goString, names: goSlice(nameJson), SerialNumber: goString })),
  profile: goString,
  label: goString,
  serial: goBigInt,
  bundle: goBool,
});

export type JsonSignRequest = GoOf<typeof jsonSignRequest>;

/** @param json `hostname`, a list with commas of an older time, counts before `hosts` */
export function toSignRequest(json: JsonSignRequest): SignRequest {
  const { hostname, hosts, certificate_request: certificateRequest, subject, profile, label, serial } = json;
  return {
    certificateRequest,
    hosts: hostname === '' ? hosts : hostname.split(','),
    profile,
    label,
    ...(serial !== undefined && { serial }),
    ...(subject !== undefined && { subject: { ...subject, names: (subject.names ?? []).map(toNameEntry) } }),
  };
}
