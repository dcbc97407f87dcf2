import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { agentPlan } from './agent-plan.ts';
import { renderAutoinstall } from './autoinstall.ts';
import { renderCloudInit, renderMetaData } from './cloud-init.ts';
import { renderIgnition } from './ignition.ts';
import { kubeletPlan } from './kubelet-plan.ts';
import { renderUserData, type UserDataFormat } from './render.ts';
import { renderScript } from './script.ts';
import type { HostPlan } from './types.ts';
import { agentJoin, kubeletJoin } from './user-data.testing.ts';

const small: HostPlan = {
  summary: 'a host',
  files: [{ path: '/etc/a b', mode: '0600', content: "one $two\n'three' \\\n" }],
  units: [
    { name: 'a.service', content: '[Service]\nExecStart=/bin/true\n', enabled: true },
    { name: 'b.service', content: '[Service]\n', enabled: false },
  ],
};

test('cloud-init gets files with permissions as texts, readable, and the order to start the units', () => {
  assert.equal(
    renderCloudInit(small),
    `#cloud-config
# a host
write_files:
  - path: /etc/a b
    owner: root:root
    permissions: "0600"
    content: |
      one $two
      'three' \\
  - path: /etc/systemd/system/a.service
    owner: root:root
    permissions: "0644"
    content: |
      [Service]
      ExecStart=/bin/true
  - path: /etc/systemd/system/b.service
    owner: root:root
    permissions: "0644"
    content: |
      [Service]
runcmd:
  - - systemctl
    - daemon-reload
  - - systemctl
    - enable
    - --now
    - a.service
`,
  );
});

