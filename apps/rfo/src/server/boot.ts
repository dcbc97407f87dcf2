import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Clock, type Life, type Log, systemClock } from '@rfo/foundation';
import { createKubeClient, type KubeClient, loadKubeconfig } from '@rfo/kube';
import { rotateLogs, stopUnlisted, waitForTcp } from '@rfo/process';
import type { ServerConfig } from '@rfo/schema';
import { addonsComponent } from '../addons/component.ts';
import { agentComponents, agentNotices } from '../agent/components.ts';
import { agentPorts } from '../agent/inputs.ts';
import { tunnelsComponent } from '../agent/tunnels.ts';
import { expirationMetric } from '../certificates/report.ts';
import { type Component, released, type TaskComponent } from '../component/component.ts';
import { type Manager, startComponents } from '../component/manager.ts';
import { prepareMember } from '../etcd-cluster/prepare-member.ts';
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
import { fieldManager, nodeControllerRights, serverNodeLabels } from './cluster-objects.ts';
import { clusterTasks, ownEtcd } from './cluster-tasks.ts';
import { controlPlaneComponents } from './components.ts';
import { linkBundle, lockDataDirectory, writeDataVersion } from './data-directory.ts';
import { ensureEncryptionConfig } from './encryption-config.ts';
import { endMoved } from './end-moved.ts';
import { type ServerInputs, serverPorts } from './inputs.ts';
import { askServer, membersClient, takeClusterFiles } from './join.ts';
import { controlPlaneKubeconfig, writeAdminKubeconfig, writeKubeconfigs } from './kubeconfigs.ts';
import { type Findings, lookBeforeTouching } from './look.ts';
import { metricsPage } from './metrics.ts';
import { nodeReady, nodeRegistered } from './node-state.ts';
import { releaseLease } from './release-lease.ts';

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
  readonly ready: Promise<void>;
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
  for (const notice of agentNotices({ config, host })) log.info(notice);

  await lockDataDirectory(paths, life);
  await takeClusterFiles({ inputs, kubernetes: version.kubernetes, signal, log, clock });
  const firstStart = !existsSync(paths.server.etcd);
  const prepared = config['disable-agent'] ? undefined : prepareHost(hostSetup(findings, log));
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
  const asking = { inputs, clock };
  const member = await prepareMember({ ...inputs, join: membersClient(asking), ask: askServer(asking), life, cancelled, log, clock });

  const client = createKubeClient(await loadKubeconfig(controlPlaneKubeconfig(paths, 'supervisor')));
  life.defer(() => client.close());
  const etcd = ownEtcd(paths);
  life.defer(() => etcd.close());
  const access = life.child();
  const cluster = await openCluster({ inputs, client, etcd, findings, env, life: access, log, clock });
  let etcdIsBusy = (): boolean => false;
  const joinTask = member.joinTask(etcd, () => void manager.restart('etcd').catch(() => undefined));
  const components = [
    ...controlPlaneComponents(inputs, {
      releaseLease: (name, leaseSignal) => releaseLease({ client, name, nodeName, signal: leaseSignal }),
      membership: member.membership,
      etcdIsBusy: () => etcdIsBusy(),
    }),
    ...(joinTask === undefined ? [] : [joinTask]),
    apiPortComponent(),
    rightsComponent(client),
    ...vipParts(findings, client, () => manager.stateOf('kube-apiserver') === 'ready'),
    addonsComponent({ client, inputs, bundle: bundle.dir }),
    ...clusterTasks({
      ...{ inputs, client, etcd, clock, ...cluster },
      restartEtcd: async () => void (await manager.reconcile('etcd')),
      allReady: () => manager.allReady(),
      onSpaceCare: (busy) => {
        etcdIsBusy = busy;
      },
    }),
    ...(prepared === undefined
      ? []
      : await agentParts({ findings, firstStart, client, cluster, resolvConf: (await prepared).resolvConf, log })),
  ];
  const stale = mustRestart(certificates.certificates);
  if (stale.size > 0) await stopUnlisted({ folder: paths.processRecords, names: without(components, stale), log });
  if (findings.moved) await endMoved(paths, log);
  const manager: Manager = startComponents({ components, life, log, clock, processRecords: paths.processRecords });
  void manager.whenReady('kube-apiserver').then(cluster.apiServes, () => undefined);

  const metrics = metricsPage(config, () => [expirationMetric(care.reports()), cluster.tunnels.metric()]);
  const supervisor = await cluster.listen({ ready: () => manager.stateOf('kube-apiserver') === 'ready', metrics });
  const renewOwn = async (): Promise<void> => {
    await Promise.all([writeAdminKubeconfig(inputs), supervisor.reloadCertificate()]);
  };
  const care = careForCertificates({ server: inputs, ensure, first: certificates, manager, client, life, clock, log, renewOwn });
  const outdated = untilMoved({ started: host, look: () => lookForAddress(findings.address), life: access, log });
  rotateLogs({ files: () => components.map(({ name }) => join(paths.logs, `${name}.log`)), life, log });
  return { inputs, manager, ready: manager.allReady(), leave: () => access.end(), outdated: Promise.race([outdated, member.removed]) };
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
  /** Nothing of a cluster is on the disk yet. */
  readonly firstStart: boolean;
  readonly client: KubeClient;
  readonly cluster: Pick<Cluster, 'serverList'>;
  readonly resolvConf: string;
  readonly log: Log;
}): Promise<Component[]> {
  const { client, cluster, log, resolvConf } = input;
  const { config, nodeName, paths } = input.findings.inputs;
  const agent = serverAgentInputs(input.findings, resolvConf);
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
      balancers: [],
    }),
    ...agentComponents(agent, {
      // A first kubelet has nothing to do until the controller-manager knows it: it would only take the processor from the API server.
      listening: [input.firstStart ? 'kube-apiserver' : 'api-port'],
      api: ['rights'],
      nodeRegistered: (signal, mustExist) => nodeRegistered({ client, nodeName, signal, mustExist, log }),
    }),
    nodeComponent(client, nodeName, config.cni === 'none'),
  ];
}

