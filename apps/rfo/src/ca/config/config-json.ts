/** The shape of cfssl's configuration file, field by field as Go reads it. */
import { type GoOf, type GoType, goAny, goBool, goInt, goMap, goPointer, goSlice, goString, goStruct, goTime } from '../api/go-types.ts';

/** A dotted object identifier, taken as loosely as cfssl takes it. */
const goOid: GoType<string> = {
  name: 'config.OID',
  zero: '',
  read: (value, reading, before) => {
    if (value === null) return before;
    if (typeof value !== 'string') reading.problem ??= 'OID JSON string not wrapped in quotes.';
    else if (/^\d+(\.\d+)+$/.test(value)) return value;
    else reading.problem ??= 'Invalid OID';
    return before;
  },
};

const caConstraint = goStruct('config.CAConstraint', { is_ca: goBool, max_path_len: goInt, max_path_len_zero: goBool });
const policy = goStruct('config.CertificatePolicy', {
  ID: goOid,
  Qualifiers: goSlice(goStruct('config.CertificatePolicyQualifier', { Type: goString, Value: goString })),
});
const csrWhitelist = goStruct('config.CSRWhitelist', {
  Subject: goBool,
  PublicKeyAlgorithm: goBool,
  PublicKey: goBool,
  SignatureAlgorithm: goBool,
  DNSNames: goBool,
  IPAddresses: goBool,
  EmailAddresses: goBool,
  URIs: goBool,
});

const profile = goStruct('config.SigningProfile', {
  usages: goSlice(goString),
  issuer_urls: goSlice(goString),
  ocsp_url: goString,
  crl_url: goString,
  ca_constraint: caConstraint,
  ocsp_no_check: goBool,
  expiry: goString,
  backdate: goString,
  auth_key: goString,
  prev_auth_key: goString,
  remote: goString,
  not_before: goTime,
  not_after: goTime,
  name_whitelist: goString,
  auth_remote: goStruct('config.AuthRemote', { remote: goString, auth_key: goString }),
  ct_log_servers: goSlice(goString),
  allowed_extensions: goSlice(goOid),
  copy_extensions: goBool,
  lint_error_level: goAny,
  Policies: goSlice(policy),
  CSRWhitelist: goPointer(csrWhitelist),
  ClientProvidesSerialNumbers: goBool,
  rfo_bind: goString,
});
export type ProfileJson = GoOf<typeof profile>;

const authKey = goStruct('config.AuthKey', { type: goString, key: goString });
export type AuthKeyJson = GoOf<typeof authKey>;

/** The whole file; what else stands in it (`ocsp`, fields of a newer cfssl) is passed over. */
export const configJson = goStruct('config.Config', {
  signing: goPointer(goStruct('config.Signing', { default: goPointer(profile), profiles: goMap(goPointer(profile)) })),
  auth_keys: goMap(authKey),
  remotes: goMap(goString),
});
export type ConfigJson = GoOf<typeof configJson>;
