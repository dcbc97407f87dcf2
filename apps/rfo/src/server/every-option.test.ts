/** No option may be accepted and do nothing: each is tried here, and one that is new must be added to the table. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type ServerConfig, serverConfig, serverConfigOf } from '@rfo/schema';
import { type ViewName, viewOf } from './views.testing.ts';

type Given = NonNullable<Parameters<typeof serverConfigOf>[0]>;
type Trial<K extends keyof Given> =
  /** What `view` shows with this value differs from what it shows with `instead`, by default the option's own default. */
  | { readonly view: ViewName; readonly value: Given[K]; readonly instead?: Given[K]; readonly along?: Given }
  /** It acts before there is anything to render, in this file below `/`, which must speak of it. */
  | { readonly elsewhere: string };
type Trials = { readonly [K in keyof ServerConfig]-?: Trial<K> };

const folder = await mkdtemp(join(tmpdir(), 'rfo-options-'));
const at = (...names: readonly string[]): string => join(folder, ...names);
const base: Given = {
  'data-dir': at('data'),
  'run-dir': at('run'),
  'write-kubeconfig': at('admin.yaml'),
  'private-registry': at('none.yaml'),
};

const trials = {
  'config': { elsewhere: 'packages/schema/src/load-config.ts' },
  'data-dir': { view: 'etcd', value: at('other'), instead: at('data') },
  'run-dir': { view: 'containerd', value: at('other'), instead: at('run') },
  'write-kubeconfig': { view: 'kubeconfig', value: at('other.yaml'), instead: at('admin.yaml') },
  'write-kubeconfig-mode': { view: 'kubeconfig', value: '0640' },
  'write-kubeconfig-group': { view: 'kubeconfig', value: 'adm' },
  'certificate-renewal-ratio': { view: 'renewal', value: 0.5 },
  'supervisor-metrics': { view: 'metrics', value: true },
  'log-format': { elsewhere: 'apps/rfo/src/cli/with-config.ts' },
  'debug': { view: 'etcd', value: true },

  'server': { elsewhere: 'packages/schema/src/server-options/join.ts' },
  'token': { view: 'tokens', value: 'a', instead: 'b' },
  'token-file': { view: 'tokens', value: at('secret-a'), instead: at('secret-b') },
  'agent-token': { view: 'tokens', value: 'a', along: { token: 's' } },
  'agent-token-file': { view: 'tokens', value: at('secret-a'), along: { token: 's' } },
  'vip': { view: 'certificates', value: '192.0.2.100' },
  'vip-interface': { elsewhere: 'apps/rfo/src/server/boot.ts' },
  'bind-address': { view: 'kube-apiserver', value: '192.0.2.11' },
  'advertise-address': { view: 'kube-apiserver', value: '192.0.2.12' },
  'tls-san': { view: 'certificates', value: ['api.example.com'] },

  'egress-selector-mode': { view: 'kube-apiserver', value: 'disabled' },

  'cluster-cidr': { view: 'kube-controller-manager', value: '10.52.0.0/16' },
  'service-cidr': { view: 'kube-apiserver', value: '10.53.0.0/16' },
  'service-node-port-range': { view: 'kube-apiserver', value: '31000-31999' },
  'cluster-dns': { view: 'kubelet', value: '10.43.0.53' },
  'cluster-domain': { view: 'kubelet', value: 'example.local' },

  'node-name': { view: 'kubelet', value: 'other' },
  'with-node-id': { view: 'kubelet', value: true },
  'node-label': { view: 'kubelet', value: ['disk=ssd'] },
  'node-taint': { view: 'kubelet', value: ['dedicated=db:NoSchedule'] },
  'node-ip': { view: 'etcd', value: ['198.51.100.1'] },
  'node-external-ip': { view: 'certificates', value: ['203.0.113.5'] },
  'resolv-conf': { view: 'resolv-conf', value: at('resolv.conf') },

  'cni': { view: 'components', value: 'none' },
  'flannel-backend': { view: 'flannel', value: 'host-gw' },
  'flannel-iface': { view: 'flannel', value: 'eth1' },
  'kube-proxy-mode': { view: 'kube-proxy', value: 'iptables' },

  'container-runtime-endpoint': { view: 'components', value: '/run/crio/crio.sock' },
  'default-runtime': { view: 'containerd', value: 'crun' },
  'snapshotter': { view: 'containerd', value: 'native' },
  'nonroot-devices': { view: 'containerd', value: true },
  'private-registry': { view: 'registries', value: at('mirrors.yaml'), instead: at('none.yaml') },
  'system-default-registry': { view: 'containerd', value: 'registry.example.com' },
  'disable-default-registry-endpoint': { view: 'registries', value: true, along: { 'private-registry': at('mirrors.yaml') } },
  'image-credential-provider-bin-dir': { view: 'kubelet', value: '/a', along: { 'image-credential-provider-config': '/c.yaml' } },
  'image-credential-provider-config': { view: 'kubelet', value: '/c.yaml', along: { 'image-credential-provider-bin-dir': '/a' } },

  'disable': { view: 'manifests', value: ['coredns'] },
  'disable-etcd': { view: 'components', value: true, along: { server: ['https://192.0.2.7:9345'] } },
  'disable-apiserver': { view: 'components', value: true },
  'disable-scheduler': { view: 'components', value: true },
  'disable-controller-manager': { view: 'components', value: true },
  'disable-kube-proxy': { view: 'components', value: true },
  'disable-agent': { view: 'ports', value: true },
  'authorized-endpoint': { view: 'kube-apiserver', value: true },
  'etcd-expose-metrics': { view: 'etcd', value: true },
  'enable-pprof': { view: 'kube-scheduler', value: true },

  'manager': { view: 'components', value: true },
  'manager-https-port': { view: 'ports', value: 9443, along: { manager: true } },
  'manager-server-url': { view: 'rfo-manager', value: 'https://rfo.example.com', along: { manager: true } },
  'manager-arg': { view: 'rfo-manager', value: ['shutdown-delay=5s'], along: { manager: true } },

  'etcd-arg': { view: 'etcd', value: ['max-wals=3'] },
  'kube-apiserver-arg': { view: 'kube-apiserver', value: ['v=2'] },
  'kube-controller-manager-arg': { view: 'kube-controller-manager', value: ['v=2'] },
  'kube-scheduler-arg': { view: 'kube-scheduler', value: ['v=2'] },
  'kubelet-arg': { view: 'kubelet', value: ['v=2'] },
  'kube-proxy-arg': { view: 'kube-proxy', value: ['v=2'] },

  'profile': { view: 'processes', value: 'cis' },
  'secrets-encryption-provider': { view: 'encryption', value: 'secretbox' },
  'audit-policy-file': { view: 'kube-apiserver', value: '/etc/audit.yaml' },
  'pod-security-admission-config-file': { view: 'kube-apiserver', value: '/etc/psa.yaml' },
  'protect-kernel-defaults': { view: 'kubelet', value: true },
  'selinux': { view: 'containerd', value: true },
} as const satisfies Trials;

