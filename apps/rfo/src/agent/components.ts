/**
 * The agent's components and the order they need one another in:
 *
 *   registries   containerd ──► images ──► cni-config (with it the node is Ready)
 *                    └──► kubelet ──► kube-proxy      ▲
 *                            └──► flannel ────────────┘ its subnet file
 */
import { mkdir, realpath, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fail, orAbort } from '@rfo/foundation';
import { childEnvironment, type ProcessSpec, poll, waitForFile } from '@rfo/process';
import type { Component, ProcessComponent, TaskComponent } from '../component/component.ts';
import { cniConfigComponent, parseFlannelSubnet } from './cni-config.ts';
import { chooseSnapshotter, containerdEnvironment, renderContainerdConfig, renderCrictlConfig } from './containerd-config.ts';
import { checkCri, waitForCri } from './cri.ts';
import { flannelArguments, renderFlannelNetConf } from './flannel.ts';
import { checkHttp } from './http-check.ts';
import { type ImageStore, importImages, watchImages } from './images.ts';
import { type AgentInputs, agentPorts } from './inputs.ts';
import { kubeProxyArguments, kubeProxyHealth } from './kube-proxy-config.ts';
import { kubeletArguments, kubeletDefaultsFile, kubeletFolders, renderKubeletConfig } from './kubelet-config.ts';
import { networkOf } from './network-address.ts';
import { registriesComponent } from './registries-component.ts';

export type AgentOptions = {
  /** Names of the components after which kubelet's first request is answered, if late: on a server the API's open port, on an agent the load balancer. */
  readonly listening: readonly string[];
  /** Names of the components after which the API grants the node's own controllers their rights. */
  readonly api: readonly string[];
  /** Names of the components after which it grants kube-proxy its own. */
  readonly services: readonly string[];
  /**
   * Gives the pod range of the Node object once it exists and has one; kube-proxy and flannel give up after 30 s without. `mustExist`: throws where
   * there is none, as the kubelet that runs will not register it again.
   */
  readonly nodeRegistered: (signal: AbortSignal, mustExist: boolean) => Promise<string>;
};

/** The components of a node with these inputs: what the configuration does without is not among them. */
export function agentComponents(inputs: AgentInputs, options: AgentOptions): Component[] {
  const { config } = inputs;
  const ownRuntime = config['container-runtime-endpoint'] === undefined;
  const ownNetwork = config.cni === 'flannel';
  const node: Registered = { podCidr: undefined };
  return [
    ...(ownRuntime ? [registriesComponent(inputs), containerdComponent(inputs), imagesComponent(inputs)] : []),
    kubeletComponent(inputs, {
      ...options,
      node,
      needs: ownRuntime ? (ownNetwork ? ['containerd', 'registries'] : ['images', 'registries']) : [],
    }),
    ...(config['disable-kube-proxy'] ? [] : [kubeProxyComponent(inputs, options.services)]),
    ...(ownNetwork ? [flannelComponent(inputs, options.api, node), cniConfigComponent(inputs, ownRuntime ? ['images'] : [])] : []),
  ];
}

/** What of the host makes this node do otherwise than configured or usual, one sentence each, to be said at the start. */
export function agentNotices({ config, host }: Pick<AgentInputs, 'config' | 'host'>): string[] {
  return [
    ...(config.snapshotter === 'overlayfs' && !host.overlayfs.ok
      ? [
          `overlayfs does not work on the data directory (${host.overlayfs.why}): images are copied for each container, which is slow and takes space`,
        ]
      : []),
    ...(host.nftables.ok ? [] : [`Services use iptables, as nftables does not work here (${host.nftables.why})`]),
    ...(host.canRaiseOom ? [] : ['without CAP_SYS_RESOURCE pods cannot be protected from the kernel running out of memory']),
    ...(host.cgroup === 'v1' ? ['this host has cgroup v1, which Kubernetes is about to drop'] : []),
  ];
}

function containerdComponent(inputs: AgentInputs): ProcessComponent {
  const { paths, host } = inputs;
  const check = (signal: AbortSignal): Promise<void> => checkCri(paths.agent.containerdSocket, signal);
  return {
    kind: 'process',
    name: 'containerd',
    needs: [],
    render: () => ({
      files: [
        { path: paths.agent.containerdConfig, content: renderContainerdConfig(inputs), mode: 0o600 },
        { path: paths.agent.crictlConfig, content: renderCrictlConfig(inputs), mode: 0o644, hot: true },
      ],
      process: {
        ...processSpec(inputs, 'containerd', ['--config', paths.agent.containerdConfig]),
        env: containerdEnvironment(environment(inputs), process.env),
        // Its shims, and with them the pods, live on.
        stopScope: 'process',
        ...(host.canRaiseOom ? { oomScore: -999 } : {}),
      },
    }),
    ready: ({ signal, note }) => waitForCri(paths.agent.containerdSocket, { signal, note }),
    health: ({ signal }) => check(signal),
  };
}

