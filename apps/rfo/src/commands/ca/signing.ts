// What `sign` and `gencert` have in common: a CA of this host, or another one behind the CFSSL API, signs; the outcome is what cfssljson takes.
import { fail, systemClock } from '@rfo/foundation';
import type { CaGencertConfig, CaSignConfig } from '@rfo/schema';
import { issueRecorded } from '../../ca/api/issue-recorded.ts';
import { CfsslError } from '../../ca/cfssl-error.ts';
import { findProfile } from '../../ca/config/find-profile.ts';
import { defaultSigningConfig } from '../../ca/config/read-config.ts';
import type { SigningConfig } from '../../ca/config/types.ts';
import { openAuthorities, openAuthority } from '../../ca/keys/authority.ts';
import { readSpec } from '../../ca/keys/read-key.ts';
import { readConfigFile } from '../../ca/keys/signing-config.ts';
import { caFiles } from '../../ca/serve-files.ts';
import { parseCompat } from '../../ca/signing/compat.ts';
import { createIssuer } from '../../ca/signing/create-issuer.ts';
import { createRemoteSigner, overrideRemotes } from '../../ca/signing/remote-signer.ts';
import type { SignRequest } from '../../ca/signing/types.ts';
import type { CommandContext } from '../../cli/context.ts';
import { localUser, openDatabaseOf } from './open.ts';

type Config = CaSignConfig | CaGencertConfig;
export type Wish = Pick<SignRequest, 'certificateRequest' | 'subject'>;

/**
 * PEM of the certificate. One that this host's CA signs is in its database, unless a foreign CA is named without a database, as with cfssl.
 * @param act name of the command, for the audit log
 * @throws ca-request-refused, and what is wrong with any of the files
 */
export async function sign(
  wish: Wish,
  { config, context, act }: { readonly config: Config; readonly context: CommandContext; readonly act: string },
): Promise<string> {
  const request: SignRequest = {
    ...wish,
    hosts: config.hostname.length > 0 ? config.hostname : null,
    profile: config.profile ?? '',
    label: config.label ?? '',
  };
  const signing = await configOf(config, context);
  // A client's configuration names remotes, seldom profiles: as with cfssl its default one is for all of them.
  const { remote } = findProfile(signing, request.profile, remoteCompat);
  return remote === undefined
    ? await signHere(request, { signing, config, context, act })
    : await signThere(request, { signing, config, context });
}

/** Runs what may be refused in cfssl's words, and says it in ours. @throws ca-request-refused */
export async function refusable<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (!(error instanceof CfsslError)) throw error;
    throw fail('ca-request-refused', { problem: error.message, code: error.code, cure: cureOf(error) }, error);
  }
}

/** One line of JSON for `cfssljson -bare`: keys in the order of Go. */
export function renderOutcome(outcome: { readonly cert: string; readonly csr: string; readonly key?: string }): string {
  return `${JSON.stringify({ cert: outcome.cert, csr: outcome.csr, key: outcome.key })}\n`;
}

const remoteCompat = new Set(['default-profile'] as const);

async function configOf(config: Config, { env }: CommandContext): Promise<SigningConfig> {
  const files = await caFiles(config);
  const own = config.remote === undefined || config.config !== undefined;
  const signing = own ? await readConfigFile(files.config, { env, mustExist: config.config !== undefined }) : defaultSigningConfig();
  return config.remote === undefined ? signing : overrideRemotes(signing, config.remote);
}

type Local = { readonly signing: SigningConfig; readonly config: Config; readonly context: CommandContext; readonly act: string };

async function signHere(request: SignRequest, { signing, config, context, act }: Local): Promise<string> {
  const files = await caFiles(config);
  const opened = files.ca === undefined || config['db-config'] !== undefined;
  const authority =
    files.ca === undefined ? (await openAuthorities(config.dir, context.env)).present : await openAuthority(files.ca, context.env);
  const records = opened ? await openDatabaseOf(files.paths, config, context) : undefined;
  const clock = systemClock;
  const issuer = createIssuer({ ...authority, config: signing, clock, compat: parseCompat(config['cfssl-compat'].join(',')) });
  return await issueRecorded(
    { records, clock, authority: { ...authority, issuer } },
    { request, act: { act, user: localUser() }, learn: () => undefined },
  );
}

async function signThere(
  request: SignRequest,
  { signing, config, context }: { readonly signing: SigningConfig; readonly config: Config; readonly context: CommandContext },
): Promise<string> {
  const { env, life } = context;
  const { 'tls-remote-ca': ca, 'mutual-tls-client-cert': certificate, 'mutual-tls-client-key': key } = config;
  const tls = {
    ...(ca !== undefined && { ca: await readSpec(ca, env) }),
    ...(certificate !== undefined && { certificate: await readSpec(certificate, env) }),
    ...(key !== undefined && { key: await readSpec(key, env) }),
  };
  const signer = createRemoteSigner({ config: signing, compat: remoteCompat, clock: systemClock, tls });
  return await signer.sign(request, life.signal);
}

function cureOf({ code }: CfsslError): string {
  if (code === 5500) return 'Ask for names that its profile allows';
  if (code >= 7000 && code < 8000) return 'Look at the address, the key and the CA of the other side: --tls-remote-ca';
  return 'See docs/certificate-authority.md';
}
