import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { createKubeClient, type KubeClient, type KubeObject, startTestCluster, type TestCluster } from '@rfo/kube';
import { nodeControllerRights } from './cluster-objects.ts';

const kind = { apiVersion: 'v1', kind: 'Node' } as const;
const ref = { ...kind, name: 'node-1' };

describe('the controllers of a node', { timeout: 120_000 }, () => {
  let cluster: TestCluster;
  let controller: KubeClient;
  before(async () => {
    cluster = await startTestCluster();
    const { cert, key } = cluster.issue('controller', '/CN=system:rfo-controller');
    controller = createKubeClient({ ...cluster.options, cert: { file: cert }, key: { file: key } });
    for (const object of nodeControllerRights()) await cluster.client.apply(object, { fieldManager: 'test' });
    const node = { ...kind, metadata: { name: 'node-1', labels: { disk: 'ssd' }, annotations: { note: 'kept' } } };
    await cluster.client.apply(node, { fieldManager: 'test' });
    // A policy acts a moment after it was made.
    const deadline = Date.now() + 30_000;
    while (await tries({ metadata: { labels: { probe: String(Date.now()) } } }))
      assert.ok(Date.now() < deadline, 'the policy does not act');
  });
  after(async () => {
    controller.close();
    await cluster.stop();
  });

  const tries = async (patch: object, subresource?: 'status'): Promise<boolean> => {
    const options = { type: 'merge' as const, ...(subresource && { subresource }) };
    try {
      await controller.patch(ref, patch as KubeObject, options);
      return true;
    } catch (error) {
      assert.match(String(error), /rfo-node-controllers/);
      return false;
    }
  };

  it('write what flannel tells other nodes, and that the network is there', async () => {
    assert.ok(await tries({ metadata: { annotations: { 'flannel.alpha.coreos.com/public-ip': '192.0.2.7' } } }));
    assert.ok(await tries({ metadata: { annotations: { 'flannel.alpha.coreos.com/public-ip': null } } }));
    const conditions = [{ type: 'NetworkUnavailable', status: 'False', reason: 'FlannelIsUp' }];
    assert.ok(await tries({ status: { conditions } }, 'status'));
  });

  it('change nothing else of any Node', async () => {
    assert.equal(await tries({ spec: { unschedulable: true } }), false);
    assert.equal(await tries({ spec: { taints: [{ key: 'a', effect: 'NoExecute' }] } }), false);
    assert.equal(await tries({ metadata: { labels: { disk: null } } }), false);
    assert.equal(await tries({ metadata: { annotations: { 'etcd.rfo.io/remove': 'true' } } }), false);
    assert.equal(await tries({ metadata: { annotations: { note: 'other' } } }), false);
    assert.equal(await tries({ metadata: { annotations: { note: null } } }), false);
    assert.equal(await tries({ metadata: { finalizers: ['example.com/stuck'] } }), false);
    assert.equal(await tries({ status: { addresses: [{ type: 'InternalIP', address: '192.0.2.66' }] } }, 'status'), false);
  });
});
