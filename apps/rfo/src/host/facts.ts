/** What kind of host this is: everything that decides how the node's parts are configured, found out once at the start. */
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import os from 'node:os';
import { fail, readFileIfExists, systemCode } from '@rfo/foundation';
import type { NodeConfig } from '@rfo/schema';
import type { Paths } from '../paths.ts';
import { readKnownAddress } from './known-address.ts';
import { type AddressWish, chooseNodeAddress, type NodeAddress } from './node-address.ts';
import { chooseNodeId } from './node-id.ts';
import { type Probe, type Probes, probeKernel, requireWritable } from './probe.ts';
import { hasCapability, meminfoBytes, parseCgroups, parseKernelRelease, parseMountinfo } from './proc.ts';

export type HostFacts = {
  readonly hostname: string;
  /** Name of the Node object: the configured one, or the host name in lower case; with the node's id where it is to have one. */
  readonly nodeName: string;
  /** Addresses the node is known by; the first is the main one. */
  readonly nodeIps: readonly [string, ...string[]];
  readonly nodeIp: string;
  /** Interface that carries the main address. */
  readonly iface: string;
  /** Address of the interface that flannel is to use. */
  readonly overlayIp: string | undefined;
  readonly kernel: { readonly release: string; readonly major: number; readonly minor: number };
  /** `none` only where no pods are to run. */
  readonly cgroup: 'v1' | 'v2' | 'none';
  readonly cgroupControllers: readonly string[];
  readonly cgroupDriver: 'systemd' | 'cgroupfs';
  /** CAP_SYS_RESOURCE: without it a process cannot be given a lower OOM score than its parent's. */
  readonly canRaiseOom: boolean;
  /** kube-proxy's nftables mode would work here. */
  readonly nftables: Probe;
  readonly iptables: Probe;
  /** overlayfs works on the filesystem of the data directory. */
  readonly overlayfs: Probe;
  /** The size of the connection table may be set (not in a network namespace of its own). */
  readonly conntrackWritable: boolean;
  readonly cpus: number;
  readonly memoryBytes: number;
};

export type DetectOptions = {
  readonly dataDir: string;
  readonly nodeName?: string | undefined;
  /** Appended to the name. */
  readonly nodeId?: string | undefined;
  /** Any address of the host by default. */
  readonly address?: AddressWish;
  /** No pods are to run here: what only they need may be missing, and is not tried. */
  readonly controlPlaneOnly?: boolean;
};

/**
 * What of the host the configuration decides: nothing is written, a node id that is new is still to be kept.
 * @throws data-unreadable
 */
export async function detectOptionsOf(given: {
  readonly config: Pick<NodeConfig, 'node-name' | 'with-node-id' | 'node-ip'> & {
    readonly 'flannel-iface'?: string | undefined;
    readonly 'vip'?: string | undefined;
    readonly 'disable-agent'?: boolean | undefined;
  };
  readonly paths: Paths;
}): Promise<DetectOptions & { readonly address: AddressWish }> {
  const { config, paths } = given;
  return {
    dataDir: paths.data,
    nodeName: config['node-name'],
    controlPlaneOnly: config['disable-agent'] ?? false,
    nodeId: config['with-node-id'] ? await chooseNodeId(paths.nodeId) : undefined,
    address: {
      wanted: config['node-ip'],
      known: await readKnownAddress(paths),
      except: config.vip === undefined ? [] : [config.vip],
      overlayIface: config['flannel-iface'],
    },
  };
}

/** The node's addresses as they are at this moment. Throws what `chooseNodeAddress` throws. */
export async function lookForAddress(wish: AddressWish = { wanted: [] }): Promise<NodeAddress> {
  return chooseNodeAddress({ ...wish, interfaces: os.networkInterfaces(), route: await readFile('/proc/net/route', 'utf8') });
}

/** Number of CAP_SYS_RESOURCE in linux/capability.h. */
const capSysResource = 24;

/**
 * Looks at the host. Takes about 30 ms, nearly all of it one child process that tries nftables, iptables and overlayfs.
 * @throws what `chooseNodeAddress` throws, node-name-invalid, cgroups-missing, data-unwritable
 */
