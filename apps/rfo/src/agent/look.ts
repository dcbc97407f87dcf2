/** Looks at the host, the data directory and the settings of an agent and refuses what cannot work; changes nothing. */
import type { Log } from '@rfo/foundation';
import { type AgentConfig, defaultClusterSettings, nodeConfigOf } from '@rfo/schema';
import { agentPortsOf } from '../host/check/ports.ts';
import { detectHost, detectOptionsOf, type HostFacts } from '../host/facts.ts';
import { type KnownWish, wishFrom } from '../host/node-address.ts';
import { preflight } from '../host/preflight.ts';
import { type Paths, pathsOf } from '../paths.ts';
import { type Bundle, requireBundle } from '../server/bundle.ts';
import { checkDataVersion, checkNotInUse, type DataVersion } from '../server/data-directory.ts';
import { programVersion } from '../version.ts';

export type AgentFindings = {
  readonly bundle: Bundle;
  readonly version: DataVersion;
  readonly host: HostFacts;
  readonly paths: Paths;
  /** What the node's name ends with, where that is configured; still to be kept where it is new. */
  readonly nodeId: string | undefined;
  /** By what the node is found on this host from now on; `known` is still to be kept. */
  readonly address: KnownWish;
};

/** @throws bundle-missing, data-in-use, data-newer, and what `detectHost` and `preflight` throw */
export async function lookAtAgentHost(
  config: AgentConfig,
  { env, log }: { readonly env: Readonly<Record<string, string | undefined>>; readonly log: Log },
): Promise<AgentFindings> {
  const paths = pathsOf(config);
  const options = await detectOptionsOf({ config, paths });
  const [bundle, host] = await Promise.all([requireBundle(env), detectHost(options), checkNotInUse(paths)]);
  const version = { rfo: programVersion, kubernetes: bundle.versions.kubernetes };
  await checkDataVersion(paths, version);
  // The cluster's own settings are not known yet: what depends on them is judged by their defaults.
  await preflight({ config: nodeConfigOf(config, defaultClusterSettings), ports: agentPortsOf(config), paths, host, log });
  return { bundle, version, host, paths, nodeId: options.nodeId, address: wishFrom(options.address, host) };
}
