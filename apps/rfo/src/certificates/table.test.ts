import assert from 'node:assert/strict';
import { readdirSync, statSync } from 'node:fs';
import { describe, it } from 'node:test';
import { formatAltName, formatName } from '@rfo/pki';
import { TestNode } from './node.testing.ts';
import { certificateNames } from './table.ts';
import { usagesOf } from './usages.ts';

const loopback = 'DNS:localhost IP:127.0.0.1 IP:::1';
const addresses = 'IP:192.0.2.7 IP:2001:db8::7';
const kubernetes = 'DNS:kubernetes DNS:kubernetes.default DNS:kubernetes.default.svc DNS:kubernetes.default.svc.cluster.local';

/** What a user of RKE2 expects, written out: file, subject, signer, usages, names. */
const expected: Record<string, readonly [subject: string, signer: string, usages: string, names: string]> = {
  'server-ca': ['CN=rfo-server-ca@1795255200', 'CN=rfo-server-ca@1795255200', 'CertSign', ''],
  'client-ca': ['CN=rfo-client-ca@1795255200', 'CN=rfo-client-ca@1795255200', 'CertSign', ''],
  'request-header-ca': ['CN=rfo-request-header-ca@1795255200', 'CN=rfo-request-header-ca@1795255200', 'CertSign', ''],
  'etcd/server-ca': ['CN=etcd-server-ca@1795255200', 'CN=etcd-server-ca@1795255200', 'CertSign', ''],
  'etcd/peer-ca': ['CN=etcd-peer-ca@1795255200', 'CN=etcd-peer-ca@1795255200', 'CertSign', ''],
  'client-admin': ['CN=system:admin,O=system:masters', 'CN=rfo-client-ca@1795255200', 'ClientAuth', ''],
  'client-supervisor': ['CN=system:rfo-supervisor,O=system:masters', 'CN=rfo-client-ca@1795255200', 'ClientAuth', ''],
  'client-controller': ['CN=system:kube-controller-manager', 'CN=rfo-client-ca@1795255200', 'ClientAuth', ''],
  'client-scheduler': ['CN=system:kube-scheduler', 'CN=rfo-client-ca@1795255200', 'ClientAuth', ''],
  'client-kube-apiserver': ['CN=system:apiserver,O=system:masters', 'CN=rfo-client-ca@1795255200', 'ClientAuth', ''],
  'client-kube-proxy': ['CN=system:kube-proxy', 'CN=rfo-client-ca@1795255200', 'ClientAuth', ''],
  'client-rfo-controller': ['CN=system:rfo-controller', 'CN=rfo-client-ca@1795255200', 'ClientAuth', ''],
  'client-manager': ['CN=system:rfo-manager,O=system:masters', 'CN=rfo-client-ca@1795255200', 'ClientAuth', ''],
  'client-kubelet': ['CN=system:node:node-1,O=system:nodes', 'CN=rfo-client-ca@1795255200', 'ClientAuth', ''],
  'client-auth-proxy': ['CN=system:auth-proxy', 'CN=rfo-request-header-ca@1795255200', 'ClientAuth', ''],
  'serving-kubelet': ['CN=node-1', 'CN=rfo-server-ca@1795255200', 'ServerAuth', `DNS:node-1 ${loopback} ${addresses}`],
  'serving-kube-apiserver': [
    'CN=kube-apiserver',
    'CN=rfo-server-ca@1795255200',
    'ServerAuth',
    `${kubernetes} ${loopback} DNS:node-1 IP:10.43.0.1 ${addresses} DNS:k8s.example IP:198.51.100.1`,
  ],
  'kube-scheduler/kube-scheduler': ['CN=kube-scheduler', 'CN=rfo-server-ca@1795255200', 'ServerAuth', loopback],
  'kube-controller-manager/kube-controller-manager': ['CN=kube-controller-manager', 'CN=rfo-server-ca@1795255200', 'ServerAuth', loopback],
  'etcd/client': ['CN=etcd-client', 'CN=etcd-server-ca@1795255200', 'ClientAuth', ''],
  'etcd/server-client': ['CN=etcd-server', 'CN=etcd-server-ca@1795255200', 'ClientAuth,ServerAuth', `DNS:node-1 ${loopback} ${addresses}`],
  'etcd/peer-server-client': ['CN=etcd-peer', 'CN=etcd-peer-ca@1795255200', 'ClientAuth,ServerAuth', `DNS:node-1 ${loopback} ${addresses}`],
};

describe('the certificates of a server', () => {
  it('have the files, subjects, signers, usages and names of the table', async () => {
    using node = new TestNode();
    await node.ensure();
    const made = certificateNames.map((name) => {
      const info = node.info(name);
      const row = [formatName(info.subject), formatName(info.issuer), usagesOf(info), info.altNames.map(formatAltName).join(' ')];
      return [name, row] as const;
    });
    assert.deepEqual(Object.fromEntries(made), expected);
  });

  it('lie in folders of mode 0700, keys 0600, certificates 0644, and nothing else lies there', async () => {
    using node = new TestNode();
    await node.ensure();
    const modes = readdirSync(node.paths.server.tls, { recursive: true, encoding: 'utf8' }).map((file) => {
      return [file, (statSync(node.path(file)).mode & 0o777).toString(8)] as const;
    });
    const files = certificateNames.flatMap((name) => [[`${name}.crt`, '644'] as const, [`${name}.key`, '600'] as const]);
    const folders = ['etcd', 'kube-scheduler', 'kube-controller-manager'].map((name) => [name, '700'] as const);
    assert.deepEqual(Object.fromEntries(modes), Object.fromEntries([...files, ...folders, ['service.key', '600']]));
  });
});
