import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { describe, it } from 'node:test';
import { loadKubeconfig } from '@rfo/kube';
import { TestNode } from '../certificates/node.testing.ts';
import { nodeKubeconfig, writeNodeKubeconfigs } from './node-kubeconfigs.ts';

describe('the kubeconfigs of a node', () => {
  it('lead through the local load balancer, name their certificate files, and are for root alone', async () => {
    using node = new TestNode();
    const { paths } = node;
    await writeNodeKubeconfigs(paths, 6444);
    for (const client of ['kubelet', 'kube-proxy', 'rfo-controller'] as const) {
      const file = nodeKubeconfig(paths, client);
      assert.equal(file, `${paths.agent.root}/${client}.kubeconfig`);
      assert.equal(statSync(file).mode & 0o777, 0o600);
      const { clusters, users } = JSON.parse(readFileSync(file, 'utf8'));
      const tls = paths.agent.tls;
      assert.deepEqual(clusters[0].cluster, { 'server': 'https://127.0.0.1:6443', 'certificate-authority': `${tls}/server-ca.crt` });
      assert.deepEqual(users[0].user, { 'client-certificate': `${tls}/client-${client}.crt`, 'client-key': `${tls}/client-${client}.key` });
      assert.equal((await loadKubeconfig(file)).server, 'https://127.0.0.1:6443');
    }
  });
});
