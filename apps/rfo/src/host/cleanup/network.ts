/** Removes the interfaces, routes and network namespaces of a node's pod network. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { readFileIfExists, systemCode } from '@rfo/foundation';
import type { Paths } from '../../paths.ts';
import { execute } from '../execute.ts';
import { removeNamespaceFile } from './mounts.ts';
import { livingNetworkNamespaces } from './processes.ts';

type Link = { readonly ifname: string; readonly master?: string; readonly linkinfo?: { readonly info_kind?: string } };

const ownLinks = ['cni0', 'flannel.1', 'flannel-v6.1', 'kube-ipvs0', 'nodelocaldns'];
const namespaceFolder = '/run/netns';

/** @returns what could not be removed, as sentences */
export async function removePodNetwork(paths: Paths): Promise<string[]> {
  await removeDeadNamespaces();
  await removeRoutes(paths);
  return removeLinks();
}

/** Names of our interfaces in what `ip -j -d link show` wrote: the ones by name, and the host's ends of pods on our bridge. */
export function ownLinkNames(json: string): string[] {
  const links = (json.trim() === '' ? [] : JSON.parse(json)) as Link[];
  return links
    .filter((link) => ownLinks.includes(link.ifname) || (link.master === 'cni0' && link.linkinfo?.info_kind === 'veth'))
    .map(({ ifname }) => ifname)
    .toSorted((a, b) => Number(ownLinks.includes(a)) - Number(ownLinks.includes(b)));
}

/** A pod's namespace (`cni-…`) in which no process lives is of no more use to anybody; those of a living runtime hold at least a pause process. */
async function removeDeadNamespaces(): Promise<void> {
  const files = (await list(namespaceFolder)).filter((name) => name.startsWith('cni-')).map((name) => join(namespaceFolder, name));
  if (files.length === 0) return;
  const living = await livingNetworkNamespaces();
  for (const file of files) {
    if (!living.has(`net:[${(await stat(file)).ino}]`)) await removeNamespaceFile(file);
  }
}

/** Routes to other nodes' pods over the host's own interfaces (host-gw): the others go with their links. */
async function removeRoutes(paths: Paths): Promise<void> {
  const text = await readFileIfExists(paths.agent.flannelNetConf);
  if (text === undefined) return;
  const { Network, IPv6Network } = JSON.parse(text) as { Network?: string; IPv6Network?: string };
  const ranges = [
    ...(Network === undefined ? [] : [['-4', Network] as const]),
    ...(IPv6Network === undefined ? [] : [['-6', IPv6Network] as const]),
  ];
  for (const [family, range] of ranges) await execute('ip', [family, 'route', 'flush', 'root', range]);
}

async function removeLinks(): Promise<string[]> {
  const left: string[] = [];
  for (const name of ownLinkNames((await execute('ip', ['-j', '-d', 'link', 'show'])).stdout)) {
    const run = await execute('ip', ['link', 'delete', name]);
    // The two ends of a pair go together: the other may have taken it along.
    if (!run.ok && !run.stderr.includes('Cannot find device')) left.push(`interface ${name}: ${run.stderr}`);
  }
  return left;
}

async function list(folder: string): Promise<string[]> {
  return readdir(folder).catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  });
}
