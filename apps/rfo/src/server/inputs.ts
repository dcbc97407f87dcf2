import type { ServerConfig } from '@rfo/schema';
import type { Paths } from '../paths.ts';

/** What every control-plane part is rendered from. */
export type ServerInputs = {
  readonly config: ServerConfig;
  readonly paths: Paths;
  readonly nodeName: string;
  /** The address other hosts reach this node by. */
  readonly nodeIp: string;
  readonly advertiseAddress: string;
  /** First address of the service range: the `kubernetes` Service. */
  readonly kubernetesServiceIp: string;
  readonly clusterDns: string;
};

/** The address by which clients on this host reach an API server: loopback, unless the one of this host listens elsewhere. */
export function apiserverHost(config: Pick<ServerConfig, 'bind-address' | 'disable-apiserver'>): string {
  const bind = config['bind-address'];
  return bind === '0.0.0.0' || config['disable-apiserver'] ? '127.0.0.1' : bind;
}

/** Ports of a server, all on one page because `rfo check` and the error texts name them too. */
export const serverPorts = {
  apiserver: 6443,
  supervisor: 9345,
  etcdClient: 2379,
  etcdPeer: 2380,
  etcdMetrics: 2381,
  etcdHttp: 2382,
  controllerManager: 10257,
  scheduler: 10259,
  /** On loopback, for the API server alone. */
  tokenReviews: 10692,
  /** By which the managers of several servers reach each other; the one for people is configured. */
  managerReplicas: 8444,
} as const;
