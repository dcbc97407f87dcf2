/** For tests: what a server does with a configuration, view by view, without starting anything. All of it lies in one temporary folder. */
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Life, silentLog } from '@rfo/foundation';
import type { ServerConfig } from '@rfo/schema';
import { disabledManifests, manifestVariables } from '../addons/component.ts';
import { agentComponents } from '../agent/components.ts';
import { renderContainerdConfig } from '../agent/containerd-config.ts';
import { flannelArguments, renderFlannelNetConf } from '../agent/flannel.ts';
import { kubeProxyArguments } from '../agent/kube-proxy-config.ts';
import { kubeletArguments, renderKubeletConfig } from '../agent/kubelet-config.ts';
import { registriesComponent } from '../agent/registries-component.ts';
import { testInputs } from '../agent/test-inputs.ts';
import { certificateNames } from '../certificates/table.ts';
import { firstMembership } from '../etcd-cluster/membership.ts';
import { serverPortsOf } from '../host/check/ports.ts';
import { detectOptionsOf, nodeNameOf } from '../host/facts.ts';
import { chooseNodeAddress } from '../host/node-address.ts';
import { prepareResolvConf } from '../host/resolv-conf.ts';
import { nodePaths } from '../paths.ts';
import { ensureTokens } from '../tokens/ensure-tokens.ts';
import { serverAgentInputs } from './agent-inputs.ts';
import { certificateEnsurer, certificateInputs } from './certificate-care.ts';
import { type ControlPlaneHooks, controlPlaneComponents } from './components.ts';
import { renderEncryptionConfig } from './encryption-config.ts';
import { etcdArguments } from './etcd.ts';
import type { ServerInputs } from './inputs.ts';
import { kubeApiserverArguments } from './kube-apiserver.ts';
import { kubeControllerManagerArguments } from './kube-controller-manager.ts';
import { kubeSchedulerArguments } from './kube-scheduler.ts';
import { writeAdminKubeconfig } from './kubeconfigs.ts';
import { serverInputs } from './look.ts';
import { metricsPage } from './metrics.ts';
import { managerArguments, managerComponents, managerSettings } from './rfo-manager.ts';

/** Of a node that is alone. */
function hooksOf(server: ServerInputs): ControlPlaneHooks {
  return { releaseLease: async () => undefined, membership: async () => firstMembership(server), etcdIsBusy: () => false };
}

type Node = Awaited<ReturnType<typeof makeNode>>;
type View = (node: Node) => unknown;
export type ViewName = keyof typeof views;

/** The view of a node with this configuration, as plain data. The folder is emptied of what an earlier one has left. */
export async function viewOf(name: ViewName, config: ServerConfig, folder: string): Promise<unknown> {
  const node = await makeNode(config, folder);
  await rm(node.paths.data, { recursive: true, force: true });
  const view: View = views[name];
  return await view(node);
}

const views = {
  'etcd': ({ server }) => etcdArguments(server),
  'kube-apiserver': ({ server }) => kubeApiserverArguments(server),
  'kube-controller-manager': ({ server }) => kubeControllerManagerArguments(server),
  'kube-scheduler': ({ server }) => kubeSchedulerArguments(server),
  'rfo-manager': ({ server }) => [managerSettings(server), managerArguments(server)],
  'kubelet': ({ agent }) => [kubeletArguments(agent), JSON.parse(renderKubeletConfig(agent))],
  'kube-proxy': ({ agent }) => kubeProxyArguments(agent),
  'flannel': ({ agent }) => [flannelArguments(agent), renderFlannelNetConf(agent)],
  'containerd': ({ agent }) => renderContainerdConfig(agent),
  'components': ({ server, agent }) => [
    ...[...controlPlaneComponents(server, hooksOf(server)), ...managerComponents(server)].map(({ name }) => name),
    ...agentComponents(agent, { listening: [], api: [], services: [], nodeRegistered: async () => '10.42.0.0/24' }).map(({ name }) => name),
  ],
  'ports': ({ config }) => serverPortsOf(config),
  'processes': async ({ server }) => {
    const parts = controlPlaneComponents(server, hooksOf(server));
    return await Promise.all(parts.map((part) => part.render()));
  },
  'certificates': ({ server, agent }) => certificateInputs(server, agent.nodeIps),
  'renewal': renewedAtHalfLife,
  'encryption': ({ config }) => renderEncryptionConfig(config['secrets-encryption-provider'], new Uint8Array(32)),
  'kubeconfig': adminKubeconfig,
  'tokens': tokens,
  'manifests': ({ server }) => [disabledManifests(server.config), manifestVariables(server)],
  'registries': registries,
  'metrics': ({ config }) => metricsPage(config, () => [])?.(),
  'resolv-conf': ({ config, paths, host }) =>
    prepareResolvConf({ paths, nodeIp: host.nodeIp, resolvConf: config['resolv-conf'], log: silentLog }),
} as const satisfies Record<string, View>;

