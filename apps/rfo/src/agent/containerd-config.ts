/** containerd's config.toml (version 4, of containerd 2.3), and crictl's configuration for its socket. */
import { dirname, join } from 'node:path';
import { hostFolders } from '../host/folders.ts';
import { type AgentInputs, runtimeEndpoint } from './inputs.ts';
import { renderToml } from './toml.ts';

const images = 'io.containerd.cri.v1.images';
const runtime = 'io.containerd.cri.v1.runtime';

/** Plugins that no pod needs: each costs memory and start-up time, and `opt` would make /opt/containerd on the host. */
const unneededPlugins = [
  'io.containerd.differ.v1.erofs',
  'io.containerd.image-verifier.v1.bindir',
  'io.containerd.internal.v1.opt',
  'io.containerd.internal.v1.tracing',
  'io.containerd.monitor.container.v1.restart',
  'io.containerd.mount-handler.v1.erofs',
  'io.containerd.snapshotter.v1.blockfile',
  'io.containerd.snapshotter.v1.btrfs',
  'io.containerd.snapshotter.v1.devmapper',
  'io.containerd.snapshotter.v1.erofs',
  'io.containerd.snapshotter.v1.native',
  'io.containerd.snapshotter.v1.zfs',
  'io.containerd.tracing.processor.v1.otlp',
];

/** config.toml. Nothing of registries is in it but their folder: those files are read at each pull. */
export function renderContainerdConfig(inputs: AgentInputs): string {
  const { config, paths, host } = inputs;
  const snapshotter = chooseSnapshotter(inputs);
  return renderToml([
    {
      path: [],
      values: {
        version: 4,
        root: paths.agent.containerdRoot,
        state: paths.agent.containerdState,
        disabled_plugins: unneededPlugins.filter((plugin) => plugin !== `io.containerd.snapshotter.v1.${snapshotter}`),
        // Files here win over this one: for further runtimes and whatever else an administrator wants of containerd.
        imports: [join(dirname(paths.agent.containerdConfig), 'config.toml.d', '*.toml')],
      },
    },
    { path: ['plugins', 'io.containerd.server.v1.grpc'], values: { address: paths.agent.containerdSocket } },
    { path: ['plugins', 'io.containerd.server.v1.ttrpc'], values: { address: `${paths.agent.containerdSocket}.ttrpc` } },
    { path: ['plugins', 'io.containerd.monitor.task.v1.cgroups'], values: { no_prometheus: true } },
    { path: ['plugins', 'io.containerd.nri.v1.nri'], values: { socket_path: hostFolders(paths).nriSocket } },
    { path: ['plugins', images], values: { snapshotter } },
    { path: ['plugins', images, 'pinned_images'], values: { sandbox: inputs.images.pause } },
    { path: ['plugins', images, 'registry'], values: { config_path: paths.agent.registryHosts } },
    {
      path: ['plugins', runtime],
      values: {
        enable_selinux: config.selinux,
        device_ownership_from_security_context: config['nonroot-devices'],
        // Without CAP_SYS_RESOURCE a sandbox cannot be given the score of -998 that kubelet wants: every pod would fail.
        restrict_oom_score_adj: !host.canRaiseOom,
      },
    },
    {
      path: ['plugins', runtime, 'cni'],
      values: {
        // Packaged network add-ons put their plugins into /opt/cni/bin.
        bin_dirs: [paths.bin, '/opt/cni/bin'],
        conf_dir: paths.agent.cniConfDir,
        // Brings up a pod's `lo` itself instead of running a plugin for it.
        use_internal_loopback: true,
      },
    },
    { path: ['plugins', runtime, 'containerd'], values: { default_runtime_name: config['default-runtime'] ?? 'runc' } },
    { path: ['plugins', runtime, 'containerd', 'runtimes', 'runc'], values: { runtime_type: 'io.containerd.runc.v2' } },
    {
      path: ['plugins', runtime, 'containerd', 'runtimes', 'runc', 'options'],
      values: {
        BinaryName: join(paths.bin, 'runc'),
        Root: join(paths.agent.containerdState, 'runc'),
        SystemdCgroup: host.cgroupDriver === 'systemd',
      },
    },
  ]);
}

/** The configured snapshotter, except that overlayfs is replaced by plain copies where the data directory's filesystem cannot carry it. */
export function chooseSnapshotter({ config, host }: Pick<AgentInputs, 'config' | 'host'>): string {
  const wanted = config.snapshotter;
  return wanted === 'overlayfs' && !host.overlayfs.ok ? 'native' : wanted;
}

/** Settings of crictl for our runtime. */
export function renderCrictlConfig(inputs: Pick<AgentInputs, 'config' | 'paths'>): string {
  const endpoint = JSON.stringify(runtimeEndpoint(inputs));
  return `runtime-endpoint: ${endpoint}\nimage-endpoint: ${endpoint}\ntimeout: 10\n`;
}

/**
 * containerd's environment: of the variables `CONTAINERD_<NAME>` it alone is given `<NAME>` (a proxy that only image pulls use).
 * @param base what every component is given
 */
export function containerdEnvironment(base: Readonly<Record<string, string>>, own: NodeJS.ProcessEnv): Record<string, string> {
  const prefix = 'CONTAINERD_';
  const given = Object.entries(own).flatMap(([name, value]) =>
    name.startsWith(prefix) && value !== undefined ? [[name.slice(prefix.length), value] as const] : [],
  );
  const shared = Object.entries(base).filter(([name]) => !name.startsWith(prefix));
  return Object.fromEntries([...shared, ...given]);
}
