import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serverConfigOf } from '@rfo/schema';
import { nodePaths } from '../paths.ts';
import { etcdArguments } from './etcd.ts';
import type { ServerInputs } from './inputs.ts';

const inputs: ServerInputs = {
  config: serverConfigOf(),
  paths: nodePaths({ dataDir: '/d', runDir: '/r', etcDir: '/e' }),
  nodeName: 'two',
  nodeIp: '10.0.0.2',
  advertiseAddress: '10.0.0.2',
  kubernetesServiceIp: '10.43.0.1',
  clusterDns: '10.43.0.10',
};
const alone = etcdArguments(inputs);
const differing = (args: readonly string[]): string[] => args.filter((argument) => !alone.includes(argument));

test('etcd of a server that joined has its own name, the members that it joined, and the timers of several', () => {
  const initialCluster = 'one=https://10.0.0.1:2380,two-0a1b2c3d=https://10.0.0.2:2380';
  assert.deepEqual(differing(etcdArguments(inputs, { name: 'two-0a1b2c3d', initialCluster, state: 'existing', alone: false })), [
    '--name=two-0a1b2c3d',
    `--initial-cluster=${initialCluster}`,
    '--initial-cluster-state=existing',
    '--heartbeat-interval=100',
    '--election-timeout=1000',
  ]);
});

test('the first server takes the timers of several when it knows of others, and nothing else', () => {
  const membership = { name: 'two', initialCluster: 'two=https://10.0.0.2:2380', state: 'new', alone: false } as const;
  assert.deepEqual(differing(etcdArguments(inputs, membership)), ['--heartbeat-interval=100', '--election-timeout=1000']);
  assert.deepEqual(differing(etcdArguments(inputs, { ...membership, alone: true })), []);
});
