import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { silentLog } from '@rfo/foundation';
import { type KubeObject, startTestCluster, type TestCluster } from '@rfo/kube';
import type { ServerConfig } from '@rfo/schema';
import { firstPodRange, givePodRange } from './first-pod-range.ts';
import { nodeRegistered } from './node-state.ts';

type Settings = Pick<ServerConfig, 'server' | 'cluster-cidr' | 'kube-controller-manager-arg' | 'cni'>;
const config: Settings = { 'server': [], 'cluster-cidr': '10.42.0.0/16', 'kube-controller-manager-arg': [], 'cni': 'flannel' };
const roles = { controllerManager: true };

describe('the pod range of the first node', () => {
  it('is the first that kube-controller-manager would give', () => {
    assert.equal(firstPodRange(config, roles), '10.42.0.0/24');
    assert.equal(firstPodRange({ ...config, 'cluster-cidr': '172.20.77.9/14' }, roles), '172.20.0.0/24');
    assert.equal(firstPodRange({ ...config, 'cluster-cidr': '10.1.2.0/24' }, roles), '10.1.2.0/24');
  });

  it('is left to kube-controller-manager where that may choose otherwise', () => {
    for (const arg of [
      'node-cidr-mask-size=25',
      '--allocate-node-cidrs=false',
      'cluster-cidr=10.50.0.0/16',
      'cidr-allocator-type=CloudAllocator',
    ])
      assert.equal(firstPodRange({ ...config, 'kube-controller-manager-arg': [arg] }, roles), undefined, arg);
    assert.equal(firstPodRange({ ...config, 'kube-controller-manager-arg': ['v=4'] }, roles), '10.42.0.0/24');
    assert.equal(firstPodRange({ ...config, 'server': ['10.0.0.1'] }, roles), undefined);
    assert.equal(firstPodRange({ ...config, 'cni': 'none' }, roles), undefined);
    assert.equal(firstPodRange({ ...config, 'cluster-cidr': '10.1.2.0/26' }, roles), undefined);
    assert.equal(firstPodRange(config, { controllerManager: false }), undefined);
  });

  describe('at an API server', { timeout: 120_000 }, () => {
    let cluster: TestCluster;
    before(async () => {
      cluster = await startTestCluster();
    });
    after(() => cluster.stop());

    it('is given when the node comes, unless another was faster', async (t) => {
      const { client } = cluster;
      const log = silentLog;
      const common = { client, log, signal: AbortSignal.any([t.signal, AbortSignal.timeout(90_000)]) };
      const node = (name: string, spec?: object): KubeObject => ({
        apiVersion: 'v1',
        kind: 'Node',
        metadata: { name },
        ...(spec && { spec }),
      });
      const registered = (nodeName: string): Promise<string> => {
        const rangeless = (): Promise<void> => givePodRange({ ...common, nodeName, range: '10.42.0.0/24' });
        return nodeRegistered({ ...common, nodeName, rangeless });
      };

      const first = registered('first');
      await client.create(node('first'));
      assert.equal(await first, '10.42.0.0/24');

      await client.create(node('ranged', { podCIDR: '10.42.7.0/24', podCIDRs: ['10.42.7.0/24'] }));
      assert.equal(await registered('ranged'), '10.42.7.0/24');
      await givePodRange({ ...common, nodeName: 'ranged', range: '10.42.0.0/24' });
      assert.equal(await registered('ranged'), '10.42.7.0/24');
      await assert.rejects(givePodRange({ ...common, nodeName: 'missing', range: '10.42.0.0/24' }), { code: 'kube-api' });
    });
  });
});
