/** Run by clean-host.test.ts in namespaces of its own: leaves a host as a killed node does, cleans it, and prints what is there then. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { silentLog } from '@rfo/foundation';
import { startProcess, stopUnlisted } from '@rfo/process';
import { nodePaths } from '../../paths.ts';
import { applySettings, nodeSettings } from '../kernel-settings.ts';
import { settingsMemory } from '../setup.ts';
import { cleanHost } from './clean-host.ts';
import { ownMounts } from './mounts.ts';

const [folder = '', cgroup = '', killall = ''] = process.argv.slice(2);
const paths = nodePaths({ dataDir: join(folder, 'data'), runDir: join(folder, 'run'), etcDir: join(folder, 'etc') });
const volume = join(paths.agent.root, 'kubelet', 'pods', 'uid', 'volumes', 'disk');
const disk = join(folder, 'disk');
const tools = { nft: works('nft', 'list', 'tables'), iptables: works('iptables', '-t', 'nat', '-S') };

// What the host has apart from the node: it must all be there afterwards.
run('ip link set lo up; ip link add user0 type bridge; ip netns add user');
if (tools.nft) run('nft add table ip user');
if (tools.iptables) run('iptables -t nat -A POSTROUTING -s 172.17.0.0/16 -j MASQUERADE');
mkdirSync(disk);
writeFileSync(join(disk, 'precious'), 'x');
const bystander = spawn('sleep', ['1000'], { stdio: 'ignore' });

// What a node leaves behind.
await applySettings(
  nodeSettings().filter(({ key }) => key.startsWith('net.ipv4.')),
  settingsMemory(paths),
);
for (const made of [join(paths.agent.containerdState, 'rootfs'), volume]) mkdirSync(made, { recursive: true });
run(
  `mount -t tmpfs t ${paths.agent.containerdState}/rootfs; mkdir ${paths.agent.containerdState}/rootfs/dev; mount -t tmpfs t ${paths.agent.containerdState}/rootfs/dev`,
);
// kubelet does this where the host does not share its mounts.
const kubelet = join(paths.agent.root, 'kubelet');
run(`mount --bind ${kubelet} ${kubelet}; mount --bind ${disk} ${volume}`);
run(
  'ip netns add cni-dead; ip link add cni0 type bridge; ip link add veth0 type veth peer name eth0 netns cni-dead; ip link set veth0 master cni0',
);
if (tools.nft) run('nft add table ip kube-proxy; nft add table ip flannel-ipv4');
if (tools.iptables) run('iptables -t nat -N KUBE-SERVICES; iptables -t nat -A PREROUTING -j KUBE-SERVICES');
mkdirSync(join(cgroup, 'kubepods', 'besteffort', 'pod'), { recursive: true });
const shim = spawn('sh', ['-c', 'sleep 1000 & wait', '-namespace', 'k8s.io', '-address', paths.agent.containerdSocket], {
  argv0: 'containerd-shim-runc-v2',
  stdio: 'ignore',
});
while (children(shim.pid).length === 0) await new Promise(setImmediate);
const contained = children(shim.pid);
mkdirSync(paths.processRecords, { recursive: true });
const component = await startProcess(
  {
    name: 'component',
    path: '/bin/sleep',
    args: ['1000'],
    env: {},
    logFile: join(folder, 'component.log'),
    recordFile: join(paths.processRecords, 'component.json'),
  },
  silentLog,
);
const task = join(paths.agent.containerdState, 'io.containerd.runtime.v2.task', 'k8s.io', 'id');
const shimSocket = join(folder, 'shim.sock');
mkdirSync(task, { recursive: true });
writeFileSync(shimSocket, '');
writeFileSync(join(task, 'bootstrap.json'), JSON.stringify({ version: 3, address: `unix://${shimSocket}` }));

const clean = async (): Promise<readonly string[]> => {
  if (killall === '') {
    await stopUnlisted({ folder: paths.processRecords, names: new Set(), log: silentLog });
    return (await cleanHost({ paths, graceMs: 100, log: silentLog })).left;
  }
  const script = spawnSync('sh', [killall], {
    encoding: 'utf8',
    env: { ...process.env, RFO_DATA_DIR: paths.data, RFO_RUN_DIR: paths.run },
  });
  return script.status === 0 && script.stderr === '' ? [] : [`exit code ${script.status}: ${script.stderr}`];
};
const left = [await clean(), await clean()];
console.log(
  JSON.stringify({
    left,
    tools,
    bystander: alive(bystander.pid),
    component: alive(component.pid),
    shim: alive(shim.pid),
    contained: contained.length > 0 && contained.some(alive),
    precious: existsSync(join(disk, 'precious')),
    volumeFolder: existsSync(dirname(volume)),
    mounts: (await ownMounts()).filter(({ point }) => point.startsWith(`${folder}/`)).length,
    state: existsSync(paths.agent.containerdState),
    shimSocket: existsSync(shimSocket),
    namespaces: readdirSync('/run/netns'),
    links: JSON.parse(run('ip -j link')).map(({ ifname }: { ifname: string }) => ifname),
    tables: tools.nft
      ? run('nft list tables ip')
          .split('\n')
          .filter((line) => !/ (nat|mangle|filter)$/.test(line) && line !== '')
      : [],
    rules: tools.iptables
      ? run('iptables -t nat -S')
          .split('\n')
          .filter((line) => line.startsWith('-A') || line.startsWith('-N'))
      : [],
    cgroups: readdirSync(cgroup).filter((name) => name.startsWith('kubepods')),
    forwarding: readFileSync('/proc/sys/net/ipv4/ip_forward', 'utf8').trim(),
  }),
);
bystander.kill('SIGKILL');

function run(script: string): string {
  return execFileSync('sh', ['-ec', script], { encoding: 'utf8' });
}

function works(command: string, ...args: string[]): boolean {
  try {
    execFileSync(command, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

function children(pid: number | undefined): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    .trim()
    .split(' ')
    .filter((word) => word !== '')
    .map(Number);
}

/** A zombie is no more alive than one that is gone. */
function alive(pid: number | undefined): boolean {
  return existsSync(`/proc/${pid}/stat`) && !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
}
