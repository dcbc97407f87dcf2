import { join } from 'node:path';
import { type Clock, type Life, type Log, systemClock } from '@rfo/foundation';
import { createKubeClient, type KubeClient, loadKubeconfig } from '@rfo/kube';
import { rotateLogs, stopUnlisted } from '@rfo/process';
import { type LoadBalancer, startLoadBalancer } from '@rfo/proxy';
import { type AgentConfig, addressOf, nodeConfigOf } from '@rfo/schema';
import type { RunningNode } from '../commands/run-node.ts';
import type { Component, TaskComponent } from '../component/component.ts';
import { type Manager, startComponents } from '../component/manager.ts';
import { lookForAddress } from '../host/facts.ts';
import { protectsKernelDefaults } from '../host/kernel-settings.ts';
import { keepAddress } from '../host/known-address.ts';
import { keepNodeId } from '../host/node-id.ts';
import { prepareHost } from '../host/setup.ts';
import { untilMoved, whenAddressed } from '../host/watch-address.ts';
import { careForNodeCertificates } from '../join/care-for-node-certificates.ts';
import { nodeKubeconfig, writeNodeKubeconfigs } from '../join/node-kubeconfigs.ts';
import { ensureNodePassword } from '../join/node-password.ts';
import type { Paths } from '../paths.ts';
import { mustRestart } from '../server/certificate-care.ts';
import { linkBundle, lockDataDirectory, writeDataVersion } from '../server/data-directory.ts';
import { serverPorts } from '../server/inputs.ts';
import { nodeReady, nodeRegistered } from '../server/node-state.ts';
import { agentComponents, agentNotices } from './components.ts';
import { type AgentInputs, agentPorts } from './inputs.ts';
import { type AgentJoin, type Joined, joinAsAgent, reconnect, rememberServers } from './join.ts';
import { type AgentFindings, lookAtAgentHost } from './look.ts';
import { reporters } from './server-health.ts';
import { createServerList } from './server-list.ts';
import { systemImage } from './system-image.ts';
import type { ServerList } from './track-servers.ts';
import { tunnelsComponent } from './tunnels.ts';
import { watchApiServers } from './watch-api-servers.ts';

export type AgentBootOptions = {
  readonly config: AgentConfig;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly life: Life;
  /** Ends the waiting for servers, which has no other end. */
  readonly cancelled: AbortSignal;
  readonly log: Log;
  readonly clock?: Clock;
};

/**
 * Starts a node without a control plane. Read it from top to bottom: this is the order in which things happen, and the only place that knows
 * every part of an agent. Resolves when everything is on its way; `ready` when the node is Ready.
 */
export async function bootAgent(options: AgentBootOptions): Promise<RunningNode> {
  const { config, env, life, cancelled, log, clock = systemClock } = options;
  const signal = AbortSignal.any([life.signal, cancelled]);
  const findings = await whenAddressed(() => lookAtAgentHost(config, { env, log }), { life, signal, log });
  const { paths, host, bundle, version } = findings;

  await lockDataDirectory(paths, life);
  await Promise.all([
    writeDataVersion(paths, version),
    linkBundle(paths, bundle.dir),
    keepNodeId(paths.nodeId, findings.nodeId),
    keepAddress(paths, findings.address.known),
  ]);
  const nodeIps = [...host.nodeIps, ...config['node-external-ip']];
  const agentJoin: AgentJoin = {
    ...{ config, paths, nodeName: host.nodeName, nodeIps, log, clock },
    nodePassword: await ensureNodePassword(paths),
    kubernetes: version.kubernetes,
    signal,
  };
  const joined = await joinAsAgent(agentJoin);
  log.info(joined.alone ? 'goes on without its servers' : 'has joined', { node: host.nodeName, servers: joined.servers.join(', ') });

  const nodeConfig = nodeConfigOf(config, joined.settings);
  for (const notice of agentNotices({ config: nodeConfig, host })) log.info(notice);
  const { resolvConf } = await prepareHost({
    paths,
    nodeIp: host.nodeIp,
    protectKernelDefaults: protectsKernelDefaults(config),
    resolvConf: config['resolv-conf'],
    log,
  });
  const balancers = await startLoadBalancers(config, joined, { life, log });
  await writeNodeKubeconfigs(paths, config['lb-server-port']);
  const client = createKubeClient(await loadKubeconfig(nodeKubeconfig(paths, 'rfo-controller')));
  life.defer(() => client.close());

  const access = life.child();
  const servers = createServerList({ client, initial: joined.servers, life: access, log });
  servers.onChange((hosts) => {
    for (const { port, balancer } of Object.values(balancers)) balancer.setServers(hosts.map((server) => `${server}:${port}`));
    rememberServers(paths, hosts).catch((error: unknown) => log.warn('the list of servers cannot be kept for the next start', { error }));
  });
  watchApiServers({
    ...{ balancer: balancers.api.balancer, report: balancers.api.reporter() },
    ...{ files: nodeCredentials(paths), life: access, log: log.part('api-balancer') },
  });
  const inputs = agentInputs({ findings, config: nodeConfig, joined, resolvConf });
  const components = agentParts({ inputs, client, servers, balancers, log });
  const stale = mustRestart(joined.certificates.certificates);
  if (stale.size > 0) {
    const kept = new Set(components.map(({ name }) => name).filter((name) => !stale.has(name)));
    await stopUnlisted({ folder: paths.processRecords, names: kept, log });
  }
  const manager = startComponents({ components, life, log, clock, processRecords: paths.processRecords });
  careForCertificates({ agentJoin, joined, servers, manager, life });
  rotateLogs({ files: () => components.map(({ name }) => join(paths.logs, `${name}.log`)), life, log });
  return {
    ...{ paths, manager },
    ready: manager.allReady().then(() => 'the node is ready'),
    announce: async (write) => void write(`Node ${host.nodeName} is ready.\n`),
    leave: () => access.end(),
    outdated: untilMoved({ started: host, look: () => lookForAddress(findings.address), life: access, log }),
  };
}

