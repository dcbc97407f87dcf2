import type { Log } from '@rfo/foundation';
import { addressOf, type ServerConfig } from '@rfo/schema';
import { detectHost, type HostFacts } from '../host/facts.ts';
import { preflight } from '../host/preflight.ts';
import { nodePaths, type Paths } from '../paths.ts';
import { programVersion } from '../version.ts';
import { type Bundle, findBundle } from './bundle.ts';
import { checkDataVersion, checkNotInUse, type DataVersion } from './data-directory.ts';
import type { ServerInputs } from './inputs.ts';
import { configuredToken } from './tokens.ts';

/** Everything the start is decided by. */
export type Findings = { readonly bundle: Bundle; readonly version: DataVersion; readonly host: HostFacts; readonly inputs: ServerInputs };

/**
 * Looks at the host, the data directory and the settings and refuses what cannot work; changes nothing.
 * @throws bundle-missing, data-in-use, data-newer, token-unreadable, and what `detectHost` and `preflight` throw
 */
export async function lookBeforeTouching(
  config: ServerConfig,
  { env, log }: { readonly env: Readonly<Record<string, string | undefined>>; readonly log: Log },
): Promise<Findings> {
  const paths = pathsOf(config);
  const [bundle, host] = await Promise.all([
    findBundle(env),
    detectHost({
      dataDir: paths.data,
      nodeName: config['node-name'],
      nodeIps: config['node-ip'].length > 0 ? config['node-ip'] : undefined,
    }),
    checkNotInUse(paths),
    configuredToken(config.token, config['token-file'], 'token-file'),
    configuredToken(config['agent-token'], config['agent-token-file'], 'agent-token-file'),
  ]);
  const version = { rfo: programVersion, kubernetes: bundle.kubernetes };
  await checkDataVersion(paths, version);
  await preflight({ config, paths, host, log });
  return { bundle, version, host, inputs: serverInputs(config, paths, host) };
}

/** The table of paths for these settings. */
export function pathsOf(config: Pick<ServerConfig, 'data-dir' | 'run-dir'>): Paths {
  return nodePaths({ dataDir: config['data-dir'], runDir: config['run-dir'], etcDir: '/etc/rancher' });
}

function serverInputs(config: ServerConfig, paths: Paths, host: HostFacts): ServerInputs {
  return {
    config,
    paths,
    nodeName: host.nodeName,
    nodeIp: host.nodeIp,
    advertiseAddress: config['advertise-address'] ?? config['node-external-ip'][0] ?? host.nodeIp,
    kubernetesServiceIp: addressOf(config['service-cidr'], 1),
    clusterDns: config['cluster-dns'] ?? addressOf(config['service-cidr'], 10),
  };
}
