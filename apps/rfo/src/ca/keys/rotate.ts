/**
 * Replaces the key of a CA with an overlap. At its begin the new key signs what is new, the old one still answers for what it signed (OCSP, CRL), both
 * roots are in the bundle, and each has signed the other. At its end the old key is deleted. Either step may be repeated.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, fail } from '@rfo/foundation';
import { certificateInfo, certificateInfos, encodePem, formatName, isSelfSigned, isSignedBy, type Name } from '@rfo/pki';
import type { CertificateRecord, CertificateStore } from '../store/types.ts';
import { type Authority, openAuthorities, openAuthority } from './authority.ts';
import { caPaths, names, rootPaths } from './ca-paths.ts';
import { changeFolder, exists } from './change-folder.ts';
import { crlPath } from './init.ts';
import { type CaKeyAlgorithm, crossSign, makeIntermediate, makeRoot, type StatusUrls, validityOf } from './make-authority.ts';
import { recordOf } from './own-certificate.ts';
import { readSpec, renderPrivateKey, type Variables } from './read-key.ts';

export type RotateOptions = {
  readonly dir: string;
  readonly algorithm: CaKeyAlgorithm;
  /** Milliseconds. */
  readonly lifetime: number;
  /** Folder of the root, for a CA that is an intermediate one. */
  readonly root: string | undefined;
  /** Where the old CA answers: what it signs last says so. */
  readonly urls: StatusUrls;
  readonly store: Pick<CertificateStore, 'insert' | 'list'>;
  readonly env: Variables;
  readonly clock: Clock;
};

export type Rotation = { readonly present: Authority; readonly previous: Authority; readonly begun: boolean };

/**
 * Begins an overlap; during one it changes nothing.
 * @returns `begun`: whether this call did it
 * @throws ca-missing, ca-root-needed, authority-unusable, ca-unwritable
 */
export async function beginRotation(options: RotateOptions): Promise<Rotation> {
  const { dir, algorithm, lifetime, env, clock } = options;
  const { present: old, previous } = await openAuthorities(dir, env);
  if (previous !== undefined) return { present: old, previous, begun: false };
  const validity = validityOf(clock.now(), lifetime);
  const subject = nextName(old.certificate.subject);
  const self = isSelfSigned(old.certificate);
  const made = self
    ? await makeRoot({ subject, algorithm, ...validity })
    : await makeIntermediate({ subject, algorithm, ...validity }, await rootOf(old, options));
  const { authority, key } = made;
  const common = await filesOf(old, { authority, keyPem: renderPrivateKey(key, env), dir });
  const files = self ? [...common, ...(await crossed(old, authority, options))] : [...common, [names.chain, authority.pem] as const];
  await changeFolder(dir, { files: new Map(files) });
  return { present: authority, previous: old, begun: true };
}

/**
 * Ends the overlap: the old key is deleted, its certificate kept under `retired/`.
 * @param force also while good certificates of the old key have not expired
 * @returns undefined where there is no overlap
 * @throws ca-rotation-in-use, ca-missing, ca-unwritable
 */
export async function finishRotation(
  { dir, store, env, clock }: Pick<RotateOptions, 'dir' | 'store' | 'env' | 'clock'>,
  force: boolean,
): Promise<Authority | undefined> {
  const { previous } = await openAuthorities(dir, env);
  if (previous === undefined) return undefined;
  const now = clock.now();
  const used = store
    .list({ status: 'good', unexpiredAt: now })
    .filter((record) => record.authorityKeyId === previous.keyId && !isOwn(record));
  if (used.length > 0 && !force) {
    const last = Math.max(...used.map(({ expiry }) => expiry));
    throw fail('ca-rotation-in-use', { count: used.length, until: new Date(last).toISOString() });
  }
  const bundle = await readFile(caPaths(dir).bundle, 'utf8');
  const kept = certificateInfos(bundle).filter(({ der }) => !der.equals(previous.certificate.der));
  const self = isSelfSigned(previous.certificate);
  await changeFolder(dir, {
    files: new Map([
      [names.bundle, kept.map(({ der }) => encodePem('CERTIFICATE', der)).join('')],
      [join('retired', `${previous.keyId}.pem`), previous.pem],
    ]),
    remove: ['previous', ...(self ? [names.chain] : [])],
  });
  return previous;
}

/** `RFO CA` becomes `RFO CA G2`, that `RFO CA G3`: two keys under one name confuse whoever looks issuers up by name. */
function nextName(subject: Name): Name {
  return subject.map((attribute) => {
    if (attribute.type !== 'CN') return attribute;
    const [, base = attribute.value, generation = '1'] = /^(.*) G(\d+)$/.exec(attribute.value) ?? [];
    return { ...attribute, value: `${base} G${Number(generation) + 1}` };
  });
}

async function rootOf(old: Authority, { root, env }: RotateOptions): Promise<Authority> {
  if (root === undefined) throw fail('ca-root-needed', { subject: formatName(old.certificate.issuer) });
  const paths = rootPaths(root);
  const authority = await openAuthority(paths, env);
  if (isSignedBy(old.certificate, authority.certificate)) return authority;
  throw fail('authority-unusable', { file: paths.ca, problem: 'it has not signed the present CA', cure: 'Name the folder of its root' });
}

type NewFiles = { readonly authority: Authority; readonly keyPem: string; readonly dir: string };

/** The old key is kept as it is, encrypted with the password that it had. */
async function filesOf(old: Authority, { authority, keyPem, dir }: NewFiles): Promise<(readonly [string, string])[]> {
  const paths = caPaths(dir);
  const config = (await exists(paths.config)) ? await readFile(paths.config, 'utf8') : undefined;
  return [
    [names.ca, authority.pem],
    [names.caKey, keyPem],
    [names.previousCa, old.pem],
    [names.previousKey, await readSpec(paths.caKey, {})],
    // What is issued from now on names the list of the new key.
    ...(config === undefined ? [] : [[names.config, config.replaceAll(crlPath(old.keyId), crlPath(authority.keyId))] as const]),
  ];
}

async function crossed(
  old: Authority,
  authority: Authority,
  { dir, urls, store, clock }: RotateOptions,
): Promise<(readonly [string, string])[]> {
  const now = clock.now();
  const { notBefore, notAfter } = old.certificate;
  const forOld = await crossSign(authority, old, validityOf(now, notAfter - now), urls);
  const newUrls = { ...urls, crlUrl: urls.crlUrl.replace(crlPath(old.keyId), crlPath(authority.keyId)) };
  const forNew = await crossSign(old, authority, { notBefore, notAfter }, newUrls);
  await store.insert(recordOf(certificateInfo(forOld), { authority: old, now }));
  await store.insert(recordOf(certificateInfo(forNew), { authority, now }));
  const bundle = await readFile(caPaths(dir).bundle, 'utf8');
  return [
    [names.bundle, `${authority.pem}${bundle}`],
    [names.chain, forOld],
    [names.crossSigned, forNew],
  ];
}

/** Certificates that the CA has made for itself are made anew when its key is. */
function isOwn({ metadata }: CertificateRecord): boolean {
  return typeof metadata === 'object' && metadata !== null && 'own' in metadata;
}
