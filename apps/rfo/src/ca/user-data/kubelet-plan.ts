/** A host that becomes a plain kubelet: certificates of this CA, and all that the kubelet and its runtime are told. Pure. */
import { stringify } from 'yaml';
import { commonSettings, renderSettings } from './settings.ts';
import { certificateShell, kubeletPki, renewShell } from './shell-certificates.ts';
import { commonShell, joinFolder, joinScript, joinState, joinUnit } from './shell-common.ts';
import { kubeletShell } from './shell-kubelet.ts';
import type { HostPlan, KubeletJoin } from './types.ts';

const renewScript = `${joinFolder}/renew.sh`;
const sockets = { 'containerd': '/run/containerd/containerd.sock', 'cri-o': '/run/crio/crio.sock' } as const;
const services = { 'containerd': 'containerd.service', 'cri-o': 'crio.service' } as const;

export function kubeletPlan(join: KubeletJoin): HostPlan {
  const settings = {
    ...commonSettings(join),
    API_SERVER: join.apiServer,
    CA_URL: join.caUrl,
    CA_PIN: join.caPin,
    CLIENT_PROFILE: join.profiles.client,
    SERVING_PROFILE: join.profiles.serving,
    RUNTIME: services[join.runtime],
  };
  return {
    summary: `${join.nodeName ?? 'this host'} joins the cluster of ${join.apiServer} as a kubelet with certificates of ${join.caUrl}`,
    files: [
      { path: `${joinFolder}/settings`, mode: '0644', content: renderSettings(settings) },
      { path: `${joinFolder}/token`, mode: '0600', content: `${join.token}\n` },
      { path: `${joinFolder}/kubelet.yaml`, mode: '0644', content: renderKubeletConfiguration(join) },
      { path: joinScript, mode: '0755', content: commonShell + certificateShell + kubeletShell },
      {
        path: renewScript,
        mode: '0755',
        content: `#!/bin/sh\n# Renews the certificates of the kubelet when they are due.${certificateShell}${renewShell}`,
      },
      { path: '/etc/modules-load.d/rfo-join.conf', mode: '0644', content: 'overlay\nbr_netfilter\n' },
      { path: '/etc/sysctl.d/90-rfo-join.conf', mode: '0644', content: sysctl },
      ...(join.runtime === 'containerd'
        ? [{ path: `${joinFolder}/containerd.toml`, mode: '0644', content: containerdConfig } as const]
        : []),
    ],
    units: [
      { name: 'kubelet.service', content: renderKubeletUnit(join), enabled: false },
      { name: 'rfo-renew.service', content: renewUnit, enabled: false },
      { name: 'rfo-renew.timer', content: renewTimer, enabled: false },
      { name: 'rfo-join.service', content: joinUnit, enabled: true },
    ],
  };
}

/** KubeletConfiguration (kubelet.config.k8s.io/v1beta1), without what only the host itself knows: the script adds that. */
function renderKubeletConfiguration({ runtime, clusterDns, clusterDomain }: KubeletJoin): string {
  return stringify({
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    authentication: { anonymous: { enabled: false }, webhook: { enabled: true }, x509: { clientCAFile: `${kubeletPki}/ca.pem` } },
    authorization: { mode: 'Webhook' },
    readOnlyPort: 0,
    tlsCertFile: `${kubeletPki}/serving.pem`,
    tlsPrivateKeyFile: `${kubeletPki}/serving.pem`,
    tlsMinVersion: 'VersionTLS12',
    // rfo-renew does it; kubelet reads the files again when they change.
    rotateCertificates: false,
    serverTLSBootstrap: false,
    containerRuntimeEndpoint: `unix://${sockets[runtime]}`,
    cgroupDriver: 'systemd',
    clusterDNS: clusterDns,
    clusterDomain,
    failSwapOn: false,
  });
}

function renderKubeletUnit({ runtime, labels }: KubeletJoin): string {
  const flags = [
    '--config=/var/lib/kubelet/config.yaml',
    '--kubeconfig=/var/lib/kubelet/kubeconfig',
    '--hostname-override="$node"',
    '--node-ip="$address"',
    ...(labels.length > 0 ? [`--node-labels=${labels.join(',')}`] : []),
  ];
  // A percent sign and a dollar sign mean something to systemd.
  const command = `. ${joinState}/node; exec kubelet ${flags.join(' ')}`.replaceAll('%', '%%').replaceAll('$', '$$$$');
  return `[Unit]
Description=kubelet: a node of a Kubernetes cluster
Wants=network-online.target ${services[runtime]}
After=network-online.target ${services[runtime]}
ConditionPathExists=/var/lib/kubelet/kubeconfig

[Service]
Environment=PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
ExecStart=/bin/sh -c '${command}'
KillMode=process
Restart=always
RestartSec=5s
Delegate=yes
OOMScoreAdjust=-999

[Install]
WantedBy=multi-user.target
`;
}

/** Version 2 is what containerd 1.6 to 2.x read. */
const containerdConfig = `version = 2

[plugins."io.containerd.grpc.v1.cri"]
  # Pods get no better score than containerd has: where it may not lower its own, as in a container, every pod would fail.
  restrict_oom_score_adj = true

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
  SystemdCgroup = true
`;

const sysctl = `net.bridge.bridge-nf-call-iptables = 1
net.bridge.bridge-nf-call-ip6tables = 1
net.ipv4.ip_forward = 1
`;

const renewUnit = `[Unit]
Description=Renew the certificates of the kubelet when they are due
Wants=network-online.target
After=network-online.target
ConditionPathExists=${joinState}/node

[Service]
Type=oneshot
ExecStart=/bin/sh ${renewScript}
TimeoutStartSec=10min
`;

const renewTimer = `[Unit]
Description=Look hourly after the certificates of the kubelet

[Timer]
OnActiveSec=1min
OnUnitInactiveSec=1h
RandomizedDelaySec=5min

[Install]
WantedBy=timers.target
`;
