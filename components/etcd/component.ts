import type { Component } from '../src/component.ts';

/** The version is a constant of the source, so nothing is set by the linker. */
export const etcd: Component = {
  name: 'etcd',
  pin: 'etcd',
  modules: ['go.etcd.io/etcd/server/v3', 'go.etcd.io/etcd/etcdctl/v3', 'go.etcd.io/etcd/etcdutl/v3'],
  goesTo: 'bin',
  outputs: [
    { file: 'etcd', package: 'go.etcd.io/etcd/server/v3' },
    { file: 'etcdctl', package: 'go.etcd.io/etcd/etcdctl/v3' },
    { file: 'etcdutl', package: 'go.etcd.io/etcd/etcdutl/v3' },
  ],
};
