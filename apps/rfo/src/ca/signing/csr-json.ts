/** CSR JSON: what cfssl takes for a key and a request to be made (`newkey`, `newcert`, `init_ca`, the file of `gencert`). */
import type { RawExtension } from '@rfo/pki';
import {
  type GoOf,
  type GoType,
  goBool,
  goBytes,
  goInt,
  goMap,
  goPointer,
  goSlice,
  goString,
  goStruct,
  readRequest,
} from '../api/go-types.ts';
import type { NameEntry } from './types.ts';

export type CsrWish = {
  readonly commonName: string;
  readonly names: readonly NameEntry[];
  readonly serialNumber: string;
  readonly hosts: readonly string[];
  readonly key: { readonly algorithm: string /** Bits. */; readonly size: number };
  /** Only init_ca takes it. */
  readonly ca?: CaWish;
  readonly delegation: boolean;
  readonly extensions: readonly RawExtension[];
  /** Only init_ca takes it. */
  readonly crlUrl: string;
};

/** Texts are durations of Go, empty where the usual ones will do. */
export type CaWish = { readonly expiry: string; readonly backdate: string; readonly pathLength?: number };

/** Reads the text. Throws CfsslError 400 with Go's words for what is no JSON, or of another shape. */
export function readCsrJson(text: Uint8Array): CsrWish {
  return toCsrWish(readRequest(text, csrJson));
}

/** Of `names`, and of the `subject` of a request. */
export const nameJson = goStruct('csr.Name', {
  C: goString,
  ST: goString,
  L: goString,
  O: goString,
  OU: goString,
  E: goString,
  SerialNumber: goString,
  OID: goMap(goString),
});

export function toNameEntry({ OID, ...entry }: GoOf<typeof nameJson>): NameEntry {
  return { ...entry, OID: Object.fromEntries(OID) };
}

/** A key that is only half described is the rest of P-256: `{"algo":"rsa"}` asks for RSA of 256 bits, and is refused. */
const keyJson: GoType<{ readonly algo: string; readonly size: number }> = {
  ...goStruct('csr.KeyRequest', { algo: goString, size: goInt }),
  zero: { algo: 'ecdsa', size: 256 },
};

/** The shape, for requests that hold one. */
export const csrJson = goStruct('csr.CertificateRequest', {
  CN: goString,
  names: goSlice(nameJson),
  hosts: goSlice(goString),
  key: goPointer(keyJson),
  ca: goPointer(goStruct('csr.CAConfig', { pathlen: goInt, pathlenzero: goBool, expiry: goString, backdate: goString })),
  serialnumber: goString,
  delegation_enabled: goBool,
  extensions: goSlice(goStruct('pkix.Extension', { Id: goSlice(goInt), Critical: goBool, Value: goBytes })),
  crl_url: goString,
});
export type CsrJson = GoOf<typeof csrJson>;

export function toCsrWish(json: CsrJson): CsrWish {
  const { algo, size } = json.key ?? keyJson.zero;
  const { ca } = json;
  return {
    commonName: json.CN,
    names: (json.names ?? []).map(toNameEntry),
    serialNumber: json.serialnumber,
    hosts: json.hosts ?? [],
    key: { algorithm: algo, size },
    ...(ca !== undefined && { ca: { expiry: ca.expiry, backdate: ca.backdate, ...pathLength(ca) } }),
    delegation: json.delegation_enabled,
    extensions: (json.extensions ?? []).map(({ Id, Critical, Value }) => ({
      oid: (Id ?? []).join('.'),
      critical: Critical,
      content: Value ?? Buffer.alloc(0),
    })),
    crlUrl: json.crl_url,
  };
}

/** Zero means no limit unless it is said to mean zero. */
function pathLength({ pathlen, pathlenzero }: NonNullable<CsrJson['ca']>): { readonly pathLength?: number } {
  return pathlen > 0 || (pathlen === 0 && pathlenzero) ? { pathLength: pathlen } : {};
}