/**
 * Ready as soon as the API server accepts connections, a second and a half before it calls itself ready: kubelet, which needs no more than
 * the node authorizer, is up by then.
 */
function apiPortComponent(): TaskComponent {
  return {
    kind: 'task',
    name: 'api-port',
    needs: ['etcd'],
    run: ({ life, note }) => waitForTcp({ host: '127.0.0.1', port: serverPorts.apiserver }, { signal: life.signal, note }),
  };
}

/** What flannel and the node's own controllers may do; asked for before they start. */
function rightsComponent(client: KubeClient): TaskComponent {
  return {
    kind: 'task',
    name: 'rights',
    needs: ['api-port'],
    run: async ({ life }) => {
      const options = { fieldManager, force: true, signal: life.signal };
      await Promise.all(nodeControllerRights().map((object) => client.apply(object, options)));
    },
  };
}

/** The node as users see it: its roles, and Ready. With a network of the user's own, Ready is his to bring about. */
function nodeComponent(client: KubeClient, nodeName: string, foreignNetwork: boolean): TaskComponent {
  return {
    kind: 'task',
    name: 'node',
    needs: ['kubelet'],
    run: async ({ life, log, note }) => {
      await client.apply(serverNodeLabels(nodeName), { fieldManager, force: true, signal: life.signal });
      note(`node ${nodeName} is not Ready yet`);
      if (!foreignNetwork) await nodeReady({ client, nodeName, signal: life.signal, log });
    },
  };
}

function without(components: readonly Component[], stale: ReadonlySet<string>): ReadonlySet<string> {
  return new Set(components.map(({ name }) => name).filter((name) => !stale.has(name)));
}
