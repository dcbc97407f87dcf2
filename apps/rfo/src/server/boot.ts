import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Clock, type Life, type Log, systemClock } from '@rfo/foundation';
import { createKubeClient, type KubeClient, loadKubeconfig } from '@rfo/kube';
import { rotateLogs, stopUnlisted } from '@rfo/process';
import type { ServerConfig } from '@rfo/schema';
import { addonsComponent } from '../addons/component.ts';
import { agentComponents, agentNotices } from '../agent/components.ts';
import { agentPorts } from '../agent/inputs.ts';
import { tunnelsComponent } from '../agent/tunnels.ts';
import { expirationMetric } from '../certificates/report.ts';
import { type Component, released } from '../component/component.ts';
import { type Manager, startComponents } from '../component/manager.ts';
import { lookForAddress } from '../host/facts.ts';
import { protectsKernelDefaults } from '../host/kernel-settings.ts';
import { keepAddress } from '../host/known-address.ts';
import { keepNodeId } from '../host/node-id.ts';
import { prepareHost } from '../host/setup.ts';
import { untilMoved, whenAddressed } from '../host/watch-address.ts';
import { ensureTokens } from '../tokens/ensure-tokens.ts';
import { vipComponent } from '../vip/component.ts';
import { serverAgentInputs } from './agent-inputs.ts';
import { careForCertificates, certificateEnsurer, mustRestart } from './certificate-care.ts';
import { type Cluster, openCluster } from './cluster.ts';
import { clusterTasks } from './cluster-tasks.ts';
import { controlPlaneComponents } from './components.ts';
import { linkBundle, lockDataDirectory, writeDataVersion } from './data-directory.ts';
import { ensureEncryptionConfig } from './encryption-config.ts';
import { endMoved } from './end-moved.ts';
import { takeEtcdRole } from './etcd-role.ts';
import { firstPodRange, givePodRange } from './first-pod-range.ts';
import { type ServerInputs, serverPorts } from './inputs.ts';
import { takeClusterFiles } from './join.ts';
import { controlPlaneKubeconfig, writeAdminKubeconfig, writeKubeconfigs } from './kubeconfigs.ts';
import { type Findings, lookBeforeTouching } from './look.ts';
import { metricsPage } from './metrics.ts';
import { nodeRegistered } from './node-state.ts';
import { apiPortComponent, nodeComponent, rightsComponent } from './node-tasks.ts';
import { releaseLease } from './release-lease.ts';
import { type RemoteApi, reachApi, untilReady } from './remote-api.ts';
import { managerComponents } from './rfo-manager.ts';
import { apiPart, type Roles, roleNotices, rolesOf } from './roles.ts';

export type BootOptions = {
  readonly config: ServerConfig;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly life: Life;
  /** Ends the waiting for servers to join, which has no other end. */
  readonly cancelled: AbortSignal;
  readonly log: Log;
  readonly clock?: Clock;
};

export type RunningServer = {
  readonly inputs: ServerInputs;
  readonly manager: Manager;
  /** As the supervisor. */
  readonly client: KubeClient;
  /** Resolves, with what is to be said of it, when all that can be ready is. */
  readonly ready: Promise<string>;
  /** Takes leave of the cluster before the components are stopped: port 9345 is closed, and nothing is watched any more. */
  readonly leave: () => Promise<void>;
  /**
   * Resolves with what has changed, once this host has another address than the one that everything was started with. Rejects with
   * etcd-member-removed when this server was removed from its cluster.
   */
  readonly outdated: Promise<string>;
};

/**
 * Starts a server node. Read it from top to bottom: this is the order in which things happen, and the only place that knows every part.
 * Resolves when everything is on its way; `ready` when the node is Ready and its add-ons are applied.
 */
