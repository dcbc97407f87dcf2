import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asByHand } from './arguments.ts';

test('the timers and limits of etcd that rfo chooses are left out, addresses and keys stay', () => {
  const args = ['--name=node', '--heartbeat-interval=50', '--election-timeout=250', '--data-dir=/d', '--logger=zap', '--cert-file=/c'];
  assert.deepEqual(asByHand('etcd', args), ['--name=node', '--data-dir=/d', '--cert-file=/c']);
});

test('audit log, encryption and suites of the API server are left out', () => {
  const args = [
    '--audit-log-path=/a',
    '--audit-policy-file=/p',
    '--encryption-provider-config=/e',
    '--encryption-provider-config-automatic-reload=true',
    '--tls-cipher-suites=A,B',
    '--tls-cert-file=/c',
    '--authorization-mode=Node,RBAC',
  ];
  assert.deepEqual(asByHand('kube-apiserver', args), ['--tls-cert-file=/c', '--authorization-mode=Node,RBAC']);
});

test('raised client limits are left out of every client', () => {
  const args = ['--kube-api-qps=200', '--kube-api-burst=400', '--kubeconfig=/k'];
  for (const component of ['kube-controller-manager', 'kube-scheduler', 'kube-proxy']) {
    assert.deepEqual(asByHand(component, args), ['--kubeconfig=/k']);
  }
});

test('a name is compared whole, and a component without an entry keeps everything', () => {
  assert.deepEqual(asByHand('kube-controller-manager', ['--controllers-x=1', '--profiling']), ['--controllers-x=1']);
  assert.deepEqual(asByHand('flannel', ['--ip-masq', '--kube-subnet-mgr']), ['--ip-masq', '--kube-subnet-mgr']);
});
