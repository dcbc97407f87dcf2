/** For the tests: what a real directory is filled with, and one of ours that asks it. */
import { Life, silentLog } from '@rfo/foundation';
import { startTestDirectory, type TestDirectory } from '@rfo/test-directory';
import { makeAuthority } from '../../../clusters/clusters.testing.ts';
import { createLdapDirectory, type LdapDirectory } from './ldap-directory.ts';
import type { LdapSettings } from './plan.ts';

export const suffix = 'dc=example,dc=org';
export const searcher = { dn: `cn=searcher,${suffix}`, password: 'looks for people' };
export const password = (name: string): string => `the password of ${name}`;

type Values = Readonly<Record<string, string | readonly string[] | Buffer>>;

/** One entry as LDIF (RFC 2849); bytes and what is not ASCII in base64. */
export function entry(dn: string, values: Values): string {
  const lines = Object.entries(values).flatMap(([name, value]) =>
    (Array.isArray(value) ? (value as readonly string[]) : [value as string | Buffer]).map(
      (one) => `${name}:: ${Buffer.from(one).toString('base64')}`,
    ),
  );
  return [`dn:: ${Buffer.from(dn).toString('base64')}`, ...lines, ''].join('\n');
}

/** A value as it stands in a DN (RFC 4514). */
function escaped(value: string): string {
  return value.replaceAll(/[",+;<>\\=]/g, '\\$&');
}

export function unit(name: string, parent = suffix): string {
  return entry(`ou=${name},${parent}`, { objectClass: 'organizationalUnit', ou: name });
}

/** @param more further values, or others for those that are here */
export function person(uid: string, more: Values = {}, parent = `ou=people,${suffix}`): string {
  return entry(`uid=${escaped(uid)},${parent}`, {
    objectClass: 'inetOrgPerson',
    uid,
    cn: `${uid} the person`,
    sn: uid,
    mail: `${uid}@example.org`,
    userPassword: password(uid),
    ...more,
  });
}

/** @param members DNs */
export function group(cn: string, members: readonly string[], parent = `ou=groups,${suffix}`): string {
  return entry(`cn=${escaped(cn)},${parent}`, { objectClass: 'groupOfNames', cn, member: members });
}

export const personDn = (uid: string): string => `uid=${escaped(uid)},ou=people,${suffix}`;
export const groupDn = (cn: string): string => `cn=${escaped(cn)},ou=groups,${suffix}`;

/** What every directory here begins with. */
function trunk(): string {
  return [
    entry(suffix, { objectClass: 'domain', dc: 'example' }),
    unit('people'),
    unit('groups'),
    entry(searcher.dn, {
      objectClass: ['organizationalRole', 'simpleSecurityObject'],
      cn: 'searcher',
      userPassword: searcher.password,
    }),
  ].join('\n');
}

const authority = makeAuthority();

/** @param entries besides the trunk */
export function startDirectory(
  entries: readonly string[],
  options: Partial<Parameters<typeof startTestDirectory>[0]> = {},
  how: 'with TLS' | 'without TLS' = 'with TLS',
): Promise<TestDirectory> {
  const tls = how === 'with TLS' ? { tls: authority.issue('directory') } : {};
  return startTestDirectory({ suffix, ...tls, ...options, ldif: [trunk(), ...entries].join('\n') });
}

export type Open = LdapDirectory & {
  readonly signal: AbortSignal;
  readonly signIn: (username: string, password?: string) => ReturnType<LdapDirectory['authenticate']>;
  readonly groupsOf: (username: string) => Promise<readonly string[]>;
  readonly end: () => Promise<void>;
};

export function settingsFor(directory: Pick<TestDirectory, 'tlsPort'>, more: Partial<LdapSettings> = {}): LdapSettings {
  return {
    servers: [`127.0.0.1:${directory.tlsPort}`],
    security: 'tls',
    caBundle: authority.ca,
    preset: 'openldap',
    bindDn: searcher.dn,
    userBase: `ou=people,${suffix}`,
    groupBase: `ou=groups,${suffix}`,
    connectTimeoutSeconds: 5,
    timeoutSeconds: 20,
    ...more,
  };
}

export function open(
  settings: LdapSettings,
  options: Partial<Pick<Parameters<typeof createLdapDirectory>[0], 'bindPassword' | 'log' | 'clock'>> = {},
): Open {
  const life = new Life();
  const directory = createLdapDirectory({ settings, bindPassword: async () => searcher.password, log: silentLog, life, ...options });
  const { signal } = life;
  const signIn: Open['signIn'] = (username, given = password(username)) => directory.authenticate({ username, password: given, signal });
  return {
    ...directory,
    signal,
    signIn,
    groupsOf: async (username) => (await signIn(username))?.groups.map(({ name }) => name) ?? ['(nobody)'],
    end: () => life.end(),
  };
}