export async function bootServer(options: BootOptions): Promise<RunningServer> {
  const { config, env, life, cancelled, log, clock = systemClock } = options;
  const signal = AbortSignal.any([life.signal, cancelled]);
  const findings = await whenAddressed(() => lookBeforeTouching(config, { env, log }), { life, signal, log });
  const { inputs, bundle, host, version } = findings;
  const { paths, nodeName } = inputs;
  const roles = rolesOf(config);
  for (const { level, text } of roleNotices(config)) log[level](text);
  for (const notice of roles.agent ? agentNotices({ config, host }) : []) log.info(notice);

  await lockDataDirectory(paths, life);
  const firstStart = ![paths.server.etcd, paths.server.etcdMembers].some(existsSync);
  await takeClusterFiles({ inputs, kubernetes: version.kubernetes, signal, log, clock });
  const prepared = roles.agent ? prepareHost(hostSetup(findings, log)) : undefined;
  // Awaited below; a refusal in between must not count as unhandled.
  prepared?.catch(() => undefined);
  const ensure = certificateEnsurer({ server: inputs, nodeIps: host.nodeIps, clock, env });
  const certificates = await ensure();
  await Promise.all([
    writeDataVersion(paths, version),
    linkBundle(paths, bundle.dir),
    ensureTokens({ config, paths, log }),
    ensureEncryptionConfig(paths.server.encryptionConfig, config['secrets-encryption-provider']),
    writeKubeconfigs(inputs),
    writeAdminKubeconfig(inputs),
    keepNodeId(paths.nodeId, findings.nodeId),
    keepAddress(paths, findings.address.known),
  ]);
  const etcd = await takeEtcdRole({ inputs, life, cancelled, log, clock });

  const client = createKubeClient(await loadKubeconfig(controlPlaneKubeconfig(paths, 'supervisor')));
  life.defer(() => client.close());
  const access = life.child();
  const etcdServing = Promise.withResolvers<void>();
  const remoteApi = await reachApi({ inputs, etcd: etcd.own, etcdServes: etcdServing.promise, access, life, log });
  const { members } = etcd;
  const cluster = await openCluster({ inputs, client, members, serverList: remoteApi?.servers, findings, env, life: access, log, clock });
  let etcdIsBusy = (): boolean => false;
  const components = [
    ...controlPlaneComponents(inputs, {
      releaseLease: (name, leaseSignal) => releaseLease({ client, name, nodeName, signal: leaseSignal }),
      membership: etcd.membership,
      etcdIsBusy: () => etcdIsBusy(),
    }),
    ...etcd.components({
      nodes: cluster.nodes.informer,
      restartEtcd: () => void manager.restart('etcd').catch(() => undefined),
    }),
    ...(remoteApi === undefined
      ? [
          ...[apiPortComponent(roles), rightsComponent(client), addonsComponent({ client, inputs, bundle: bundle.dir })],
          ...vipParts(findings, client, () => manager.stateOf('kube-apiserver') === 'ready'),
        ]
      : [remoteApi.component]),
    ...clusterTasks({
      ...{ inputs, client, etcd: etcd.own, clock, ...cluster },
      restartEtcd: async () => void (await manager.reconcile('etcd')),
      spare: () => spareTime(manager),
      onSpaceCare: (busy) => {
        etcdIsBusy = busy;
      },
    }),
    ...managerComponents(inputs),
    ...(prepared === undefined
      ? []
      : await agentParts({ findings, roles, firstStart, client, cluster, remoteApi, resolvConf: (await prepared).resolvConf, log, clock })),
  ];
  const stale = mustRestart(certificates.certificates);
  if (stale.size > 0) await stopUnlisted({ folder: paths.processRecords, names: without(components, stale), log });
  if (findings.moved) await endMoved(paths, log);
  const manager: Manager = startComponents({ components, life, log, clock, processRecords: paths.processRecords });
  void manager.whenReady(apiPart(roles)).then(cluster.apiServes, () => undefined);
  if (roles.etcd) void manager.whenReady('etcd').then(etcdServing.resolve, () => undefined);

  const metrics = metricsPage(config, () => [expirationMetric(care.reports()), cluster.tunnels.metric()]);
  const serves = (part: string) => (): boolean => manager.stateOf(part) === 'ready';
  // Without an API server of its own it has etcd, and with that what other servers need to join.
  const ready = serves(roles.apiserver ? 'kube-apiserver' : 'etcd');
  const supervisor = await cluster.listen({ ready, apiServes: serves(apiPart(roles)), metrics });
  const renewOwn = async (): Promise<void> => {
    await Promise.all([writeAdminKubeconfig(inputs), supervisor.reloadCertificate()]);
  };
  const care = careForCertificates({ server: inputs, ensure, first: certificates, manager, client, life, clock, log, renewOwn });
  const outdated = untilMoved({ started: host, look: () => lookForAddress(findings.address), life: access, log });
  rotateLogs({ files: () => components.map(({ name }) => join(paths.logs, `${name}.log`)), life, log });
  return {
    ...{ inputs, manager, client, ready: untilReady({ manager, remoteApi, log }), leave: () => access.end() },
    outdated: Promise.race([outdated, etcd.removed]),
  };
}

