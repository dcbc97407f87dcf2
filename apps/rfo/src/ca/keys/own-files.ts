/** Sees that the certificates which the CA needs itself are there and good, and makes them anew where they are not. */
import { createPublicKey, X509Certificate } from 'node:crypto';
import { type Clock, type Log, readFileIfExists, toRfoError, writeFileAtomic } from '@rfo/foundation';
import { type AltName, type CertificateInfo, certificateInfos, decodeKey, formatAltName, hostNames, isSignedBy } from '@rfo/pki';
import type { CertificateStore } from '../store/types.ts';
import type { Authority } from './authority.ts';
import { localHosts, ownHosts } from './hosts.ts';
import type { StatusUrls } from './make-authority.ts';
import { issueResponder, issueTls, type OwnCertificate } from './own-certificate.ts';

export type FilePair = { readonly certificate: string; readonly key: string };

export type OwnFiles = {
  /** For OCSP answers: of the present CA, and of the one before it. */
  readonly responders: readonly { readonly authority: Authority; readonly files: FilePair }[];
  readonly tls:
    | {
        readonly authority: Authority;
        readonly files: FilePair;
        /** Empty: those of the last certificate, else of this host. */
        readonly hosts: readonly string[];
        readonly urls: StatusUrls;
        /** PEM of what stands between it and the roots. */
        readonly chain: string;
      }
    | undefined;
};

export type OwnContext = { readonly store: Pick<CertificateStore, 'insert'>; readonly clock: Clock; readonly log: Log };

/**
 * Leaves good files as they are; a new certificate is in the database before it is in its file.
 * @returns when to look again, milliseconds since 1970, and whether the certificate of the port is a new one
 * @throws ca-store-failed, errors of the file system
 */
export async function ensureOwnFiles(
  { responders, tls }: OwnFiles,
  context: OwnContext,
): Promise<{ readonly due: number; readonly newTls: boolean }> {
  const now = context.clock.now();
  const dues: number[] = [];
  for (const { authority, files } of responders) {
    const present = await readPair(files, { authority, now });
    const kept = present ?? (await renew(files, await issueResponder(authority, now), { ...context, what: 'OCSP answers' }));
    dues.push(dueOf(kept));
  }
  if (tls === undefined) return { due: Math.min(...dues, Number.POSITIVE_INFINITY), newTls: false };
  const { authority, files, chain, urls } = tls;
  const hosts = await hostsOf(tls);
  const present = await readPair(files, { authority, now, chain, names: hostNames(hosts) });
  const made = present ?? (await renew(files, await issueTls(authority, { hosts, now, urls }), { ...context, what: 'the API', chain }));
  return { due: Math.min(...dues, dueOf(made)), newTls: present === undefined };
}

/** A third of its life before its end. */
function dueOf({ notBefore, notAfter }: CertificateInfo): number {
  return notAfter - (notAfter - notBefore) / 3;
}

type Wanted = { readonly authority: Authority; readonly now: number; readonly chain?: string; readonly names?: readonly AltName[] };

/** The certificate where it is good still: of this CA, for these names, not due yet, with its key beside it. */
async function readPair(files: FilePair, { authority, now, chain = '', names = [] }: Wanted): Promise<CertificateInfo | undefined> {
  const [text, keyText] = await Promise.all([readFileIfExists(files.certificate), readFileIfExists(files.key)]);
  if (text === undefined || keyText === undefined) return undefined;
  try {
    const [leaf, ...rest] = certificateInfos(text, files.certificate);
    if (leaf === undefined || now >= dueOf(leaf) || !isSignedBy(leaf, authority.certificate)) return undefined;
    const key = createPublicKey(decodeKey(keyText, files.key));
    if (!key.equals(new X509Certificate(leaf.der).publicKey)) return undefined;
    const has = new Set(leaf.altNames.map(formatAltName));
    if (names.some((name) => !has.has(formatAltName(name)))) return undefined;
    const wanted = certificateInfos(chain, 'the chain');
    return wanted.length === rest.length && wanted.every(({ der }, at) => rest[at]?.der.equals(der) === true) ? leaf : undefined;
  } catch (error) {
    // What cannot be read is made anew; anything but a broken file is not ours to judge.
    if (!['certificate-unreadable', 'key-unreadable'].includes(toRfoError(error).code)) throw error;
    return undefined;
  }
}

async function renew(
  files: FilePair,
  made: OwnCertificate,
  { store, log, what, chain = '' }: OwnContext & { readonly what: string; readonly chain?: string },
): Promise<CertificateInfo> {
  await store.insert(made.record);
  await writeFileAtomic(files.key, made.keyPem, 0o600);
  await writeFileAtomic(files.certificate, `${made.pem}${chain}`, 0o600);
  const until = new Date(made.certificate.notAfter).toISOString();
  log.info(`new certificate for ${what}`, { file: files.certificate, serial: made.record.serial, until });
  return made.certificate;
}

async function hostsOf({ hosts, files }: NonNullable<OwnFiles['tls']>): Promise<readonly [string, ...string[]]> {
  const [first, ...more] = hosts.length > 0 ? hosts : ((await hostsBefore(files.certificate)) ?? ownHosts());
  return [first ?? localHosts[0], ...more, ...localHosts];
}

/** Those that the last certificate was for. */
async function hostsBefore(file: string): Promise<readonly string[] | undefined> {
  const text = await readFileIfExists(file);
  const blocks = text?.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/)?.[0];
  if (blocks === undefined) return undefined;
  try {
    const names = certificateInfos(blocks, file)[0]?.altNames.map(({ value }) => value) ?? [];
    return names.length > 0 ? names : undefined;
  } catch (error) {
    if (toRfoError(error).code !== 'certificate-unreadable') throw error;
    return undefined;
  }
}
