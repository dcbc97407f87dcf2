/** Whether the kernel and the host's tools can carry pods and Services. */
import { networkInterfaces } from 'node:os';
import { writeFileAtomic } from '@rfo/foundation';
import { execute, findTool } from '../execute.ts';
import { loadModules, nodeModules } from '../kernel-modules.ts';
import { type Check, type CheckInputs, type Finding, failed, ok, warn } from './finding.ts';

const modulesFile = '/etc/modules-load.d/90-rfo.conf';
const neededControllers = ['cpu', 'cpuset', 'memory', 'pids'];

/** What decides the start, from the facts alone. */
export const checkKernel: Check = async (inputs) => [cgroups(inputs), serviceRules(inputs), imageLayers(inputs), ...podInterface(inputs)];

/** Modules that can be loaded, tools that a node calls. */
export const checkModulesAndTools: Check = async ({ config }) => {
  const absent = await Promise.all(nodeModules.map(async (module) => ((await module.present()) ? undefined : module)));
  const modules = absent
    .filter((module) => module !== undefined)
    .map(({ name, why }) =>
      warn('kernel module', `${name} is not loaded, needed for ${why}`, `modprobe ${name}, and name it in ${modulesFile}`, fixModules),
    );
  const needed = ['mount', 'umount', 'unshare', 'ip', ...(config['kube-proxy-mode'] === 'nftables' ? ['nft'] : []), 'modprobe'];
  const tools = await Promise.all(needed.map(async (name) => ((await findTool(name)) === undefined ? name : undefined)));
  const missing = tools.filter((name) => name !== undefined);
  return [
    ...(modules.length > 0 ? modules : [ok('kernel modules', nodeModules.map(({ name }) => name).join(', '))]),
    missing.length === 0
      ? ok('tools', needed.join(', '))
      : warn('tools', `${missing.join(', ')} not installed`, 'Install util-linux, iproute2, kmod'),
    ...(config.cni === 'flannel' && config['flannel-backend'] === 'vxlan' ? [await vxlan()] : []),
  ];
};

function cgroups({ host }: CheckInputs): Finding {
  const missing = neededControllers.filter((name) => !host.cgroupControllers.includes(name));
  if (missing.length > 0) {
    return failed(
      'cgroups',
      `cgroup ${host.cgroup} lacks the controllers ${missing.join(', ')}`,
      'Boot with cgroup_enable=cpuset cgroup_enable=memory, or enable them in the kernel',
    );
  }
  const found = `cgroup ${host.cgroup}, driver ${host.cgroupDriver}`;
  return host.cgroup === 'v2'
    ? ok('cgroups', found)
    : warn('cgroups', found, 'Boot with systemd.unified_cgroup_hierarchy=1: Kubernetes is about to drop v1');
}

function serviceRules({ config, host: { nftables, iptables } }: CheckInputs): Finding {
  const mode = config['kube-proxy-mode'];
  const topic = 'Services';
  if (config['disable-kube-proxy']) return ok(topic, 'left to you, as kube-proxy is disabled');
  const install = 'Install nftables 1.0.1 or later, or iptables, for this kernel';
  if (mode === 'nftables' && !nftables.ok)
    return failed(topic, `nftables does not work: ${nftables.why}`, 'Set kube-proxy-mode to auto or iptables');
  if (mode === 'iptables' && !iptables.ok) return failed(topic, `iptables does not work: ${iptables.why}`, install);
  if (nftables.ok) return ok(topic, mode === 'iptables' ? 'iptables' : 'nftables');
  if (iptables.ok) return ok(topic, `iptables, as nftables does not work: ${nftables.why}`);
  return failed(topic, `neither nftables (${nftables.why}) nor iptables (${iptables.why}) works`, install);
}

function imageLayers({ config, host: { overlayfs }, paths }: CheckInputs): Finding {
  if (config.snapshotter !== 'overlayfs') return ok('image layers', config.snapshotter);
  if (overlayfs.ok) return ok('image layers', 'overlayfs');
  const cure = 'Put data-dir on ext4 or xfs; until then images are copied, which is slow and takes space';
  return warn('image layers', `overlayfs does not work on ${paths.data}: ${overlayfs.why}`, cure);
}

/** flannel would end itself over an interface that is not there, again and again. */
function podInterface({ config }: CheckInputs): Finding[] {
  const wanted = config['flannel-iface'];
  if (wanted === undefined) return [];
  const found = networkInterfaces();
  if (found[wanted]?.some(({ family }) => family === 'IPv4')) return [ok('flannel-iface', wanted)];
  const others = Object.keys(found).filter((name) => name !== 'lo');
  return [failed('flannel-iface', `${wanted} is no interface with an IPv4 address`, `Name one that is: ${others.join(', ')}`)];
}

/** Made in a network namespace of its own, where the kernel also loads the module by itself if it has one. */
async function vxlan(): Promise<Finding> {
  const run = await execute('unshare', ['--net', 'ip', 'link', 'add', 'rfo-probe', 'type', 'vxlan', 'id', '1', 'dstport', '8472']);
  if (run.ok) return ok('pod network', 'vxlan');
  return failed(
    'pod network',
    `vxlan does not work: ${run.stderr}`,
    'Set flannel-backend to host-gw, or install the vxlan module of this kernel',
  );
}

async function fixModules(): Promise<string> {
  const still = await loadModules();
  const names = nodeModules.map(({ name }) => name).filter((name) => !still.some((missing) => missing.name === name));
  await writeFileAtomic(modulesFile, `${names.join('\n')}\n`, 0o644);
  return still.length === 0
    ? `loaded, and at each boot by ${modulesFile}`
    : `still missing: ${still.map(({ name, problem }) => `${name} (${problem})`).join(', ')}`;
}
