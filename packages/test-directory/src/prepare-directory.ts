/** Writes the configuration and the data of a directory, so that it has only to be started: here, or in a host of the lab. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findSlapd, type Slapd } from './find-slapd.ts';

export type DirectoryContent = {
  /** DN of its root, `dc=example,dc=org`. */
  readonly suffix: string;
  /** All entries, the root first (LDIF, RFC 2849). */
  readonly ldif: string;
  /** PEM; without it there is no TLS. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** Entries that one search without pages gets at most (500, as slapd has it). */
  readonly sizeLimit?: number;
  /** Further lines of slapd.conf, before those of the database. */
  readonly global?: readonly string[];
  /** Further lines of the database. */
  readonly database?: readonly string[];
};

export type PreparedDirectory = {
  /** Runs in the foreground and says what it is asked on its error output. It serves when it accepts connections. */
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Who may do everything there. */
  readonly root: { readonly dn: string; readonly password: string };
};

const schemas = ['core', 'cosine', 'nis', 'inetorgperson'];
const password = 'root of the tests';

/**
 * The overlay memberof keeps memberOf of what groupOfNames list; ppolicy knows locked accounts.
 * @param input.folder existing and empty
 * @param input.urls where it listens: `ldap://…`, `ldaps://…`
 * @throws tool-missing, and what slapadd says of data that is no LDIF
 */
export async function prepareDirectory(
  input: DirectoryContent & { readonly folder: string; readonly urls: readonly string[] },
): Promise<PreparedDirectory> {
  const { folder, urls, tls, ldif, suffix } = input;
  const slapd = findSlapd();
  const [config, data, content] = [join(folder, 'slapd.conf'), join(folder, 'data'), join(folder, 'content.ldif')];
  await mkdir(data);
  await writeFile(config, renderConfig(input, slapd));
  await writeFile(content, ldif);
  if (tls !== undefined) {
    await writeFile(join(folder, 'tls.crt'), tls.cert);
    await writeFile(join(folder, 'tls.key'), tls.key, { mode: 0o600 });
  }
  const env = { ...slapd.env, PATH: process.env.PATH ?? '' };
  await promisify(execFile)(join(slapd.programs, 'slapadd'), ['-q', '-f', config, '-l', content], { env });
  return {
    command: [join(slapd.programs, 'slapd'), '-d', 'stats', '-f', config, '-h', urls.join(' ')],
    env,
    root: { dn: rootOf(suffix), password },
  };
}

function renderConfig(input: DirectoryContent & { readonly folder: string }, slapd: Slapd): string {
  const { folder, tls, suffix, sizeLimit = 500, global = [], database = [] } = input;
  return [
    ...schemas.map((name) => `include ${join(slapd.schemas, `${name}.schema`)}`),
    `modulepath ${slapd.modules}`,
    // Some distributions have a part of them built in.
    ...['back_mdb', 'memberof', 'ppolicy']
      .filter((name) => existsSync(join(slapd.modules, `${name}.la`)))
      .map((name) => `moduleload ${name}`),
    ...(tls === undefined ? [] : [`TLSCertificateFile ${join(folder, 'tls.crt')}`, `TLSCertificateKeyFile ${join(folder, 'tls.key')}`]),
    `sizelimit size.soft=${sizeLimit} size.hard=${sizeLimit} size.prtotal=unlimited`,
    ...global,
    'database mdb',
    `suffix "${suffix}"`,
    `rootdn "${rootOf(suffix)}"`,
    `rootpw "${password}"`,
    `directory ${join(folder, 'data')}`,
    'maxsize 67108864',
    'dbnosync',
    'access to attrs=userPassword by anonymous auth by * none',
    ...database,
    'access to * by * read',
    'overlay memberof',
    'overlay ppolicy',
    '',
  ].join('\n');
}

function rootOf(suffix: string): string {
  return `cn=root,${suffix}`;
}
