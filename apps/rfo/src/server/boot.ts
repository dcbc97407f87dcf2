import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Clock, type Life, type Log, systemClock, writeFileIfChanged } from '@rfo/foundation';
import { createKubeClient, type KubeClient, loadKubeconfig } from '@rfo/kube';
import { rotateLogs, stopUnlisted, waitForTcp } from '@rfo/process';
import type { ServerConfig } from '@rfo/schema';
import { addonsComponent } from '../addons/component.ts';
import { agentComponents, agentNotices } from '../agent/components.ts';
import type { Component, TaskComponent } from '../component/component.ts';
import { type Manager, startComponents } from '../component/manager.ts';
import { protectsKernelDefaults } from '../host/kernel-settings.ts';
import { prepareHost } from '../host/setup.ts';
import { ensureTokens } from '../tokens/ensure-tokens.ts';
import { serverAgentInputs } from './agent-inputs.ts';
import { careForCertificates, certificateEnsurer, mustRestart } from './certificate-care.ts';
import { fieldManager, nodeControllerRights, serverNodeLabels } from './cluster-objects.ts';
import { controlPlaneComponents } from './components.ts';
import { linkBundle, lockDataDirectory, writeDataVersion } from './data-directory.ts';
import { ensureEncryptionConfig } from './encryption-config.ts';
import { type ServerInputs, serverPorts } from './inputs.ts';
import { controlPlaneKubeconfig, writeAdminKubeconfig, writeKubeconfigs } from './kubeconfigs.ts';
import { type Findings, lookBeforeTouching } from './look.ts';
import { metricsPage } from './metrics.ts';
import { nodeReady, nodeRegistered } from './node-state.ts';
import { releaseLease } from './release-lease.ts';
import { startSupervisorApi } from './supervisor-api.ts';

export type BootOptions = {
  readonly config: ServerConfig;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly life: Life;
  readonly log: Log;
  readonly clock?: Clock;
};

export type RunningServer = { readonly inputs: ServerInputs; readonly manager: Manager; readonly ready: Promise<void> };

/**
 * Starts a server node. Read it from top to bottom: this is the order in which things happen, and the only place that knows every part.
 * Resolves when everything is on its way; `ready` when the node is Ready and its add-ons are applied.
 */
export async function bootServer(options: BootOptions): Promise<RunningServer> {
  const { config, env, life, log, clock = systemClock } = options;
  const findings = await lookBeforeTouching(config, { env, log });
  const { inputs, bundle, host, version } = findings;
  const { paths, nodeName } = inputs;
  for (const notice of agentNotices({ config, host })) log.info(notice);

  await lockDataDirectory(paths, life);
  const firstStart = !existsSync(paths.server.etcd);
  const prepared = config['disable-agent']
    ? undefined
    : prepareHost({
        paths,
        nodeIp: host.nodeIp,
        protectKernelDefaults: protectsKernelDefaults(config),
        resolvConf: config['resolv-conf'],
        log,
      });
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
    keepNodeId(findings),
  ]);

  const client = createKubeClient(await loadKubeconfig(controlPlaneKubeconfig(paths, 'supervisor')));
  life.defer(() => client.close());
  const components = [
    ...controlPlaneComponents(inputs, { releaseLease: (name, signal) => releaseLease({ client, name, nodeName, signal }) }),
    apiPortComponent(),
    rightsComponent(client),
    addonsComponent({ client, inputs, bundle: bundle.dir }),
    ...(prepared === undefined ? [] : await agentParts({ findings, firstStart, client, resolvConf: (await prepared).resolvConf, log })),
  ];
  const stale = mustRestart(certificates.certificates);
  if (stale.size > 0) await stopUnlisted({ folder: paths.processRecords, names: without(components, stale), log });
  const manager = startComponents({ components, life, log, clock, processRecords: paths.processRecords });

  const isReady = (): boolean => manager.stateOf('kube-apiserver') === 'ready';
  const metrics = metricsPage(config, () => care.reports());
  const supervisor = await startSupervisorApi({ paths, bindAddress: config['bind-address'], life, log, ready: isReady, metrics });
  const renewOwn = async (): Promise<void> => {
    await Promise.all([writeAdminKubeconfig(inputs), supervisor.reloadCertificate()]);
  };
  const care = careForCertificates({ server: inputs, ensure, first: certificates, manager, client, life, clock, log, renewOwn });
  rotateLogs({ files: () => components.map(({ name }) => join(paths.logs, `${name}.log`)), life, log });
  return { inputs, manager, ready: manager.allReady() };
}

async function agentParts(input: {
  readonly findings: Findings;
  /** Nothing of a cluster is on the disk yet. */
  readonly firstStart: boolean;
  readonly client: KubeClient;
  readonly resolvConf: string;
  readonly log: Log;
}): Promise<Component[]> {
  const { client, log, resolvConf } = input;
  const { config, nodeName } = input.findings.inputs;
  const agent = serverAgentInputs(input.findings, resolvConf);
  return [
    ...agentComponents(agent, {
      // A first kubelet has nothing to do until the controller-manager knows it: it would only take the processor from the API server.
      listening: [input.firstStart ? 'kube-apiserver' : 'api-port'],
      api: ['rights'],
      nodeRegistered: (signal) => nodeRegistered({ client, nodeName, signal, log }),
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

async function keepNodeId({ nodeId, inputs }: Findings): Promise<void> {
  if (nodeId !== undefined) await writeFileIfChanged(inputs.paths.nodeId, `${nodeId}\n`, 0o600);
}

function without(components: readonly Component[], stale: ReadonlySet<string>): ReadonlySet<string> {
  return new Set(components.map(({ name }) => name).filter((name) => !stale.has(name)));
}