function imagesComponent(inputs: AgentInputs): TaskComponent {
  const { paths } = inputs;
  const store: ImageStore = {
    ctr: join(paths.bin, 'ctr'),
    socket: paths.agent.containerdSocket,
    snapshotter: chooseSnapshotter(inputs),
    registry: inputs.config['system-default-registry'],
    cache: paths.agent.imageCache,
  };
  return {
    kind: 'task',
    name: 'images',
    needs: ['containerd'],
    run: async ({ life, log }) => {
      await mkdir(paths.agent.images, { recursive: true, mode: 0o700 });
      // `bin` is a link into the bundle; its images lie beside.
      const folders = [join(dirname(await realpath(paths.bin)), 'images'), paths.agent.images];
      await importImages(store, folders, log);
      watchImages(store, folders, { folder: paths.agent.images, life, log });
    },
  };
}

/** What kubelet's registration has brought. */
type Registered = { podCidr: string | undefined };

function kubeletComponent(
  inputs: AgentInputs,
  options: AgentOptions & { readonly needs: readonly string[]; readonly node: Registered },
): ProcessComponent {
  const { paths } = inputs;
  const check = (signal: AbortSignal): Promise<void> =>
    checkHttp({ host: '127.0.0.1', port: agentPorts.kubeletHealth, path: '/healthz' }, signal);
  return {
    kind: 'process',
    name: 'kubelet',
    needs: [...options.needs, ...options.listening],
    render: () => ({
      files: [{ path: join(paths.agent.kubeletConfigDir, kubeletDefaultsFile), content: renderKubeletConfig(inputs), mode: 0o600 }],
      process: processSpec(inputs, 'kubelet', kubeletArguments(inputs)),
    }),
    beforeStart: async () => {
      await Promise.all(kubeletFolders(paths).map((folder) => mkdir(folder, { recursive: true, mode: 0o755 })));
    },
    ready: async ({ process: { adopted }, signal, note }) => {
      await poll(() => check(signal), { signal, note });
      note(`node ${inputs.nodeName} is not registered yet`);
      options.node.podCidr = await orAbort(options.nodeRegistered(signal, adopted), signal);
    },
    health: ({ signal }) => check(signal),
  };
}

function kubeProxyComponent(inputs: AgentInputs, services: readonly string[]): ProcessComponent {
  const target = kubeProxyHealth(inputs.config);
  const check = async (signal: AbortSignal): Promise<void> => {
    if (target !== undefined) await checkHttp({ ...target, path: '/livez' }, signal);
  };
  return {
    kind: 'process',
    name: 'kube-proxy',
    needs: ['kubelet', ...services],
    render: () => ({ files: [], process: processSpec(inputs, 'kube-proxy', kubeProxyArguments(inputs)) }),
    ready: ({ signal, note }) => poll(() => check(signal), { signal, note }),
    health: ({ signal }) => check(signal),
  };
}

function flannelComponent(inputs: AgentInputs, api: readonly string[], node: Registered): ProcessComponent {
  const { paths } = inputs;
  return {
    kind: 'process',
    name: 'flannel',
    needs: ['kubelet', ...api],
    render: () => ({
      files: [{ path: paths.agent.flannelNetConf, content: renderFlannelNetConf(inputs), mode: 0o600 }],
      process: {
        ...processSpec(inputs, 'flannel', flannelArguments(inputs)),
        path: join(paths.bin, 'flanneld'),
        env: { ...environment(inputs), NODE_NAME: inputs.nodeName },
      },
    }),
    // What an earlier flanneld wrote would count as this one's.
    beforeStart: () => rm(paths.agent.flannelSubnet, { force: true }),
    ready: async ({ signal }) => {
      const text = await waitForFile(paths.agent.flannelSubnet, { signal, predicate: (each) => parseFlannelSubnet(each) !== undefined });
      // A Node that was deleted and registered again may have been given another range than the flanneld that runs on knows.
      const subnet = networkOf(parseFlannelSubnet(text)?.subnet ?? '');
      if (node.podCidr !== undefined && subnet !== node.podCidr) throw fail('pod-range-changed', { subnet, range: node.podCidr });
    },
  };
}

/** The program has the component's name, but for flannel. */
function processSpec(inputs: AgentInputs, name: string, args: readonly string[]): ProcessSpec {
  const { paths } = inputs;
  return {
    name,
    path: join(paths.bin, name),
    args,
    env: environment(inputs),
    logFile: join(paths.logs, `${name}.log`),
    recordFile: join(paths.processRecords, `${name}.json`),
  };
}

/** PATH is a fixed one: it must hold iptables, nft and mount whoever starts rfo, and must not differ from one start to the next. */
function environment({ paths }: AgentInputs): Record<string, string> {
  return { ...childEnvironment(process.env), PATH: `${paths.bin}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin` };
}
