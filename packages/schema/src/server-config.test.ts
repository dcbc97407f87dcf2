import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fail } from '@rfo/foundation';
import { addressOf } from './ipv4.ts';
import { parseArguments } from './parse-arguments.ts';
import { problemsOf, resolveConfig } from './resolve-config.ts';
import { serverConfig, serverConfigOf, toolConfig } from './server-config.ts';

/** The problems of a server that is started with these flags, without the place and the cure. */
function problems(...argv: string[]): readonly string[] {
  const { given, problems: wrong } = parseArguments(serverConfig, argv);
  try {
    resolveConfig(serverConfig, given, wrong);
    return [];
  } catch (error) {
    return problemsOf(error).map((problem) => problem.message.replace(' in the command line', ''));
  }
}

test('the defaults are those of RKE2', () => {
  const config = serverConfigOf();
  assert.equal(config['data-dir'], '/var/lib/rancher/rfo');
  assert.equal(config['cluster-cidr'], '10.42.0.0/16');
  assert.equal(config['service-cidr'], '10.43.0.0/16');
  assert.equal(config['service-node-port-range'], '30000-32767');
  assert.equal(config['cluster-domain'], 'cluster.local');
  assert.equal(config['write-kubeconfig-mode'], 0o600);
  assert.deepEqual(config['kube-apiserver-arg'], []);
});

test('good values are taken', () => {
  assert.deepEqual(
    problems(
      ...[
        '--cluster-cidr=10.52.0.0/16',
        '--service-cidr=10.53.0.0/16',
        '--cluster-dns=10.53.0.10',
        '--tls-san=a.example.com,*.b.example.com,::1,192.0.2.1',
      ],
      ...[
        '--node-label=example.com/disk=ssd',
        '--node-label=node.kubernetes.io/instance-type=big',
        '--node-taint=a=b:NoSchedule',
        '--node-taint=c:NoExecute',
      ],
      ...[
        '--kube-apiserver-arg=v=2',
        '--kube-apiserver-arg',
        '--audit-log-maxage=1',
        '--write-kubeconfig-mode=644',
        '--disable=coredns,metrics-server',
      ],
    ),
    [],
  );
});

const cases: readonly (readonly [string, readonly string[]])[] = [
  [
    '--service-cidr=10.42.128.0/17',
    ['service-cidr: service-cidr 10.42.128.0/17 and cluster-cidr 10.42.0.0/16 overlap. Give ranges that share no address.'],
  ],
  [
    '--cluster-cidr=10.0.0.0/8',
    ['cluster-cidr: service-cidr 10.43.0.0/16 and cluster-cidr 10.0.0.0/8 overlap. Give ranges that share no address.'],
  ],
  ['--cluster-cidr=10.42.1.0/16', ['cluster-cidr: "10.42.1.0/16" is an address within a range. Write 10.42.0.0/16.']],
  ['--cluster-cidr=fd00:42::/56', ['cluster-cidr: IPv6 is not supported yet ("fd00:42::/56"). Give an IPv4 range.']],
  ['--cluster-cidr=10.42.0.0/16,fd00:42::/56', ['cluster-cidr: more than one range is not supported yet. Give one IPv4 range.']],
  ['--cluster-cidr=10.42.0.0', ['cluster-cidr: "10.42.0.0" is not an IPv4 range. Write it like 10.42.0.0/16.']],
  ['--service-cidr=10.44.0.0/30', ['service-cidr: 10.44.0.0/30 is too small. Give a /28 or larger.']],
  [
    '--cluster-dns=10.96.0.10',
    ['cluster-dns: 10.96.0.10 is not within service-cidr 10.43.0.0/16. Give an address of it, such as 10.43.0.10.'],
  ],
  ['--cluster-dns=10.43.0.1', ['cluster-dns: 10.43.0.1 is taken in service-cidr 10.43.0.0/16. Give another, such as 10.43.0.10.']],
  [
    '--cluster-cidr=10.42.0.0/25',
    [
      'cluster-cidr: 10.42.0.0/25 is too small: each node gets 256 addresses of it. Give a /24 or larger, or set node-cidr-mask-size in kube-controller-manager-arg.',
    ],
  ],
  ['--bind-address=::', ['bind-address: IPv6 is not supported yet ("::"). Give an IPv4 address.']],
  ['--bind-address=192.168.1.256', ['bind-address: "192.168.1.256" is not an IPv4 address. Write it like 192.0.2.10.']],
  [
    '--node-ip=10.43.1.1',
    ['node-ip: 10.43.1.1 is within service-cidr 10.43.0.0/16. Give an address of the host, or another service-cidr.'],
  ],
  ['--node-ip=192.0.2.1,192.0.2.2', ['node-ip: more than one address is not supported yet. Give one IPv4 address.']],
  ['--service-node-port-range=32767-30000', ['service-node-port-range: "32767-30000" is not a range of ports. Write it like 30000-32767.']],
  ['--write-kubeconfig-mode=999', ['write-kubeconfig-mode: "999" is not a file mode. Write it like 0600.']],
  ['--node-label=a', ['node-label: "a" is not a label. Write it like example.com/disk=ssd.']],
  [
    '--node-label=node-role.kubernetes.io/worker=true',
    [
      'node-label: a node may not give itself the label node-role.kubernetes.io/worker. Give it when the node runs: rfo kubectl label node <name> node-role.kubernetes.io/worker=true.',
    ],
  ],
  ['--node-taint=a=b:Never', ['node-taint: "Never" is not the effect of a taint. Use NoSchedule, PreferNoSchedule, NoExecute.']],
  ['--node-taint=a', ['node-taint: "a" is not a taint. Write it like dedicated=database:NoSchedule.']],
  ['--node-name=Node_1', ['node-name: "Node_1" is not a node name. Write it like node-1.example.com.']],
  ['--tls-san=1.2.3', ['tls-san: "1.2.3" is neither a host name nor an IP address. Write it like api.example.com or 192.0.2.10.']],
  ['--disable=traefik', ['disable: "traefik" is not one of its values. Use coredns, metrics-server.']],
  ['--kubelet-arg==x', ['kubelet-arg: "=x" is not an argument. Write it like v=2.']],
  ['--cni=cilium', ['cni: "cilium" is not one of its values. Use flannel, none.']],
  [
    '--image-credential-provider-config=/x',
    [
      'image-credential-provider-config: the configuration of the plugins and their folder need each other. Give image-credential-provider-config and image-credential-provider-bin-dir, or neither.',
    ],
  ],
  ['--profile=etcd', ['profile: "etcd" is not one of its values. Use cis.']],
  ['--certificate-renewal-ratio=1', ['certificate-renewal-ratio: 1 is not a number from 0.05 to 0.95. Give one that is.']],
];
for (const [flag, expected] of cases) {
  test(`${flag} is refused in one sentence`, () => assert.deepEqual(problems(flag), expected));
}

