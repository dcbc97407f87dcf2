import type { Log } from '@rfo/foundation';
import { addressOf, type ServerConfig } from '@rfo/schema';
import { serverPortsOf } from '../host/check/ports.ts';
import { detectHost, detectOptionsOf, type HostFacts } from '../host/facts.ts';
import { groupId } from '../host/group.ts';
import { hasMoved, type KnownWish, wishFrom } from '../host/node-address.ts';
import { preflight } from '../host/preflight.ts';
import { type Paths, pathsOf } from '../paths.ts';
import { configuredToken } from '../tokens/ensure-tokens.ts';
import { programVersion } from '../version.ts';
import { type Bundle, requireBundle } from './bundle.ts';
import { checkDataVersion, checkNotInUse, type DataVersion } from './data-directory.ts';
import type { ServerInputs } from './inputs.ts';

/** Everything the start is decided by. */
export type Findings = {
  readonly bundle: Bundle;
  readonly version: DataVersion;
  readonly host: HostFacts;
  readonly inputs: ServerInputs;
  /** What the node's name ends with, where that is configured; still to be kept where it is new. */
  readonly nodeId: string | undefined;
  /** By what the node is found on this host from now on; `known` is still to be kept. */
  readonly address: KnownWish;
  /** It was known by another address. */
  readonly moved: boolean;
};

/**
 * Looks at the host, the data directory and the settings and refuses what cannot work; changes nothing.
 * @throws bundle-missing, data-in-use, data-newer, token-unreadable, token-malformed, group-unknown, and what `detectHost` and `preflight` throw
 */
export async function lookBeforeTouching(
  config: ServerConfig,
  { env, log }: { readonly env: Readonly<Record<string, string | undefined>>; readonly log: Log },
): Promise<Findings> {
  const paths = pathsOf(config);
  const options = await detectOptionsOf({ config, paths });
  const [bundle, host] = await Promise.all([
    requireBundle(env),
    detectHost(options),
    checkNotInUse(paths),
    configuredToken(config.token, config['token-file'], 'token-file'),
    configuredToken(config['agent-token'], config['agent-token-file'], 'agent-token-file'),
    config['write-kubeconfig-group'] === undefined ? undefined : groupId(config['write-kubeconfig-group']),
  ]);
  const version = { rfo: programVersion, kubernetes: bundle.versions.kubernetes };
  await checkDataVersion(paths, version);
  await preflight({ config, ports: serverPortsOf(config), paths, host, log });
  const [address, moved] = [wishFrom(options.address, host), hasMoved(options.address, host)];
  return { bundle, version, host, nodeId: options.nodeId, address, moved, inputs: serverInputs({ config, paths, host }) };
}

/** What the control plane is rendered from. */
export function serverInputs(given: { readonly config: ServerConfig; readonly paths: Paths; readonly host: HostFacts }): ServerInputs {
  const { config, paths, host } = given;
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