function hostSetup({ inputs, host }: Findings, log: Log): Parameters<typeof prepareHost>[0] {
  const { config, paths } = inputs;
  return {
    ...{ paths, nodeIp: host.nodeIp, log },
    protectKernelDefaults: protectsKernelDefaults(config),
    resolvConf: config['resolv-conf'],
  };
}

/** The virtual IP, where there is to be one. */
function vipParts({ inputs, host }: Findings, client: KubeClient, apiReady: () => boolean): Component[] {
  const { config, nodeName, paths } = inputs;
  if (config.vip === undefined) return [];
  const address = { ip: config.vip, iface: config['vip-interface'] ?? host.iface };
  const component = vipComponent({
    client,
    nodeName,
    recordFile: paths.vipRecord,
    address,
    apiReady,
    released: (reason) => reason === released,
  });
  return [component];
}

async function agentParts(input: {
  readonly findings: Findings;
  readonly roles: Roles;
  /** Nothing of a cluster is on the disk yet. */
  readonly firstStart: boolean;
  readonly client: KubeClient;
  readonly cluster: Pick<Cluster, 'serverList'>;
  readonly remoteApi: RemoteApi | undefined;
  readonly resolvConf: string;
  readonly log: Log;
  readonly clock: Clock;
}): Promise<Component[]> {
  const { client, cluster, remoteApi, roles, log, clock, resolvConf } = input;
  const { config, nodeName, paths } = input.findings.inputs;
  const agent = serverAgentInputs(input.findings, resolvConf);
  const range = input.firstStart ? firstPodRange(config, roles) : undefined;
  const tls = (name: string): string => join(paths.server.tls, name);
  return [
    // To the other servers, as each reaches every node by its tunnel.
    tunnelsComponent({
      ...{ nodeName, nodeIps: agent.nodeIps, servers: cluster.serverList, client },
      kubeletPort: agentPorts.kubelet,
      mode: config['egress-selector-mode'],
      clusterCidr: config['cluster-cidr'],
      port: serverPorts.supervisor,
      files: { ca: tls('server-ca.crt'), cert: tls('client-kubelet.crt'), key: tls('client-kubelet.key') },
      balancers: remoteApi === undefined ? [] : [{ port: serverPorts.apiserver, balancer: remoteApi.balancer }],
    }),
    ...agentComponents(agent, {
      // A first kubelet only takes the processor from the API server until that answers.
      listening: [remoteApi !== undefined ? apiPart(roles) : input.firstStart ? 'rights' : 'api-port'],
      api: [remoteApi === undefined ? 'rights' : apiPart(roles)],
      // Its rights are the API server's own to make, which a new cluster has when that is ready.
      services: [remoteApi === undefined && !input.firstStart ? 'rights' : apiPart(roles)],
      nodeRegistered: (signal, mustExist) =>
        nodeRegistered({
          ...{ client, nodeName, signal, mustExist, log },
          rangeless: range === undefined ? undefined : () => givePodRange({ client, nodeName, range, signal, log }),
        }),
    }),
    nodeComponent({ client, nodeName, roles, foreignNetwork: config.cni === 'none', clock }),
  ];
}

/** On a node, while flannel waits for its second: afterwards the first pods start. */
async function spareTime(manager: Manager): Promise<void> {
  if (!manager.has('kube-proxy')) return manager.allReady();
  // One that fails is no reason to put off for good what waits for it.
  await manager.whenReady('kube-proxy').catch(() => undefined);
}

function without(components: readonly Component[], stale: ReadonlySet<string>): ReadonlySet<string> {
  return new Set(components.map(({ name }) => name).filter((name) => !stale.has(name)));
}
