import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Component } from '../component/component.ts';
import { inOrder } from '../component/order.ts';
import { agentComponents, agentNotices } from './components.ts';
import { testInputs } from './test-inputs.ts';

const options = { listening: ['port'], api: ['api'], services: ['services'], nodeRegistered: async () => '10.42.0.0/24' };
const others = ['port', 'api', 'services'].map((name): Component => ({ kind: 'task', name, needs: [], run: async () => undefined }));
const needs = (...given: Parameters<typeof testInputs>): Record<string, readonly string[]> =>
  Object.fromEntries(agentComponents(testInputs(...given), options).map((component) => [component.name, component.needs]));

describe('agent components', () => {
  test('wait for just what they need', () => {
    assert.deepEqual(needs(), {
      'registries': [],
      'containerd': [],
      'images': ['containerd'],
      'kubelet': ['containerd', 'registries', 'port'],
      'kube-proxy': ['kubelet', 'services'],
      'flannel': ['kubelet', 'api'],
      'cni-config': ['images'],
    });
    inOrder([...others, ...agentComponents(testInputs(), options)]);
  });

  test('are only those that the configuration asks for', () => {
    assert.deepEqual(needs({ config: { 'cni': 'none', 'disable-kube-proxy': true } }), {
      registries: [],
      containerd: [],
      images: ['containerd'],
      // Without a network of ours to wait with, pods may start as soon as kubelet runs.
      kubelet: ['images', 'registries', 'port'],
    });
    assert.deepEqual(needs({ config: { 'container-runtime-endpoint': '/run/crio/crio.sock' } }), {
      'kubelet': ['port'],
      'kube-proxy': ['kubelet', 'services'],
      'flannel': ['kubelet', 'api'],
      'cni-config': [],
    });
  });

  test('log and record under their own names', async () => {
    for (const component of agentComponents(testInputs(), options)) {
      if (component.kind !== 'process') continue;
      const { process } = await component.render();
      assert.equal(process.name, component.name);
      assert.equal(process.logFile, `/var/lib/rancher/rfo/logs/${component.name}.log`);
      assert.equal(process.recordFile, `/run/rfo/processes/${component.name}.json`);
    }
  });

  test('say what they do otherwise on a poor host', () => {
    assert.deepEqual(agentNotices(testInputs()), []);
    const poor = testInputs({ host: { cgroup: 'v1', nftables: { ok: false, why: 'nft is not installed' } } });
    assert.deepEqual(agentNotices(poor), [
      'Services use iptables, as nftables does not work here (nft is not installed)',
      'this host has cgroup v1, which Kubernetes is about to drop',
    ]);
  });
});