export async function detectHost(options: DetectOptions): Promise<HostFacts> {
  const texts = await readTexts();
  const mounts = parseMountinfo(texts.mountinfo);
  const cgroups = parseCgroups(mounts, texts.controllers);
  const hostname = os.hostname();
  const address = await lookForAddress(options.address);
  const nodeName = nodeNameOf(options, hostname);
  const kernel = { release: os.release(), ...parseKernelRelease(os.release()) };
  if (cgroups === undefined && !options.controlPlaneOnly) throw fail('cgroups-missing', {});
  const { nftables, iptables, overlayfs } = options.controlPlaneOnly
    ? await notProbed(options.dataDir)
    : await probeKernel(options.dataDir);
  return {
    hostname,
    nodeName,
    ...address,
    kernel,
    cgroup: cgroups?.version ?? 'none',
    cgroupControllers: cgroups?.controllers ?? [],
    cgroupDriver: cgroupDriver(cgroups?.controllers ?? []),
    canRaiseOom: hasCapability(texts.status, capSysResource),
    nftables: kernelForNftables(kernel, nftables),
    iptables,
    overlayfs,
    conntrackWritable: texts.conntrackWritable,
    cpus: os.availableParallelism(),
    memoryBytes: meminfoBytes(texts.meminfo, 'MemTotal'),
  };
}

async function notProbed(folder: string): Promise<Probes> {
  await requireWritable(folder);
  const unasked: Probe = { ok: false, why: 'no pods run here' };
  return { nftables: unasked, iptables: unasked, overlayfs: unasked };
}

/** Whether kube-proxy's nftables mode works: it wants Linux 5.13, and refuses to start on an older one even where the rules load. */
export function kernelForNftables(
  kernel: { readonly major: number; readonly minor: number; readonly release: string },
  probe: Probe,
): Probe {
  if (kernel.major > 5 || (kernel.major === 5 && kernel.minor >= 13)) return probe;
  return { ok: false, why: `kube-proxy needs Linux 5.13 for nftables, this is ${kernel.release}` };
}

/**
 * The configured name or the host's, with the node's id where it has one.
 * @throws node-name-invalid
 */
export function nodeNameOf({ nodeName, nodeId }: Pick<DetectOptions, 'nodeName' | 'nodeId'>, hostname: string): string {
  const name = nodeName ?? hostname.toLowerCase();
  return checkNodeName(nodeId === undefined ? name : `${name}-${nodeId}`);
}

/**
 * The node's name as Kubernetes takes it.
 * @throws node-name-invalid
 */
export function checkNodeName(name: string): string {
  const label = '[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?';
  if (name.length > 253 || !new RegExp(`^${label}(\\.${label})*$`).test(name)) throw fail('node-name-invalid', { name });
  return name;
}

/** systemd owns the cgroup tree where it runs as the init system and can be asked; without its cpuset controller pods could not be placed. */
function cgroupDriver(controllers: readonly string[]): 'systemd' | 'cgroupfs' {
  return existsSync('/run/systemd/system') && existsSync('/run/systemd/private') && controllers.includes('cpuset') ? 'systemd' : 'cgroupfs';
}

async function readTexts() {
  const [mountinfo, status, controllers, meminfo, conntrackWritable] = await Promise.all([
    readFile('/proc/self/mountinfo', 'utf8'),
    readFile('/proc/self/status', 'utf8'),
    readFileIfExists('/sys/fs/cgroup/cgroup.controllers'),
    readFile('/proc/meminfo', 'utf8'),
    isRewritable('/proc/sys/net/netfilter/nf_conntrack_max'),
  ]);
  return { mountinfo, status, controllers: controllers ?? '', meminfo, conntrackWritable };
}

/** Writes a kernel setting's own value back: in a network namespace of its own the kernel answers EINVAL although the file mode says otherwise. */
async function isRewritable(path: string): Promise<boolean> {
  try {
    const value = await readFile(path);
    await writeFile(path, value, { flag: 'r+' });
    return true;
  } catch (error) {
    if (['ENOENT', 'EINVAL', 'EACCES', 'EPERM', 'EROFS'].includes(systemCode(error) ?? '')) return false;
    throw error;
  }
}
