/**
 * The careful hand: a program inside the host that starts the same binaries as `rfo` in the best order that is known, each the moment what it
 * needs is there, and then ends, leaving them behind. It is in no figure of memory or idle CPU.
 * Argument: a file with a `HandPlan`. Writes `{at, label}` lines; the first, `start`, is the moment that times are counted from.
 */
import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { readFileIfExists } from '@rfo/foundation';
import { type Api, openApi, untilReadyz } from './api.ts';
import { untilCriAnswers } from './cri.ts';
import { untilEtcdAnswers } from './etcd.ts';
import type { HandPlan, HandProcessName } from './hand-plan.ts';
import { node } from './node-paths.ts';
import { every20ms } from './probe.ts';

const [planFile = ''] = process.argv.slice(2);
const plan = JSON.parse(await readFile(planFile, 'utf8')) as HandPlan;
const environment = {
  PATH: `${node.bin}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`,
  HOME: '/root',
  NODE_NAME: plan.nodeName,
};

try {
  await prepare();
  await start();
  process.exit(0);
} catch (error) {
  console.error(error);
  process.exit(1);
}

/** What an administrator does before anybody looks at the clock. */
async function prepare(): Promise<void> {
  const folders = [node.logs, node.run, dirname(node.cniConfig), join(node.data, 'server/db'), '/var/lib/kubelet', '/var/log/pods'];
  await Promise.all(folders.map((folder) => mkdir(folder, { recursive: true })));
  for (const key of ['net/ipv4/ip_forward', 'net/bridge/bridge-nf-call-iptables']) await writeFile(`/proc/sys/${key}`, '1');
}

async function start(): Promise<void> {
  const first = plan.first !== undefined;
  note('start');
  startProcess('etcd');
  startProcess('containerd');
  const runtime = untilCriAnswers(node.containerdSocket).then(() => note('containerd answers'));
  const kubelet = runtime.then(() => startProcess('kubelet'));
  const images = runtime.then(() => importImages());
  // A new etcd elects itself at once, one that has run before only after a second or two.
  if (!first) await untilEtcdAnswers().then(() => note('etcd answers'));
  startProcess('kube-apiserver');
  const api = await openApi(node.tls);
  const ready = untilReadyz(api).then(() => note('readyz'));
  const controllers = ready.then(() => {
    startProcess('kube-controller-manager');
    startProcess('kube-scheduler');
  });
  const manifests = ready.then(() => applyManifests());
  // Not after /readyz: a node that has run before has its range already, and the API server serves before it calls itself ready.
  const network = untilPodRange(api).then(() => {
    startProcess('kube-proxy');
    startProcess('flannel');
  });
  const subnet = network.then(() => untilSubnet());
  const conflist = Promise.all([subnet, images]).then(() => (first ? writeConflist() : undefined));
  await Promise.all([kubelet, controllers, manifests, conflist]);
}

function startProcess(name: HandProcessName): void {
  const { path, args } = plan.processes[name];
  const log = openSync(join(node.logs, `${name}.log`), 'a');
  const child = spawn(path, args, { detached: true, env: environment, cwd: '/', stdio: ['ignore', log, log] });
  closeSync(log);
  const broken = (what: unknown): void => {
    console.error(`${name} ended: ${what}; its log is ${node.logs}/${name}.log`);
    process.exit(1);
  };
  child.once('error', broken);
  child.once('exit', (code, signal) => broken(code ?? signal));
  note(`started ${name}`);
}

/** All archives side by side, and not through the transfer service: the fastest that `ctr` can. */
async function importImages(): Promise<void> {
  const ctr = [join(node.bin, 'ctr'), '--address', node.containerdSocket, '--namespace', 'k8s.io', 'images', 'import', '--local'];
  await Promise.all((plan.first?.archives ?? []).map((archive) => run([...ctr, archive])));
  note('images imported');
}

async function untilPodRange(api: Api): Promise<void> {
  await new Promise<void>((resolve) => {
    api.watch(`/api/v1/nodes?fieldSelector=metadata.name%3D${plan.nodeName}`, (object) => {
      if ((object as { spec: { podCIDR?: string } }).spec.podCIDR !== undefined) resolve();
    });
  });
  note('node has its pod range');
}

/** flanneld's file is complete when its last line is there. */
async function untilSubnet(): Promise<void> {
  await every20ms(async () => (await readFileIfExists(node.flannelSubnet))?.includes('FLANNEL_IPMASQ=') ?? false);
  note('flannel has its subnet');
}

async function writeConflist(): Promise<void> {
  await writeFile(`${node.cniConfig}.tmp`, plan.conflist);
  await rename(`${node.cniConfig}.tmp`, node.cniConfig);
  note('CNI configured');
}

/** Until it succeeds: a namespace or a role may come a moment after /readyz. */
async function applyManifests(): Promise<void> {
  if (plan.first === undefined) return;
  const kubectl = [join(node.bin, 'kubectl'), `--kubeconfig=${node.adminKubeconfig}`, 'apply', '--server-side'];
  const { manifests } = plan.first;
  await every20ms(async () => {
    await run([...kubectl, ...manifests.flatMap((file) => ['-f', file])]);
    return true;
  });
  note('manifests applied');
}

async function run([file = '', ...args]: readonly string[]): Promise<void> {
  const child = spawn(file, args, { env: environment, stdio: ['ignore', 'ignore', 'inherit'] });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  child.once('error', reject);
  child.once('close', (code) => (code === 0 ? resolve() : reject(new Error(`${file} ${args.join(' ')}: exit code ${code}`))));
  await promise;
}

function note(label: string): void {
  console.log(JSON.stringify({ at: Date.now(), label }));
}
