import assert from 'node:assert/strict';
import { test } from 'node:test';
import { handPlan, handProcessNames } from './hand-plan.ts';

const argv = new Map(handProcessNames.map((name) => [name as string, [`/bin/${name === 'flannel' ? 'flanneld' : name}`, '--a=b']]));
const inputs = { argv, separate: undefined, tuned: false, nodeName: 'node', conflist: '{}', first: undefined };

test('by hand the same binaries run with the same arguments', () => {
  const { processes } = handPlan(inputs);
  assert.deepEqual(processes.etcd, { path: '/bin/etcd', args: ['--a=b'] });
  assert.deepEqual(processes.kubelet, { path: '/bin/kubelet', args: ['--a=b'] });
});

test('what rfo tunes is left out', () => {
  const tuned = new Map([...argv, ['kube-scheduler', ['/bin/kube-scheduler', '--kube-api-qps=200', '--x=y']]]);
  assert.deepEqual(handPlan({ ...inputs, argv: tuned }).processes['kube-scheduler'].args, ['--x=y']);
});

test('what rfo tunes is kept on request', () => {
  const own = new Map([...argv, ['kube-scheduler', ['/bin/kube-scheduler', '--kube-api-qps=200']]]);
  assert.deepEqual(handPlan({ ...inputs, argv: own, tuned: true }).processes['kube-scheduler'].args, ['--kube-api-qps=200']);
});

test('separate binaries replace those of Kubernetes only', () => {
  const { processes } = handPlan({ ...inputs, separate: '/separate' });
  const paths = handProcessNames.map((name) => processes[name].path);
  assert.deepEqual(paths, [
    '/bin/etcd',
    '/separate/kube-apiserver',
    '/separate/kube-controller-manager',
    '/separate/kube-scheduler',
    '/bin/containerd',
    '/separate/kubelet',
    '/separate/kube-proxy',
    '/bin/flanneld',
  ]);
});

test('flannel is given the rights of the administrator', () => {
  const own = new Map([...argv, ['flannel', ['/bin/flanneld', '--kubeconfig-file=/x', '--ip-masq']]]);
  assert.deepEqual(handPlan({ ...inputs, argv: own }).processes.flannel.args, [
    '--kubeconfig-file=/var/lib/rancher/rfo/server/cred/admin.kubeconfig',
    '--ip-masq',
  ]);
});

test('a warm-up run that lacked a component is no base for a comparison', () => {
  assert.throws(() => handPlan({ ...inputs, argv: new Map() }), /etcd/);
});
