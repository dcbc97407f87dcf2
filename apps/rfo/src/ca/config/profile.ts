/** One profile of cfssl's configuration file, from what stands there to what signs by it. */
import { type CertificatePolicy, policiesExtension } from '@rfo/pki';
import { CfsslError } from '../cfssl-error.ts';
import type { ProfileJson } from './config-json.ts';
import { parseGoDuration } from './go-duration.ts';
import { compileGoRegexp } from './go-regexp.ts';
import type { NamePattern, Profile } from './types.ts';
import { readUsages } from './usages.ts';

/** Keys by name, or what is wrong with them. */
export type KnownKeys = ReadonlyMap<string, Buffer | CfsslError>;

type Known = {
  readonly keys: KnownKeys;
  readonly remotes: ReadonlyMap<string, string>;
  /** Fills what a profile leaves out; undefined for the default itself. */
  readonly defaultProfile?: Profile;
};

/** Milliseconds that a certificate begins before now unless the profile says otherwise. */
const usualBackdate = 300_000;

/** Throws CfsslError 5200. */
export function readProfile(name: string, json: ProfileJson | undefined, known: Known): Profile {
  if (json === undefined) throw invalidPolicy("can't parse nil profile");
  const { defaultProfile } = known;
  const times = isRemote(json) ? { expiry: 0, backdate: 0 } : readTimes(json);
  const remote = isRemote(json) ? readRemote(json, known) : undefined;
  const authKeys = [keyOf('auth_key', json.auth_key, known.keys), keyOf('prev_auth_key', json.prev_auth_key, known.keys)];
  const whitelist = readWhitelist(json.name_whitelist);
  refuseUnsupported(json);
  return {
    name,
    usageNames: json.usages ?? [],
    ...readUsages(json.usages ?? []),
    expiryText: json.expiry,
    expiry: times.expiry || (defaultProfile?.expiry ?? 0),
    backdate: times.backdate || usualBackdate,
    ...(json.not_before !== undefined && { notBefore: json.not_before }),
    ...(json.not_after !== undefined && { notAfter: json.not_after }),
    issuerUrls: json.issuer_urls ?? defaultProfile?.issuerUrls ?? [],
    ocspUrl: json.ocsp_url || (defaultProfile?.ocspUrl ?? ''),
    crlUrl: json.crl_url || (defaultProfile?.crlUrl ?? ''),
    ocspNoCheck: json.ocsp_no_check,
    copyExtensions: json.copy_extensions,
    allowedExtensions: json.allowed_extensions ?? [],
    ...(json.ca_constraint.is_ca && { ca: readConstraint(json.ca_constraint) }),
    ...(whitelist !== undefined && { nameWhitelist: whitelist }),
    ...(json.CSRWhitelist !== undefined && { csrWhitelist: readCsrWhitelist(json.CSRWhitelist) }),
    policies: readPolicies(json.Policies ?? []),
    clientProvidesSerialNumbers: json.ClientProvidesSerialNumbers,
    ...(json.rfo_bind !== '' && { bind: readBind(json.rfo_bind) }),
    authKeys: authKeys.filter((key) => key !== undefined),
    ...(remote !== undefined && { remote }),
  };
}

/** What cfssl asks of the default profile once all is read. */
export function validDefault(json: ProfileJson): boolean {
  return validRemote(json) && (isRemote(json) || parseGoDuration(json.expiry) !== 0);
}

/** What it asks of the others: a usage that it knows. */
export function validProfile(json: ProfileJson | undefined): boolean {
  if (json === undefined) return false;
  const { keyUsages, usages } = readUsages(json.usages ?? []);
  return validRemote(json) && (isRemote(json) || keyUsages.length + usages.length > 0);
}

/** A remote signer that asks for a token is given one; a token without a remote signer means nothing. */
function validRemote({ remote, auth_remote }: ProfileJson): boolean {
  if (remote === '' && auth_remote.remote !== '') return auth_remote.auth_key !== '';
  return auth_remote.auth_key === '';
}