test("Ubuntu's installer gets the same for the system that it makes, and asks nothing", () => {
  const { autoinstall } = parse(renderAutoinstall(small));
  const { write_files, runcmd } = parse(renderCloudInit(small));
  assert.deepEqual(autoinstall, {
    'version': 1,
    'storage': { layout: { name: 'direct' } },
    'ssh': { 'install-server': true, 'allow-pw': false },
    'packages': ['curl', 'openssl'],
    'user-data': { disable_root: true, write_files, runcmd },
    'shutdown': 'reboot',
  });
  assert.match(renderAutoinstall(small), /^#cloud-config\n/);
});

test('Ignition gets modes as numbers and contents as data', () => {
  assert.deepEqual(JSON.parse(renderIgnition(small)), {
    ignition: { version: '3.3.0' },
    storage: {
      files: [{ path: '/etc/a b', mode: 384, overwrite: true, contents: { source: 'data:;base64,b25lICR0d28KJ3RocmVlJyBcCg==' } }],
    },
    systemd: {
      units: [
        { name: 'a.service', contents: '[Service]\nExecStart=/bin/true\n', enabled: true },
        { name: 'b.service', contents: '[Service]\n' },
      ],
    },
  });
});

test('the script writes each file by a here-document in which nothing is expanded', () => {
  assert.equal(
    renderScript({ ...small, units: small.units.slice(0, 1) }),
    `#!/bin/sh
# a host

set -eu
umask 077

# Path, mode.
put() {
  cat >"$1.new"
  chmod "$2" "$1.new"
  mv "$1.new" "$1"
}

(umask 022; mkdir -p '/etc')
put '/etc/a b' 0600 <<'END-a4d4770fc0d5155b'
one $two
'three' \\
END-a4d4770fc0d5155b

(umask 022; mkdir -p '/etc/systemd/system')
put '/etc/systemd/system/a.service' 0644 <<'END-d4fded2cad024081'
[Service]
ExecStart=/bin/true
END-d4fded2cad024081

systemctl daemon-reload
systemctl enable --now a.service
`,
  );
});

test('an agent gets its configuration, and its token in a file of its own', () => {
  const { files, units } = agentPlan(agentJoin);
  const contents = Object.fromEntries(files.map(({ path, content }) => [path, content]));
  assert.equal(
    contents['/etc/rancher/rfo/config.yaml'],
    'server: https://192.0.2.1:9345\ntoken-file: /etc/rfo-join/token\nnode-name: worker-1\nnode-label:\n  - bgp=worker\n',
  );
  assert.equal(contents['/etc/rfo-join/token'], `${agentJoin.token}\n`);
  assert.equal(contents['/etc/rfo-join/settings'], "NODE_NAME='worker-1'\nREPORT_URL=''\nSEED_ID=''\nPROGRAMS=''\n");
  assert.deepEqual(
    units.map(({ name, enabled }) => [name, enabled]),
    [
      ['rfo-agent.service', false],
      ['rfo-join.service', true],
    ],
  );
});

test('the unit of an agent is the one that is installed by hand', () => {
  const installed = readFileSync(join(import.meta.dirname, '../../../../../deploy/systemd/rfo-agent.service'), 'utf8');
  assert.equal(agentPlan(agentJoin).units[0]?.content, installed);
});

test('a kubelet gets the pin of the CA, its settings and separate certificates', () => {
  const { files, units } = kubeletPlan(kubeletJoin);
  const contents = Object.fromEntries(files.map(({ path, content }) => [path, content]));
  assert.equal(
    contents['/etc/rfo-join/settings'],
    `NODE_NAME=''
REPORT_URL='http://192.0.2.2:8890/report'
SEED_ID='52-54-00-12-34-56'
PROGRAMS='arm64'
PROGRAM_arm64='http://192.0.2.2:8890/files/kubelet-arm64.tar.gz'
PROGRAM_SUM_arm64='${'d'.repeat(64)}'
API_SERVER='https://192.0.2.1:6443'
CA_URL='https://192.0.2.2:8888'
CA_PIN='${'b'.repeat(64)}'
CLIENT_PROFILE='kubelet-client'
SERVING_PROFILE='kubelet-serving'
RUNTIME='containerd.service'
`,
  );
  assert.equal(
    contents['/etc/rfo-join/kubelet.yaml'],
    `apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
authentication:
  anonymous:
    enabled: false
  webhook:
    enabled: true
  x509:
    clientCAFile: /var/lib/kubelet/pki/ca.pem
authorization:
  mode: Webhook
readOnlyPort: 0
tlsCertFile: /var/lib/kubelet/pki/serving.pem
tlsPrivateKeyFile: /var/lib/kubelet/pki/serving.pem
tlsMinVersion: VersionTLS12
rotateCertificates: false
serverTLSBootstrap: false
containerRuntimeEndpoint: unix:///run/containerd/containerd.sock
cgroupDriver: systemd
clusterDNS:
  - 10.43.0.10
clusterDomain: cluster.local
failSwapOn: false
`,
  );
  const unit = units.find(({ name }) => name === 'kubelet.service')?.content ?? '';
  assert.match(
    unit,
    /^ExecStart=\/bin\/sh -c '\. \/var\/lib\/rfo-join\/node; exec kubelet --config=\/var\/lib\/kubelet\/config\.yaml --kubeconfig=\/var\/lib\/kubelet\/kubeconfig --hostname-override="\$\$node" --node-ip="\$\$address" --node-labels=bgp=worker,zone=b'$/m,
  );
});

test('CRI-O has its own socket and service, and needs no file of containerd', () => {
  const { files, units } = kubeletPlan({ ...kubeletJoin, runtime: 'cri-o' });
  assert.ok(files.some(({ content }) => content.includes('unix:///run/crio/crio.sock')));
  assert.ok(files.some(({ content }) => content.includes("RUNTIME='crio.service'")));
  assert.ok(units.some(({ content }) => content.includes('After=network-online.target crio.service')));
  assert.ok(!files.some(({ path }) => path.includes('containerd')));
});

test('the secret is in one file that only root reads, in every format', () => {
  for (const host of [{ as: 'agent', ...agentJoin } as const, { as: 'kubelet', ...kubeletJoin } as const]) {
    const { files, units } = host.as === 'agent' ? agentPlan(host) : kubeletPlan(host);
    const holding = [...files, ...units].filter(({ content }) => content.includes(host.token));
    assert.deepEqual(
      holding.map((file) => ('path' in file ? [file.path, file.mode] : file.name)),
      [['/etc/rfo-join/token', '0600']],
    );
    for (const format of ['cloud-init', 'autoinstall', 'ignition', 'script'] satisfies UserDataFormat[]) {
      const text = renderUserData(format, host);
      const inData = text.includes(Buffer.from(`${host.token}\n`).toString('base64'));
      assert.equal(text.split(host.token).length - 1 + (inData ? 1 : 0), 1, format);
    }
  }
});

test('other user data makes another machine of it for cloud-init', () => {
  const host = { id: 'rack-1', nodeName: 'worker-1' };
  assert.equal(renderMetaData({ ...host, userData: 'a' }), 'instance-id: rack-1-ca978112ca1b\nlocal-hostname: worker-1\n');
  assert.notEqual(renderMetaData({ ...host, userData: 'a' }), renderMetaData({ ...host, userData: 'b' }));
  assert.equal(renderMetaData({ ...host, nodeName: undefined, userData: 'a' }), 'instance-id: rack-1-ca978112ca1b\n');
});
