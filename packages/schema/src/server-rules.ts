// Rules over several options of a server: what each may be in the light of the others.
import { isDeepStrictEqual } from 'node:util';
import * as z from 'zod/mini';
import type { Flaw, Rule } from './declaration.ts';
import { contains, formatAddress, overlaps, parseAddress, parseRange, type Range } from './ipv4.ts';
import { serverOptions } from './server-options/index.ts';

type Config = { readonly [K in keyof typeof serverOptions]: z.output<(typeof serverOptions)[K]> };

/** What only the container runtime that RFO runs itself is told. */
const runtimeSettings = [
  'default-runtime',
  'snapshotter',
  'nonroot-devices',
  'selinux',
  'private-registry',
  'disable-default-registry-endpoint',
] as const;

/** What only the API server and those beside it are told. */
const apiserverSettings = [
  'kube-apiserver-arg',
  'kube-controller-manager-arg',
  'kube-scheduler-arg',
  'audit-policy-file',
  'pod-security-admission-config-file',
] as const;

/** Rules that hold on every node. */
export const agentRules: readonly Rule[] = [
  rule(['node-ip'], (config) =>
    config['node-ip'].length > 1 ? { problem: 'more than one address is not supported yet', cure: 'Give one IPv4 address' } : undefined,
  ),
  rule(['token', 'token-file'], (config) => judgeEither('token-file', config.token, config['token-file'])),
  rule(['image-credential-provider-config', 'image-credential-provider-bin-dir'], (config) =>
    (config['image-credential-provider-config'] === undefined) === (config['image-credential-provider-bin-dir'] === undefined)
      ? undefined
      : {
          problem: 'the configuration of the plugins and their folder need each other',
          cure: 'Give image-credential-provider-config and image-credential-provider-bin-dir, or neither',
        },
  ),
  ...idle(runtimeSettings, 'container-runtime-endpoint', (endpoint) => endpoint !== undefined),
];

export const serverRules: readonly Rule[] = [
  ...agentRules,
  rule(['service-cidr', 'cluster-cidr'], (config) =>
    overlaps(range(config['service-cidr']), range(config['cluster-cidr']))
      ? {
          problem: `service-cidr ${config['service-cidr']} and cluster-cidr ${config['cluster-cidr']} overlap`,
          cure: 'Give ranges that share no address',
        }
      : undefined,
  ),
  rule(['cluster-dns', 'service-cidr'], (config) => judgeDns(config['cluster-dns'], config['service-cidr'])),
  rule(['cluster-cidr', 'kube-controller-manager-arg'], (config) =>
    range(config['cluster-cidr']).prefix > 24 && !config['kube-controller-manager-arg'].some((arg) => arg.includes('node-cidr-mask-size'))
      ? {
          problem: `${config['cluster-cidr']} is too small: each node gets 256 addresses of it`,
          cure: 'Give a /24 or larger, or set node-cidr-mask-size in kube-controller-manager-arg',
        }
      : undefined,
  ),
  rule(['node-ip', 'cluster-cidr', 'service-cidr'], (config) => judgeOutside(config['node-ip'][0], config)),
  rule(['vip', 'cluster-cidr', 'service-cidr'], (config) => judgeOutside(config.vip, config)),
  rule(['vip', 'node-ip'], (config) =>
    config.vip !== undefined && config['node-ip'].includes(config.vip)
      ? { problem: `${config.vip} is the address of this node`, cure: 'Give an address that no host has' }
      : undefined,
  ),
  rule(['vip', 'bind-address'], (config) =>
    config.vip !== undefined && config['bind-address'] !== '0.0.0.0'
      ? { problem: 'the servers of this node listen on bind-address alone', cure: 'Leave one of them out' }
      : undefined,
  ),
  rule(['vip-interface', 'vip'], (config) =>
    config['vip-interface'] !== undefined && config.vip === undefined
      ? { problem: 'it has no meaning without vip', cure: 'Give vip, or leave it out' }
      : undefined,
  ),
  rule(['advertise-address', 'cluster-cidr', 'service-cidr'], (config) => judgeOutside(config['advertise-address'], config)),
  rule(['agent-token', 'agent-token-file'], (config) => judgeEither('agent-token-file', config['agent-token'], config['agent-token-file'])),
  rule(['disable-apiserver', 'disable-etcd'], (config) =>
    config['disable-apiserver'] && config['disable-etcd']
      ? { problem: 'with neither etcd nor API server this would be no server', cure: 'Leave one of the two out, or run rfo agent' }
      : undefined,
  ),
  rule(['disable-etcd', 'server'], (config) =>
    config['disable-etcd'] && config.server.length === 0
      ? { problem: 'a server without etcd needs one that has it', cure: 'Give server, an address of the cluster to join' }
      : undefined,
  ),
  ...idle(['manager-https-port', 'manager-server-url', 'manager-arg'], 'manager', (wanted) => !wanted),
  ...idle(['manager'], 'disable-apiserver', (disabled) => disabled),
  ...idle(['etcd-arg', 'etcd-expose-metrics'], 'disable-etcd', (disabled) => disabled),
  ...idle(apiserverSettings, 'disable-apiserver', (disabled) => disabled),
  ...idle(['flannel-iface', 'flannel-backend'], 'cni', (cni) => cni !== 'flannel'),
  ...idle(['kube-scheduler-arg'], 'disable-scheduler', (disabled) => disabled),
  ...idle(['kube-controller-manager-arg'], 'disable-controller-manager', (disabled) => disabled),
  ...idle(['kube-proxy-arg'], 'disable-kube-proxy', (disabled) => disabled),
];

