/** Where an installed node keeps its things: what the sides share, because the sides by hand run on a copy of what `rfo` made. */
import { join } from 'node:path';

const data = '/var/lib/rancher/rfo';
const run = '/run/rfo';

export const node = {
  data,
  tls: join(data, 'server/tls'),
  manifests: join(data, 'server/manifests'),
  adminKubeconfig: join(data, 'server/cred/admin.kubeconfig'),
  bin: join(data, 'bin'),
  images: join(data, 'agent/images'),
  cniConfig: join(data, 'agent/etc/cni/net.d/10-flannel.conflist'),
  logs: join(data, 'logs'),
  run,
  records: join(run, 'processes'),
  containerdSocket: join(run, 'containerd/containerd.sock'),
  flannelSubnet: join(run, 'flannel/subnet.env'),
  etcd: { host: '127.0.0.1', port: 2379 },
  apiserver: { host: '127.0.0.1', port: 6443 },
  clusterDns: '10.43.0.10',
} as const;

/** What of a node's data folder belongs to one run only: the sides by hand start without it, as `rfo` does. */
export const ownOfOneRun = ['server/db', 'server/logs', 'agent/containerd', 'agent/images.json', 'agent/cni', 'logs', 'rfo.lock'] as const;