/** A node on a host with two addresses, of which eth0 leads into the world. */
async function makeNode(config: ServerConfig, folder: string) {
  const paths = nodePaths({ dataDir: config['data-dir'], runDir: config['run-dir'], etcDir: join(folder, 'etc') });
  const options = await detectOptionsOf({ config, paths });
  const entry = { netmask: '255.255.255.0', family: 'IPv4', mac: '00:00:00:00:00:00', internal: false, cidr: null } as const;
  const interfaces = { eth0: [{ ...entry, address: '192.0.2.11' }], eth1: [{ ...entry, address: '198.51.100.1' }] };
  const address = chooseNodeAddress({ ...options.address, interfaces, route: '' });
  const host = { ...testInputs().host, ...address, nodeName: nodeNameOf(options, 'node-1') };
  const server = serverInputs({ config, paths, host });
  const bundle = { dir: '/bundle', versions: { kubernetes: 'v1.36.3' }, pauseImage: 'rfo.io/pause:3.10.2' };
  return { config, paths, host, server, agent: serverAgentInputs({ inputs: server, host, bundle }, '/etc/resolv.conf') };
}

/** The certificates that are renewed 60 % of a leaf's life after they were made. */
async function renewedAtHalfLife({ server, agent }: Node): Promise<readonly string[]> {
  let now = Date.parse('2026-11-21T10:00:00Z');
  const ensure = certificateEnsurer({ server, nodeIps: agent.nodeIps, clock: { now: () => now }, env: {} });
  await ensure();
  now += 0.6 * 365 * 86_400_000;
  return (await ensure()).certificates.filter(({ action }) => action === 'renewed').map(({ name }) => name);
}

async function adminKubeconfig({ server, config }: Node): Promise<unknown> {
  await writeCertificates(server.paths);
  await rm(config['write-kubeconfig'], { force: true });
  await writeAdminKubeconfig(server);
  const { mode, gid } = await stat(config['write-kubeconfig']);
  return { file: config['write-kubeconfig'], text: await readFile(config['write-kubeconfig'], 'utf8'), mode: mode & 0o777, gid };
}

async function tokens({ config, paths }: Node): Promise<readonly string[]> {
  await writeCertificates(paths);
  await ensureTokens({ config, paths, log: silentLog });
  return await Promise.all([paths.server.token, paths.server.agentToken, paths.server.passwd].map((file) => readFile(file, 'utf8')));
}

async function registries({ agent, paths }: Node): Promise<Record<string, string>> {
  await mkdir(paths.agent.registryHosts, { recursive: true });
  await using life = new Life();
  await registriesComponent(agent).run({ life, log: silentLog, note: () => undefined });
  const files = (await readdir(paths.agent.registryHosts, { recursive: true })).filter((name) => name.endsWith('.toml')).sort();
  const texts = await Promise.all(
    files.map(async (name) => [name, await readFile(join(paths.agent.registryHosts, name), 'utf8')] as const),
  );
  return Object.fromEntries(texts);
}

/** Stand-ins: only that they are there matters here. */
async function writeCertificates(paths: Node['paths']): Promise<void> {
  for (const file of certificateNames.flatMap((name) => [`${name}.crt`, `${name}.key`])) {
    await mkdir(dirname(join(paths.server.tls, file)), { recursive: true });
    await writeFile(join(paths.server.tls, file), file);
  }
}