function isRemote({ remote, auth_remote }: ProfileJson): boolean {
  return remote !== '' || auth_remote.remote !== '';
}

function readTimes({ expiry, backdate, not_before, not_after }: ProfileJson): { readonly expiry: number; readonly backdate: number } {
  if (expiry === '') throw invalidPolicy('empty expiry string');
  const times = { expiry: duration(expiry), backdate: backdate === '' ? 0 : duration(backdate) };
  if (not_before !== undefined && not_after !== undefined && not_after < not_before) throw invalidPolicy('invalid configuration');
  return times;
}

function duration(text: string): number {
  try {
    return parseGoDuration(text);
  } catch (error) {
    throw error instanceof CfsslError ? invalidPolicy(error.message) : error;
  }
}

function readRemote({ remote, auth_remote }: ProfileJson, { keys, remotes }: Known): NonNullable<Profile['remote']> {
  if (remote !== '' && auth_remote.remote !== '') throw invalidPolicy('Invalid or unknown policy');
  const address = remotes.get(remote || auth_remote.remote) ?? '';
  if (address === '') throw invalidPolicy('failed to find remote in remotes section');
  const authKey = keyOf("auth_remote's auth_key", auth_remote.auth_key, keys);
  return { addresses: address.split(','), ...(authKey !== undefined && { authKey }) };
}

function keyOf(field: string, name: string, keys: KnownKeys): Buffer | undefined {
  if (name === '') return undefined;
  const key = keys.get(name);
  if (key === undefined) throw invalidPolicy(`failed to find ${field} in auth_keys section`);
  if (key instanceof CfsslError) throw key;
  return key;
}

function readWhitelist(source: string): NamePattern | undefined {
  if (source === '') return undefined;
  try {
    return compileGoRegexp(source);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw invalidPolicy('failed to compile name whitelist section');
  }
}

/** Whoever configured them counts on them. */
function refuseUnsupported({ ct_log_servers, lint_error_level }: ProfileJson): void {
  if ((ct_log_servers ?? []).length > 0) throw invalidPolicy('ct_log_servers: certificate transparency is not supported');
  if (![null, '', 0].some((off) => off === lint_error_level)) throw invalidPolicy('lint_error_level: lints are not supported');
}

/** Zero means no limit unless it is said to mean zero. */
function readConstraint({ max_path_len, max_path_len_zero }: ProfileJson['ca_constraint']): NonNullable<Profile['ca']> {
  return max_path_len > 0 || (max_path_len === 0 && max_path_len_zero) ? { pathLength: max_path_len } : {};
}

function readCsrWhitelist(fields: NonNullable<ProfileJson['CSRWhitelist']>): ReadonlySet<string> {
  return new Set(Object.entries(fields).flatMap(([name, allowed]) => (allowed ? [name] : [])));
}

const qualifierTypes = new Map([
  ['id-qt-cps', 'cps'],
  ['id-qt-unotice', 'userNotice'],
] as const);

function readPolicies(policies: NonNullable<ProfileJson['Policies']>): Profile['policies'] {
  if (policies.length === 0) return [];
  const read = policies.map(({ ID, Qualifiers }): CertificatePolicy => {
    const qualifiers = (Qualifiers ?? []).map(({ Type, Value }) => {
      const type = [...qualifierTypes].find(([known]) => known === Type)?.[1];
      if (type === undefined) throw invalidPolicy('invalid policy qualifier type');
      return { type, value: Value };
    });
    return { oid: ID, qualifiers };
  });
  return [policiesExtension(read)];
}

function readBind(text: string): 'node' {
  if (text === 'node') return text;
  throw invalidPolicy(`rfo_bind: "${text}" is not "node"`);
}

function invalidPolicy(text: string): CfsslError {
  return new CfsslError(5200, text);
}