function rule<K extends keyof Config>(keys: readonly [K, ...K[]], judge: (config: Pick<Config, K>) => Flaw | undefined): Rule {
  return { keys, judge };
}

/** Options that nothing reads when another one has such a value: asking for something else than their default is refused. */
function idle<K extends keyof Config>(keys: readonly (keyof Config)[], because: K, isSo: (value: Config[K]) => boolean): Rule[] {
  return keys.map((key) =>
    rule([key, because], (config: Config) => {
      const value = config[because];
      const initial: unknown = z.parse(serverOptions[key], undefined);
      if (!isSo(value) || isDeepStrictEqual(config[key], initial)) return undefined;
      if (value === false) return { problem: `it has no meaning without ${because}`, cure: `Give ${because}, or leave it out` };
      const setting = value === true ? because : `${because} ${String(value)}`;
      return { problem: `it has no meaning with ${setting}`, cure: 'Leave one of them out' };
    }),
  );
}

function judgeDns(address: string | undefined, services: string): Flaw | undefined {
  if (address === undefined) return undefined;
  const { first, last } = range(services);
  const number = parseAddress(address) ?? 0;
  if (!contains(range(services), number)) {
    return {
      problem: `${address} is not within service-cidr ${services}`,
      cure: `Give an address of it, such as ${formatAddress(first + 10)}`,
    };
  }
  if (number > first + 1 && number < last) return undefined;
  return { problem: `${address} is taken in service-cidr ${services}`, cure: `Give another, such as ${formatAddress(first + 10)}` };
}

function judgeOutside(address: string | undefined, config: Pick<Config, 'cluster-cidr' | 'service-cidr'>): Flaw | undefined {
  if (address === undefined) return undefined;
  const key = (['cluster-cidr', 'service-cidr'] as const).find((name) => contains(range(config[name]), parseAddress(address) ?? 0));
  if (key === undefined) return undefined;
  return { problem: `${address} is within ${key} ${config[key]}`, cure: `Give an address of the host, or another ${key}` };
}

function judgeEither(other: string, value: string | undefined, file: string | undefined): Flaw | undefined {
  return value === undefined || file === undefined ? undefined : { problem: `${other} is given as well`, cure: 'Give one of the two' };
}

/** A range that has passed its own check. */
function range(text: string): Range {
  return parseRange(text) ?? { first: 0, last: -1, prefix: 32 };
}
