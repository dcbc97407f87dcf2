/** Reads the configuration file of cfssl (`-config`): profiles, keys, remote signers. */
import { GoJsonError } from '../api/go-json.ts';
import { readGo } from '../api/go-types.ts';
import { CfsslError } from '../cfssl-error.ts';
import { type AuthKeyJson, type ConfigJson, configJson } from './config-json.ts';
import { type KnownKeys, readProfile, validDefault, validProfile } from './profile.ts';
import type { Profile, SigningConfig } from './types.ts';
import { readUsages } from './usages.ts';

export type ConfigOptions = {
  /** Gives the key of an entry of `auth_keys`: `readAuthKey`. Whatever it throws means that there is no such key. */
  readonly readKey: (spec: string) => Promise<Buffer>;
  /** Takes keys without a single byte too (compatibility `empty-keys`). */
  readonly allowEmptyKeys?: boolean;
};

/**
 * The file's text, read and checked as cfssl does, in its order: https://github.com/cloudflare/cfssl, package config. What cfssl would do and we
 * do not (transparency logs, lints) is refused, not passed over. Throws CfsslError 5200 with cfssl's text.
 */
export async function readSigningConfig(text: string, options: ConfigOptions): Promise<SigningConfig> {
  const json = parse(text);
  if (json.signing === undefined) throw invalidPolicy('No "signing" field present');
  const keys = await readKeys(json.auth_keys, options);
  const known = { keys, remotes: json.remotes };
  const main = json.signing.default;
  const defaultProfile = main === undefined ? ownDefault : readProfile('default', main, known);
  const profiles = new Map<string, Profile>();
  for (const [name, profile] of json.signing.profiles) profiles.set(name, readProfile(name, profile, { ...known, defaultProfile }));
  const valid = (main === undefined || validDefault(main)) && [...json.signing.profiles.values()].every(validProfile);
  if (!valid) throw invalidPolicy('invalid configuration');
  return { defaultProfile, profiles, operatorKeys: keysOfNoProfile(keys, [defaultProfile, ...profiles.values()]) };
}

/** By their bytes: the key of a profile is no other under a second name. An empty one would let everybody in. */
function keysOfNoProfile(keys: KnownKeys, profiles: readonly Profile[]): Buffer[] {
  const named = profiles.flatMap(({ authKeys }) => authKeys);
  const readable = [...keys.values()].filter((key) => Buffer.isBuffer(key));
  return readable.filter((key) => key.length > 0 && !named.some((other) => other.equals(key)));
}

/** What signs where there is no configuration file: one profile, a year, for servers and clients. */
export function defaultSigningConfig(): SigningConfig {
  return { defaultProfile: ownDefault, profiles: new Map(), operatorKeys: [] };
}

const usageNames = ['signing', 'key encipherment', 'server auth', 'client auth'];

const ownDefault: Profile = {
  name: 'default',
  usageNames,
  ...readUsages(usageNames),
  expiryText: '8760h',
  expiry: 8760 * 3_600_000,
  backdate: 300_000,
  issuerUrls: [],
  ocspUrl: '',
  crlUrl: '',
  ocspNoCheck: false,
  copyExtensions: false,
  allowedExtensions: [],
  policies: [],
  clientProvidesSerialNumbers: false,
  authKeys: [],
};

function parse(text: string): ConfigJson {
  try {
    return readGo(Buffer.from(text), configJson);
  } catch (error) {
    if (!(error instanceof GoJsonError)) throw error;
    throw invalidPolicy(`failed to unmarshal configuration: ${error.message}`);
  }
}

/** Each key, or why it is none: that matters only where a profile asks for it. */
async function readKeys(entries: ReadonlyMap<string, AuthKeyJson>, options: ConfigOptions): Promise<KnownKeys> {
  const keys = new Map<string, Buffer | CfsslError>();
  for (const [name, entry] of entries) keys.set(name, await readKey(entry, options));
  return keys;
}

async function readKey({ type, key }: AuthKeyJson, { readKey, allowEmptyKeys = false }: ConfigOptions): Promise<Buffer | CfsslError> {
  if (type !== 'standard') return invalidPolicy('unknown authentication type');
  try {
    const bytes = await readKey(key);
    return bytes.length > 0 || allowEmptyKeys ? bytes : invalidPolicy('failed to create new standard auth provider: the key is empty');
  } catch {
    return invalidPolicy('failed to create new standard auth provider');
  }
}

function invalidPolicy(text: string): CfsslError {
  return new CfsslError(5200, text);
}
