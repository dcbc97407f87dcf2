import type { TestCluster, TestClusterOptions } from './testing/cluster.ts';

export type { TestCluster } from './testing/cluster.ts';

/** For tests: a real etcd and kube-apiserver on loopback. Loaded only when called, so that no program carries it. Throws bundle-missing. */
export async function startTestCluster(options: TestClusterOptions = {}): Promise<TestCluster> {
  const { startCluster } = await import('./testing/cluster.ts');
  return startCluster(options);
}
