import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { fail } from '@rfo/foundation';
import type { KubeClientOptions } from './client.ts';
import type { Source } from './credentials.ts';

/**
 * Reads a kubeconfig (JSON or YAML) into what `createKubeClient` takes. Certificates named by path stay paths, relative ones relative to
 * the file, so that their renewal is seen. Throws kubeconfig-invalid.
 * @param context its name; the file's current context by default
 */
export async function loadKubeconfig(path: string, context?: string): Promise<KubeClientOptions> {
  return parseKubeconfig(await parse(path), { path, context });
}

type Named<Key extends string, Value> = readonly ({ readonly name: string } & { readonly [K in Key]: Value })[];
type Kubeconfig = {
  readonly 'current-context'?: string;
  readonly contexts?: Named<'context', { readonly cluster: string; readonly user: string }>;
  readonly clusters?: Named<'cluster', Readonly<Record<string, string | boolean | undefined>>>;
  readonly users?: Named<'user', Readonly<Record<string, unknown>>>;
};

/** The pure part: a parsed kubeconfig. */
export function parseKubeconfig(
  config: Kubeconfig,
  { path, context = config['current-context'] }: { readonly path: string; readonly context?: string | undefined },
): KubeClientOptions {
  const invalid = (problem: string): Error => fail('kubeconfig-invalid', { file: path, problem });
  const chosen = config.contexts?.find(({ name }) => name === context)?.context;
  if (chosen === undefined) throw invalid(`it has no context ${context === undefined ? 'chosen' : `"${context}"`}`);
  const cluster = config.clusters?.find(({ name }) => name === chosen.cluster)?.cluster;
  if (cluster === undefined) throw invalid(`it has no cluster "${chosen.cluster}"`);
  const user = config.users?.find(({ name }) => name === chosen.user)?.user;
  if (user === undefined) throw invalid(`it has no user "${chosen.user}"`);
  if (typeof cluster.server !== 'string') throw invalid(`its cluster "${chosen.cluster}" has no server`);
  if (cluster['insecure-skip-tls-verify'] === true) throw invalid('insecure-skip-tls-verify is refused: name the certificate-authority');
  for (const unsupported of ['exec', 'auth-provider', 'username']) {
    if (user[unsupported] !== undefined) throw invalid(`its user "${chosen.user}" logs in by ${unsupported}, which is not supported`);
  }
  const source = (from: Readonly<Record<string, unknown>>, name: string): Source | undefined => {
    const data = from[`${name}-data`];
    if (typeof data === 'string') return { data: Buffer.from(data, 'base64').toString() };
    const file = from[name];
    return typeof file === 'string' ? { file: resolve(dirname(path), file) } : undefined;
  };
  const serverName = cluster['tls-server-name'];
  return {
    server: cluster.server,
    serverName: typeof serverName === 'string' ? serverName : undefined,
    ca: source(cluster, 'certificate-authority'),
    cert: source(user, 'client-certificate'),
    key: source(user, 'client-key'),
    token: typeof user.token === 'string' ? { data: user.token } : tokenFile(user, path),
  };
}

function tokenFile(user: Readonly<Record<string, unknown>>, path: string): Source | undefined {
  const file = user.tokenFile;
  return typeof file === 'string' ? { file: resolve(dirname(path), file) } : undefined;
}

async function parse(path: string): Promise<Kubeconfig> {
  try {
    const text = await readFile(path, 'utf8');
    if (text.trimStart().startsWith('{')) return JSON.parse(text) as Kubeconfig;
    // Loaded only here: it costs 15 MB, and the files that RFO itself writes are JSON.
    const { parse: parseYaml } = await import('yaml');
    return (parseYaml(text) ?? {}) as Kubeconfig;
  } catch (error) {
    throw fail('kubeconfig-invalid', { file: path, problem: error instanceof Error ? error.message : String(error) }, error);
  }
}
