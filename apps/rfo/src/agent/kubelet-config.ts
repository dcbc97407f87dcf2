/** kubelet's configuration file and arguments: RKE2's, hardened, with what the host needs. */
import { join } from 'node:path';
import { hostFolders } from '../host/folders.ts';
import { protectsKernelDefaults } from '../host/kernel-settings.ts';
import { renderArguments, tlsCipherSuites } from '../server/arguments.ts';
import { type AgentInputs, agentPorts, proxyMode, runtimeEndpoint } from './inputs.ts';

/** Our settings are read first; files 10-… and later in the same folder are the administrator's and win. */
export const kubeletDefaultsFile = '00-rfo-defaults.conf';

/** KubeletConfiguration (kubelet.config.k8s.io/v1beta1) as JSON, which is YAML. */
export function renderKubeletConfig(inputs: AgentInputs): string {
  return `${JSON.stringify(kubeletConfiguration(inputs), undefined, 2)}\n`;
}

/** The arguments of kubelet. */
export function kubeletArguments({ config, paths, nodeName, nodeIps, kubeconfigs }: AgentInputs): string[] {
  const { kubeletRoot } = hostFolders(paths);
  const credentialProvider = config['image-credential-provider-config'];
  const credentialProviderBin = config['image-credential-provider-bin-dir'];
  return renderArguments(
    {
      'config-dir': paths.agent.kubeletConfigDir,
      'kubeconfig': kubeconfigs.kubelet,
      'root-dir': kubeletRoot,
      'cert-dir': join(kubeletRoot, 'pki'),
      'hostname-override': nodeName,
      'node-ip': nodeIps.join(','),
      ...(config['node-label'].length > 0 ? { 'node-labels': config['node-label'].join(',') } : {}),
      ...(credentialProvider === undefined ? {} : { 'image-credential-provider-config': credentialProvider }),
      ...(credentialProvider === undefined || credentialProviderBin === undefined
        ? {}
        : { 'image-credential-provider-bin-dir': credentialProviderBin }),
      ...(config.debug ? { v: 4 } : {}),
    },
    config['kubelet-arg'],
  );
}

function kubeletConfiguration(inputs: AgentInputs): Record<string, unknown> {
  const { config, paths, host, certs } = inputs;
  const { kubeletRoot, podLogs } = hostFolders(paths);
  return {
    kind: 'KubeletConfiguration',
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    port: agentPorts.kubelet,
    readOnlyPort: 0,
    healthzBindAddress: '127.0.0.1',
    healthzPort: agentPorts.kubeletHealth,
    authentication: { anonymous: { enabled: false }, webhook: { enabled: true }, x509: { clientCAFile: certs.clientCa } },
    authorization: { mode: 'Webhook' },
    tlsCertFile: certs.servingKubeletCrt,
    tlsPrivateKeyFile: certs.servingKubeletKey,
    tlsMinVersion: 'VersionTLS12',
    tlsCipherSuites,
    enableProfilingHandler: config['enable-pprof'],
    enableDebugFlagsHandler: config['enable-pprof'],
    // Certificates are renewed by rfo; kubelet reads them again when the files change.
    rotateCertificates: false,
    containerRuntimeEndpoint: runtimeEndpoint(inputs),
    staticPodPath: paths.agent.podManifests,
    podLogsDir: podLogs,
    volumePluginDir: join(kubeletRoot, 'volumeplugins'),
    resolvConf: inputs.resolvConf,
    clusterDNS: inputs.clusterDns,
    clusterDomain: config['cluster-domain'],
    cgroupDriver: host.cgroupDriver,
    ...(host.cgroup === 'v1' ? { failCgroupV1: false } : {}),
    failSwapOn: false,
    protectKernelDefaults: protectsKernelDefaults(config),
    // Chains that only iptables mode needs; where iptables does not work kubelet would complain of them for ever.
    makeIPTablesUtilChains: host.iptables.ok || proxyMode(inputs) === 'iptables',
    // -999 by default, which is refused without CAP_SYS_RESOURCE.
    ...(host.canRaiseOom ? {} : { oomScoreAdj: 0 }),
    serializeImagePulls: false,
    evictionHard: { 'imagefs.available': '5%', 'nodefs.available': '5%' },
    evictionMinimumReclaim: { 'imagefs.available': '10%', 'nodefs.available': '10%' },
    // Else the two above would replace the default thresholds of memory, inodes and process ids.
    mergeDefaultEvictionSettings: true,
    ...(config['node-taint'].length > 0 ? { registerWithTaints: config['node-taint'].map(parseTaint) } : {}),
  };
}

/** `key=value:Effect` or `key:Effect`, as kubectl writes it. */
function parseTaint(text: string): { key: string; value?: string; effect: string } {
  const at = text.lastIndexOf(':');
  const [key = '', value] = text.slice(0, at).split('=', 2);
  return { key, ...(value === undefined ? {} : { value }), effect: text.slice(at + 1) };
}

/** Folders that must be there before kubelet starts. */
export function kubeletFolders(paths: AgentInputs['paths']): string[] {
  const { kubeletRoot, podLogs } = hostFolders(paths);
  return [join(kubeletRoot, 'volumeplugins'), podLogs, paths.agent.podManifests];
}