test('a server without etcd joins another, and one without etcd and API server is none', () => {
  assert.deepEqual(problems('--disable-etcd'), [
    'disable-etcd: a server without etcd needs one that has it. Give server, an address of the cluster to join.',
  ]);
  assert.deepEqual(problems('--disable-etcd', '--server=https://192.0.2.7:9345'), []);
  assert.deepEqual(problems('--disable-etcd', '--server=https://192.0.2.7:9345', '--etcd-arg=max-wals=3'), [
    'etcd-arg: it has no meaning with disable-etcd. Leave one of them out.',
  ]);
  assert.deepEqual(problems('--disable-apiserver'), []);
  assert.deepEqual(problems('--disable-apiserver', '--disable-etcd', '--server=https://192.0.2.7:9345'), [
    'disable-apiserver: with neither etcd nor API server this would be no server. Leave one of the two out, or run rfo agent.',
  ]);
});

test('options that exclude each other are refused', () => {
  assert.deepEqual(problems('--token=a', '--token-file=/t'), ['token: token-file is given as well. Give one of the two.']);
  assert.deepEqual(problems('--cni=none', '--flannel-iface=eth0'), [
    'flannel-iface: it has no meaning with cni none. Leave one of them out.',
  ]);
});

test('what nothing would read is refused, its default is not', () => {
  const refused = [
    ['--container-runtime-endpoint=/run/crio/crio.sock', '--selinux', 'selinux', 'container-runtime-endpoint /run/crio/crio.sock'],
    [
      '--container-runtime-endpoint=/run/crio/crio.sock',
      '--snapshotter=native',
      'snapshotter',
      'container-runtime-endpoint /run/crio/crio.sock',
    ],
    ['--disable-scheduler', '--kube-scheduler-arg=v=2', 'kube-scheduler-arg', 'disable-scheduler'],
    ['--disable-apiserver', '--kube-scheduler-arg=v=2', 'kube-scheduler-arg', 'disable-apiserver'],
    ['--disable-apiserver', '--audit-policy-file=/a.yaml', 'audit-policy-file', 'disable-apiserver'],
    ['--cni=none', '--flannel-backend=host-gw', 'flannel-backend', 'cni none'],
  ] as const;
  for (const [setting, flag, key, because] of refused) {
    assert.deepEqual(problems(setting, flag), [`${key}: it has no meaning with ${because}. Leave one of them out.`]);
    assert.deepEqual(problems(setting), []);
    assert.deepEqual(problems(flag), []);
  }
  assert.deepEqual(problems('--container-runtime-endpoint=/run/crio/crio.sock', '--snapshotter=overlayfs'), []);
});

test('a tool passes over mistakes in options that it does not need, and sees those in its own', () => {
  const known = { key: 'data-dir', source: 'file', items: [{ value: 'relative', place: 'f:1' }], append: false, place: 'f:1' } as const;
  assert.throws(
    () => resolveConfig(toolConfig, [known]),
    fail('config-invalid', { key: 'data-dir', where: 'f:1', problem: '"relative" is not an absolute path', cure: 'Begin it with "/"' }),
  );
  assert.equal(toolConfig.passOver, true);
});

test('every option is explained by one sentence, and no short form or variable is used twice', () => {
  const { infos } = serverConfig;
  for (const { key, help, group } of infos) {
    assert.match(help, /^[A-Za-z].*\.$/, key);
    assert.notEqual(group, '', key);
  }
  for (const names of [infos.flatMap(({ short }) => short ?? []), infos.flatMap(({ variables }) => variables ?? [])]) {
    assert.equal(new Set(names).size, names.length);
  }
});

test('the n-th address of a range', () => {
  assert.equal(addressOf('10.43.0.0/16', 1), '10.43.0.1');
  assert.equal(addressOf('10.43.255.0/24', 10), '10.43.255.10');
  assert.throws(() => addressOf('10.43.0.0/30', 4), RangeError);
});
