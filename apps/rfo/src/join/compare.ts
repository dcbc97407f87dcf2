/** Tells before anything is changed whether a node fits the cluster that it is to join. */
import { fail } from '@rfo/foundation';
import type { ClusterSettings } from '@rfo/schema';
import { differingSettings, type TokenRole } from '../supervisor/api.ts';

/**
 * Refuses a server whose settings are not those of the cluster, where they have to be the same on all servers.
 * @throws settings-differ, which names every setting with both values
 */
export function requireSameSettings(own: ClusterSettings, cluster: ClusterSettings): void {
  const differences = differingSettings(own, cluster);
  if (differences.length > 0) throw fail('settings-differ', { differences: differences.join('; ') });
}

/** How many minor versions an agent's kubelet may be older than the API server, as Kubernetes promises it (version skew policy). */
const oldestAgent = 3;

/**
 * Refuses a joiner whose Kubernetes does not go together with that of the cluster. A server may be one minor version newer, as in a rolling
 * upgrade; an agent never newer. For a server's first join only: one that is a member already and waits for its upgrade is older for a while.
 * @param versions as `v1.36.3`
 * @throws version-skew
 */
export function requireFittingVersion(joiner: { readonly role: TokenRole; readonly version: string }, cluster: string): void {
  const { role, version } = joiner;
  const [own, theirs] = [kubernetesMinor(version), kubernetesMinor(cluster)];
  const newer = own.minor - theirs.minor;
  const node = role === 'server' ? 'this server' : 'this agent';
  const have = `${node} has Kubernetes ${version}, the cluster has ${cluster}`;
  if (own.major !== theirs.major)
    throw fail('version-skew', { problem: have, cure: `Install a version of RFO with Kubernetes ${cluster}` });
  if (role === 'server') {
    if (newer < 0) throw fail('version-skew', { problem: `${have}: a server that joins may not be older`, cure: installCure(cluster) });
    if (newer > 1) {
      throw fail('version-skew', { problem: `${have}: a server may be one minor version newer at most`, cure: upgradeCure(theirs) });
    }
    return;
  }
  if (newer > 0)
    throw fail('version-skew', { problem: `${have}: an agent may not be newer than the servers`, cure: 'Upgrade the servers first' });
  if (newer < -oldestAgent) {
    throw fail('version-skew', {
      problem: `${have}: an agent may be ${oldestAgent} minor versions older at most`,
      cure: installCure(cluster),
    });
  }
}

/** Milliseconds of difference that nobody needs to hear of. */
const toleratedSkew = 5_000;
/** New certificates are valid from 5 minutes before they were made. */
const certificateTolerance = 300_000;

/**
 * What is to be said of the difference between two clocks; undefined while it harms nothing.
 * @param clockAhead milliseconds by which the server's clock goes before this host's
 */
export function clockWarning(server: string, clockAhead: number): string | undefined {
  const size = Math.abs(clockAhead);
  if (size <= toleratedSkew) return undefined;
  const difference =
    size < 60_000 ? `${(size / 1000).toFixed(1)} s` : size < 600_000 ? `${Math.round(size / 1000)} s` : `${Math.round(size / 60_000)} min`;
  const text = `the clock of this host goes ${difference} ${clockAhead > 0 ? 'behind' : 'ahead of'} that of ${server}`;
  return size <= certificateTolerance ? text : `${text}: certificates made there may not be valid here; set both by NTP`;
}

function installCure(cluster: string): string {
  return `Install the version of RFO that the servers have, with Kubernetes ${cluster}`;
}

function upgradeCure({ major, minor }: { major: number; minor: number }): string {
  return `Upgrade the cluster to ${major}.${minor + 1} first, or join with that version`;
}

/** @throws version-skew for what is no version */
function kubernetesMinor(version: string): { major: number; minor: number } {
  const [, major, minor] = /^v?(\d+)\.(\d+)(\.|$)/.exec(version) ?? [];
  if (major === undefined || minor === undefined) {
    throw fail('version-skew', { problem: `"${version}" is not a version of Kubernetes`, cure: 'Check what the servers run' });
  }
  return { major: Number(major), minor: Number(minor) };
}
