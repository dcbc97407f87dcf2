/** Hosts for the tests of user data. */
import type { AgentJoin, KubeletJoin } from './types.ts';

export const agentJoin: AgentJoin = {
  nodeName: 'worker-1',
  server: 'https://192.0.2.1:9345',
  token: `K10${'a'.repeat(64)}::abcdef.0123456789abcdef`,
  labels: ['bgp=worker'],
  programs: [],
  seed: undefined,
};

export const kubeletJoin: KubeletJoin = {
  nodeName: undefined,
  apiServer: 'https://192.0.2.1:6443',
  caUrl: 'https://192.0.2.2:8888',
  caPin: 'b'.repeat(64),
  token: 'c'.repeat(64),
  profiles: { client: 'kubelet-client', serving: 'kubelet-serving' },
  runtime: 'containerd',
  clusterDns: ['10.43.0.10'],
  clusterDomain: 'cluster.local',
  labels: ['bgp=worker', 'zone=b'],
  programs: [{ architecture: 'arm64', url: 'http://192.0.2.2:8890/files/kubelet-arm64.tar.gz', sha256: 'd'.repeat(64) }],
  seed: { url: 'http://192.0.2.2:8890', id: '52-54-00-12-34-56' },
};
