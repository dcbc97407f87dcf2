/** The certificates that the CA of a folder needs itself, and what stands beside them for others to read. */
import { readFileIfExists, writeFileIfChanged } from '@rfo/foundation';
import { isSelfSigned } from '@rfo/pki';
import { type Authority, openAuthorities } from './authority.ts';
import { type CaPaths, caPaths } from './ca-paths.ts';
import { exists } from './change-folder.ts';
import type { StatusUrls } from './make-authority.ts';
import { ensureOwnFiles, type FilePair, type OwnContext, type OwnFiles } from './own-files.ts';
import type { Variables } from './read-key.ts';
import { readConfigFile } from './signing-config.ts';

export type Authorities = { readonly present: Authority; readonly previous: Authority | undefined };

/** Makes what is missing, as the first start of `serve` would. */
export async function ensureFolderFiles(
  { dir, hosts, env }: { readonly dir: string; readonly hosts: readonly string[]; readonly env: Variables },
  context: OwnContext,
): Promise<void> {
  const paths = caPaths(dir);
  const authorities = await openAuthorities(dir, env);
  const config = await readConfigFile(paths.config, { env });
  await ensureOwnFiles(await ownFilesOf(paths, { authorities, hosts, urls: config.defaultProfile }), context);
}

/**
 * Which of them there are to be: an OCSP responder for each key, and the certificate of the port.
 * @param wish `given`: pairs that somebody else keeps, and that are left alone
 */
export async function ownFilesOf(
  paths: CaPaths,
  wish: {
    readonly authorities: Authorities;
    readonly hosts: readonly string[];
    readonly urls: StatusUrls;
    readonly given?: { readonly responder?: FilePair | undefined; readonly tls?: FilePair | undefined; readonly plain?: boolean };
  },
): Promise<OwnFiles> {
  const { authorities, hosts, urls, given = {} } = wish;
  const { present, previous } = authorities;
  const responders = [
    ...(given.responder === undefined ? [{ authority: present, files: pair(paths.responder, paths.responderKey) }] : []),
    ...(previous === undefined ? [] : [{ authority: previous, files: pair(paths.previous.responder, paths.previous.responderKey) }]),
  ];
  if (given.tls !== undefined || given.plain === true) return { responders, tls: undefined };
  const files = pair(paths.tls, paths.tlsKey);
  return { responders, tls: { authority: present, files, hosts, urls, chain: await chainOf(paths, present) } };
}

/** The certificates of all keys that sign or have signed, for whoever verifies a client. */
export async function writeClientAuthorities(paths: CaPaths, { present, previous }: Authorities): Promise<string> {
  await writeFileIfChanged(paths.clients, `${present.pem}${previous?.pem ?? ''}`, 0o600);
  return paths.clients;
}

/** What stands between a leaf of this CA and the roots. */
async function chainOf(paths: CaPaths, present: Authority): Promise<string> {
  const own = (await isOfFolder(paths, present)) ? ((await readFileIfExists(paths.chain)) ?? '') : undefined;
  return own ?? (isSelfSigned(present.certificate) ? '' : present.pem);
}

/** Another CA may have been named by flags. */
async function isOfFolder(paths: CaPaths, present: Authority): Promise<boolean> {
  return (await exists(paths.ca)) && (await readFileIfExists(paths.ca)) === present.pem;
}

function pair(certificate: string, key: string): FilePair {
  return { certificate, key };
}
