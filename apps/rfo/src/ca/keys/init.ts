/** Makes a CA: keys, certificates and configuration, in one folder, all of it or nothing. */
import { randomBytes } from 'node:crypto';
import { type Clock, fail } from '@rfo/foundation';
import type { Name } from '@rfo/pki';
import { type Authority, openAuthority, openFolder } from './authority.ts';
import { names, rootPaths } from './ca-paths.ts';
import { changeFolder, completeChange, contentsOf, exists } from './change-folder.ts';
import { httpUrl } from './hosts.ts';
import { renderInitialConfig } from './initial-config.ts';
import { type CaKeyAlgorithm, makeIntermediate, makeRoot, validityOf } from './make-authority.ts';
import { renderPrivateKey, type Variables } from './read-key.ts';

export type InitOptions = {
  readonly dir: string;
  /** Folder of the root, when what signs is to be an intermediate CA below it. A root that is there already is used. */
  readonly intermediate: string | undefined;
  readonly name: string;
  readonly organization: string | undefined;
  readonly algorithm: CaKeyAlgorithm;
  /** Milliseconds. */
  readonly lifetime: number;
  /** By which clients reach the CA. */
  readonly host: string;
  readonly ocspPort: number;
  /** CFSSL_CA_PK_PASSWORD encrypts the keys. */
  readonly env: Variables;
  readonly clock: Clock;
};

/**
 * Writes the folder of a new CA; what else belongs there (database, certificates of its own) comes with the first start.
 * @throws ca-exists, ca-unwritable, and what opening a root that is there throws
 */
export async function initFolder(options: InitOptions): Promise<void> {
  const { dir, intermediate, name, organization, algorithm, lifetime, host, ocspPort, env, clock } = options;
  await assertEmpty(dir);
  const validity = validityOf(clock.now(), lifetime);
  const subject = subjectOf(name, organization);
  const root = intermediate === undefined ? undefined : await openRoot(intermediate, options);
  const made =
    root === undefined
      ? await makeRoot({ subject, algorithm, ...validity })
      : await makeIntermediate({ subject, algorithm, ...validity }, root);
  const { authority, key } = made;
  const base = httpUrl(host, ocspPort);
  const config = renderInitialConfig({
    authKey: randomBytes(32).toString('hex'),
    operatorKey: randomBytes(32).toString('hex'),
    ocspUrl: base,
    crlUrl: `${base}${crlPath(authority.keyId)}`,
    intermediate: root === undefined,
  });
  await changeFolder(dir, {
    files: new Map([
      [names.caKey, renderPrivateKey(key, env)],
      [names.ca, authority.pem],
      [names.bundle, (root ?? authority).pem],
      [names.config, config],
      ...(root === undefined ? [] : [[names.chain, authority.pem] as const]),
    ]),
  });
  await openFolder(dir);
}

/** Each key has a list of its own: a CRL speaks for what one key has signed. */
export function crlPath(keyId: string): string {
  return `/crl/${keyId}`;
}

async function assertEmpty(dir: string): Promise<void> {
  await completeChange(dir);
  if ((await contentsOf(dir)).length > 0) throw fail('ca-exists', { dir });
}

async function openRoot(dir: string, { name, organization, algorithm, lifetime, env, clock }: InitOptions): Promise<Authority> {
  const paths = rootPaths(dir);
  await completeChange(dir);
  if (await exists(paths.ca)) return await openAuthority(paths, env);
  await assertEmpty(dir);
  const { key, authority } = await makeRoot({
    subject: subjectOf(`${name} root`, organization),
    algorithm,
    ...validityOf(clock.now(), lifetime),
  });
  await changeFolder(dir, {
    files: new Map([
      ['root-key.pem', renderPrivateKey(key, env)],
      ['root.pem', authority.pem],
    ]),
  });
  return authority;
}

function subjectOf(commonName: string, organization: string | undefined): Name {
  return [...(organization === undefined ? [] : [{ type: 'O', value: organization } as const]), { type: 'CN', value: commonName }];
}