/** Where one option means several things, the others. */
const more: readonly (readonly [ViewName, Given])[] = [
  ['processes', { debug: true }],
  ['kube-proxy', { 'debug': true }],
  ['rfo-manager', { debug: true }],
  ['rfo-manager', { 'manager': true, 'manager-https-port': 9443 }],
  ['rfo-manager', { 'bind-address': '192.0.2.11' }],
  ['rfo-manager', { 'tls-san': ['api.example.com'] }],
  ['rfo-manager', { vip: '192.0.2.100' }],
  ['rfo-manager', { 'log-format': 'json' }],
  ['kubelet', { profile: 'cis' }],
  ['kubeconfig', { 'bind-address': '192.0.2.11' }],
  ['ports', { 'disable-etcd': true }],
  ['ports', { 'disable-apiserver': true }],
  ['certificates', { 'bind-address': '203.0.113.7' }],
  ['certificates', { 'advertise-address': '192.0.2.12' }],
  ['kube-apiserver', { 'node-external-ip': ['203.0.113.5'] }],
  ['certificates', { 'with-node-id': true }],
  ['manifests', { 'system-default-registry': 'registry.example.com' }],
  ['manifests', { 'cluster-cidr': '10.52.0.0/16' }],
  ['manifests', { 'cluster-domain': 'example.local' }],
  ['manifests', { 'service-cidr': '10.53.0.0/16' }],
  ['kubelet', { 'container-runtime-endpoint': '/run/crio/crio.sock' }],
  ['flannel', { 'kube-proxy-mode': 'iptables' }],
];

describe('every option of a server has an effect', () => {
  before(async () => {
    await mkdir(at('etc', 'node'), { recursive: true });
    const files = {
      'secret-a': 'a\n',
      'secret-b': 'b\n',
      'resolv.conf': 'nameserver 192.0.2.53\n',
      'mirrors.yaml': 'mirrors: {"*": {endpoint: ["https://mirror.example.com"]}}\n',
      'etc/node/id': '0a1b2c3d\n',
    };
    for (const [name, text] of Object.entries(files)) await writeFile(at(name), text);
  });
  after(() => rm(folder, { recursive: true }));

  for (const [key, trial] of Object.entries<Trial<keyof Given>>(trials)) {
    if ('elsewhere' in trial) {
      test(`${key}: in ${trial.elsewhere}`, async () => {
        const text = await readFile(join(import.meta.dirname, '../../../..', trial.elsewhere), 'utf8');
        assert.ok(text.includes(`'${key}'`));
      });
      continue;
    }
    const { view, value, instead, along } = trial;
    const without = { ...base, ...along, ...(instead === undefined ? {} : { [key]: instead }) };
    test(`${key}: ${view}`, { skip: key === 'write-kubeconfig-group' && process.geteuid?.() !== 0 && 'only root gives files away' }, () =>
      assertDiffers(view, without, { ...without, [key]: value }),
    );
  }

  for (const [view, given] of more)
    test(`${Object.keys(given).join()}: ${view} too`, () => assertDiffers(view, base, { ...base, ...given }));

  test('the table has them all', () => {
    assert.deepEqual(Object.keys(trials).sort(), serverConfig.infos.map(({ key }) => key).sort());
  });
});

async function assertDiffers(view: ViewName, one: Given, other: Given): Promise<void> {
  const show = (given: Given): Promise<unknown> => viewOf(view, serverConfigOf(given), folder);
  const first = await show(one);
  assert.deepEqual(await show(one), first, 'the view changes by itself: it cannot tell anything');
  assert.notDeepEqual(await show(other), first);
}
