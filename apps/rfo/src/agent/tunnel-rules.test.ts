import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { EgressMode } from '../egress/egress-config.ts';
import { allowsTarget } from './tunnel-rules.ts';

const rules = { nodeIps: ['192.0.2.2', '198.51.100.2'], kubeletPort: 10250, clusterCidr: '10.42.0.0/16', podCidrs: ['10.42.2.0/24'] };
const allowed = (mode: EgressMode, targets: readonly string[]): readonly string[] =>
  targets.filter((target) => {
    const [host = '', port] = target.split(' ');
    return allowsTarget({ host, port: Number(port) }, { ...rules, mode });
  });

const kubelets = ['127.0.0.1 10250', '127.0.0.1 10010', '192.0.2.2 10250', '198.51.100.2 10250'];
const foreign = [
  '127.0.0.1 22',
  '127.0.0.1 2379',
  '192.0.2.2 22',
  '192.0.2.3 10250',
  'localhost 10250',
  '169.254.169.254 80',
  '10.43.0.1 443',
];
const ownPods = ['10.42.2.7 8443', '10.42.2.7 22'];
const otherPods = ['10.42.3.7 8443'];
const all = [...kubelets, ...foreign, ...ownPods, ...otherPods];

it('lets servers reach the kubelet of this node and nothing else in mode agent', () => assert.deepEqual(allowed('agent', all), kubelets));
it('lets them reach the pods of this node too in mode pod', () => assert.deepEqual(allowed('pod', all), [...kubelets, ...ownPods]));
it('lets them reach as much where it is not known what the servers are', () => assert.deepEqual(allowed('auto', all), allowed('pod', all)));
it('lets them reach every pod in mode cluster', () => assert.deepEqual(allowed('cluster', all), [...kubelets, ...ownPods, ...otherPods]));
it('lets them reach nothing when disabled', () => assert.deepEqual(allowed('disabled', all), []));
it('lets them reach no pod in mode pod before the node knows its range', () =>
  assert.equal(allowsTarget({ host: '10.42.2.7', port: 8443 }, { ...rules, podCidrs: [], mode: 'pod' }), false));