type Balancer = {
  readonly port: number;
  readonly balancer: LoadBalancer;
  /** For one more who watches its servers. */
  readonly reporter: () => LoadBalancer['report'];
};
type Balancers = { readonly supervisor: Balancer; readonly api: Balancer };

/** The local ports behind which a living server always is: its supervisor, and below it an API server. */
async function startLoadBalancers(
  config: AgentConfig,
  { servers }: Joined,
  { life, log }: { readonly life: Life; readonly log: Log },
): Promise<Balancers> {
  const lbPort = config['lb-server-port'];
  const start = async (name: string, listen: number, port: number): Promise<Balancer> => {
    const balancer = await startLoadBalancer({
      listen: { host: '127.0.0.1', port: listen },
      servers: servers.map((server) => `${server}:${port}`),
      life,
      log: log.part(name),
    });
    return { port, balancer, reporter: reporters(balancer) };
  };
  const [supervisor, api] = await Promise.all([
    start('supervisor-balancer', lbPort, serverPorts.supervisor),
    start('api-balancer', lbPort - 1, serverPorts.apiserver),
  ]);
  return { supervisor, api };
}

function agentInputs(given: {
  readonly findings: AgentFindings;
  readonly config: AgentInputs['config'];
  readonly joined: Joined;
  readonly resolvConf: string;
}): AgentInputs {
  const { findings, config, joined, resolvConf } = given;
  const { paths, host, bundle } = findings;
  const tls = (name: string): string => join(paths.agent.tls, name);
  return {
    ...{ config, paths, host, resolvConf },
    nodeName: host.nodeName,
    nodeIps: host.nodeIps,
    clusterDns: [joined.settings['cluster-dns'] ?? addressOf(joined.settings['service-cidr'], 10)],
    kubeconfigs: {
      kubelet: nodeKubeconfig(paths, 'kubelet'),
      kubeProxy: nodeKubeconfig(paths, 'kube-proxy'),
      flannel: nodeKubeconfig(paths, 'rfo-controller'),
    },
    certs: { clientCa: tls('client-ca.crt'), servingKubeletCrt: tls('serving-kubelet.crt'), servingKubeletKey: tls('serving-kubelet.key') },
    images: { pause: systemImage(bundle.pauseImage, config['system-default-registry']) },
  };
}

function agentParts(given: {
  readonly inputs: AgentInputs;
  readonly client: KubeClient;
  readonly servers: ServerList;
  readonly balancers: Balancers;
  readonly log: Log;
}): readonly Component[] {
  const { inputs, client, servers, balancers, log } = given;
  const { config, paths, nodeName, nodeIps } = inputs;
  return [
    tunnelsComponent({
      ...{ nodeName, nodeIps, servers, client },
      balancers: Object.values(balancers).map(({ port, balancer, reporter }) => ({
        port,
        balancer: { active: balancer.active, report: reporter() },
      })),
      kubeletPort: agentPorts.kubelet,
      mode: config['egress-selector-mode'],
      clusterCidr: config['cluster-cidr'],
      port: serverPorts.supervisor,
      files: nodeCredentials(paths),
    }),
    ...agentComponents(inputs, {
      listening: [],
      api: [],
      services: [],
      nodeRegistered: (signal, mustExist) => nodeRegistered({ client, nodeName, signal, mustExist, log }),
    }),
    ...(config.cni === 'none' ? [] : [readyComponent(client, nodeName)]),
  ];
}

/** Files of what the node shows to servers, and of the CA that it knows them by. */
function nodeCredentials(paths: Paths): { readonly ca: string; readonly cert: string; readonly key: string } {
  const tls = (name: string): string => join(paths.agent.tls, name);
  return { ca: tls('server-ca.crt'), cert: tls('client-kubelet.crt'), key: tls('client-kubelet.key') };
}

/** The node as users see it: Ready. With a network of the user's own that is his to bring about. */
function readyComponent(client: KubeClient, nodeName: string): TaskComponent {
  return {
    kind: 'task',
    name: 'node',
    needs: ['kubelet'],
    run: async ({ life, log, note }) => {
      note(`node ${nodeName} is not Ready yet`);
      await nodeReady({ client, nodeName, signal: life.signal, log });
    },
  };
}

function careForCertificates(given: {
  readonly agentJoin: AgentJoin;
  readonly joined: Joined;
  readonly servers: ServerList;
  readonly manager: Manager;
  readonly life: Life;
}): void {
  const { agentJoin, joined, servers, manager, life } = given;
  const { config, paths, nodeName, nodeIps, nodePassword, log, clock } = agentJoin;
  careForNodeCertificates({
    ...{ paths, nodeName, nodePassword, life, clock, log },
    first: joined.certificates,
    startedAlone: joined.alone,
    nodeIps: () => nodeIps,
    renewal: config['certificate-renewal-ratio'],
    connect: () => reconnect(agentJoin, servers.current(), life.signal),
    onRenewed: async (items) => {
      for (const component of mustRestart(items)) if (manager.has(component)) await manager.restart(component);
    },
  });
}
