import { configFile, dataDir } from '../../harness/node.ts';
import type { Host } from '../../lab/index.ts';

export type Case = {
  readonly title: string;
  readonly prepare?: (host: Host, tools: { readonly node: string; readonly signal: AbortSignal }) => Promise<void>;
  readonly flags?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Command in front of rfo. */
  readonly as?: readonly string[];
  readonly code: 1 | 2 | 3;
  readonly message: RegExp;
};

const config =
  (yaml: string) =>
  (host: Host): Promise<void> =>
    host.writeFile(configFile, yaml, '0600');

export const cases: readonly Case[] = [
  {
    title: 'an unknown key, with a suggestion',
    prepare: config('cluster-cird: 10.42.0.0/16\n'),
    code: 2,
    message: /unknown key "cluster-cird" in \/etc\/rancher\/rfo\/config\.yaml.*cluster-cidr/,
  },
  { title: 'an unknown flag, with a suggestion', flags: ['--node-nmae=x'], code: 2, message: /unknown flag --node-nmae.*--node-name/ },
  {
    title: 'a value of the wrong type',
    prepare: config('disable-scheduler: perhaps\n'),
    code: 2,
    message: /disable-scheduler in \/etc\/rancher\/rfo\/config\.yaml:1: .*perhaps/,
  },
  { title: 'a value outside its choices', prepare: config('cni: telepathy\n'), code: 2, message: /cni in .*telepathy/ },
  {
    title: 'an environment variable that is wrong',
    env: { RFO_CLUSTER_CIDR: 'everywhere' },
    code: 2,
    message: /(cluster-cidr|RFO_CLUSTER_CIDR).*everywhere/,
  },
  {
    title: 'a file that is not YAML',
    prepare: config('tls-san: [a, b\n'),
    code: 2,
    message: /cannot read \/etc\/rancher\/rfo\/config\.yaml/,
  },
  { title: 'a named config file that is not there', flags: ['--config', '/nowhere.yaml'], code: 2, message: /cannot read \/nowhere\.yaml/ },
  { title: 'no network', prepare: config('cluster-cidr: 10.42.0.0/99\n'), code: 2, message: /cluster-cidr in .*10\.42\.0\.0\/99/ },
  {
    title: 'pod and service networks that overlap',
    prepare: config('cluster-cidr: 10.43.0.0/16\nservice-cidr: 10.43.128.0/17\n'),
    code: 2,
    message: /(cluster|service)-cidr .*overlap/,
  },
  {
    title: 'a cluster DNS outside the service network',
    prepare: config('cluster-dns: 10.99.0.10\n'),
    code: 2,
    message: /cluster-dns .*10\.43\.0\.0\/16/,
  },
  { title: 'a token file that is not there', flags: ['--token-file=/nowhere'], code: 2, message: /token-file: cannot read \/nowhere/ },
  {
    title: 'an address that this host does not have',
    flags: ['--node-ip=192.0.2.1'],
    code: 2,
    message: /node-ip 192\.0\.2\.1 is not an address of this host.*10\.98\.0\./,
  },
  { title: 'a name that no node can have', flags: ['--node-name=Node_1'], code: 2, message: /"?Node_1"?/ },
  {
    title: 'a port that another program has',
    prepare: async (host, { node, signal }) => {
      const program = `require('net').createServer().listen(6443, () => console.log('up'))`;
      const service = await host.spawn('squatter', [node, '-e', program]);
      for await (const line of service.lines(signal)) if (line === 'up') break;
    },
    code: 3,
    message: /port 6443/,
  },
  {
    title: 'a data directory of a newer version',
    prepare: (host) => host.writeFile(`${dataDir}/version.json`, '{"rfo":"99.0.0","kubernetes":"v1.99.0"}\n', '0600'),
    code: 3,
    message: /\/var\/lib\/rancher\/rfo was written by a newer version \(kubernetes v1\.99\.0, this is v1\.\d+\.\d+\)/,
  },
  {
    title: 'a damaged data directory',
    prepare: (host) => host.writeFile(`${dataDir}/version.json`, '{"rfo":', '0600'),
    code: 3,
    message: /version\.json is damaged/,
  },
  {
    title: 'a user who is not root',
    as: ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'],
    code: 3,
    message: /needs root/,
  },
];
