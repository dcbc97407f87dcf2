/** Whether the ports of a node are free, or held by components of this very node, which the start adopts. */
import { readFileIfExists } from '@rfo/foundation';
import { listRecords } from '@rfo/process';
import type { AgentConfig, NodeConfig, ServerConfig } from '@rfo/schema';
import { agentPorts } from '../../agent/inputs.ts';
import { livingOwner } from '../../server/data-directory.ts';
import { serverPorts } from '../../server/inputs.ts';
import { rolesOf } from '../../server/roles.ts';
import { type Check, type CheckInputs, type Finding, failed, type NeededPort, ok } from './finding.ts';
import { holderOf, type Listener, listListeners } from './listeners.ts';

/** The TCP ports that a server with this configuration listens on. */
export function serverPortsOf(config: ServerConfig): NeededPort[] {
  const { etcd, apiserver, controllerManager, scheduler, agent } = rolesOf(config);
  return [
    ...when(true, 'supervisor', serverPorts.supervisor),
    ...when(true, apiserver ? 'kube-apiserver' : 'load balancer', serverPorts.apiserver),
    ...when(true, etcd ? 'etcd' : 'load balancer', serverPorts.etcdClient),
    ...when(etcd, 'etcd', serverPorts.etcdPeer, serverPorts.etcdMetrics, serverPorts.etcdHttp),
    ...when(controllerManager, 'kube-controller-manager', serverPorts.controllerManager),
    ...when(scheduler, 'kube-scheduler', serverPorts.scheduler),
    ...when(apiserver && config['authorized-endpoint'], 'authorized-endpoint', serverPorts.tokenReviews),
    ...when(config.manager, 'rfo-manager', serverPorts.managerReplicas),
    ...(config.manager ? [{ port: config['manager-https-port'], use: 'rfo-manager', option: 'manager-https-port' }] : []),
    ...(agent ? nodePortsOf(config) : []),
  ];
}

/** The TCP ports that an agent listens on; whether kube-proxy runs is the cluster's to say. */
export function agentPortsOf(config: Pick<AgentConfig, 'lb-server-port'> & Partial<NodeConfig>): NeededPort[] {
  const port = config['lb-server-port'];
  return [...when(true, 'load balancer', port - 1, port), ...nodePortsOf(config)];
}

function nodePortsOf(config: Partial<Pick<NodeConfig, 'disable-kube-proxy'>>): NeededPort[] {
  return [
    ...when(true, 'kubelet', agentPorts.kubelet, agentPorts.kubeletHealth),
    ...when(!config['disable-kube-proxy'], 'kube-proxy', agentPorts.kubeProxyHealth, agentPorts.kubeProxyMetrics),
  ];
}

function when(wanted: boolean, use: string, ...ports: readonly number[]): NeededPort[] {
  return wanted ? ports.map((port) => ({ port, use })) : [];
}

export const checkPorts: Check = async ({ ports: needed, paths }) => {
  const listeners = await listListeners();
  const taken = needed.flatMap((want) => listeners.filter(({ port }) => port === want.port).map((listener) => ({ ...want, listener })));
  if (taken.length === 0) return [ok('ports', needed.map(({ port }) => port).join(', '))];
  const own = new Set([await lockOwner(paths), ...(await listRecords(paths.processRecords)).map(({ record }) => record.identity?.pid)]);
  own.add(await livingOwner(paths.lockFile));
  const findings = await Promise.all(taken.map((each) => describe(each, own)));
  const foreign = findings.filter((finding) => finding !== undefined);
  return foreign.length > 0 ? foreign : [ok('ports', 'held by this node itself')];
};

async function describe(taken: NeededPort & { listener: Listener }, own: ReadonlySet<number | undefined>): Promise<Finding | undefined> {
  const holder = await holderOf(taken.listener.inode);
  if (holder !== undefined && (own.has(holder.pid) || holder.pid === process.pid)) return undefined;
  const who = holder === undefined ? 'a process that cannot be seen from here' : `${holder.name} (pid ${holder.pid})`;
  const other = taken.option === undefined ? '' : `, or give another port as ${taken.option}`;
  return failed(
    'ports',
    `port ${taken.port}, which ${taken.use} needs, is taken by ${who} on ${taken.listener.address}`,
    `End ${who}${other}`,
  );
}

/** The rfo that runs on this data directory: it holds the supervisor's port. */
async function lockOwner({ lockFile }: Pick<CheckInputs['paths'], 'lockFile'>): Promise<number | undefined> {
  const text = await readFileIfExists(lockFile);
  return text === undefined ? undefined : (JSON.parse(text) as { pid: number }).pid;
}
