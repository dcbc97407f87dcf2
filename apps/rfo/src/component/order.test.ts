import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Component } from './component.ts';
import { inOrder } from './order.ts';

function part(name: string, ...needs: string[]): Component {
  return { kind: 'task', name, needs, run: async () => undefined };
}

test('each component comes after what it needs', () => {
  const components = [part('kubelet', 'containerd', 'kube-apiserver'), part('kube-apiserver', 'etcd'), part('containerd'), part('etcd')];
  assert.deepEqual(
    inOrder(components).map(({ name }) => name),
    ['containerd', 'etcd', 'kube-apiserver', 'kubelet'],
  );
});

test('a circle, an unknown need and a double name are errors that name the culprits', () => {
  assert.throws(() => inOrder([part('x', 'a'), part('a', 'b'), part('b', 'c'), part('c', 'a')]), /in a circle: a → b → c → a/);
  assert.throws(() => inOrder([part('a', 'a')]), /in a circle: a → a/);
  assert.throws(() => inOrder([part('a', 'etdc')]), /component a needs etdc, which does not exist/);
  assert.throws(() => inOrder([part('a'), part('a')]), /same name/);
});
