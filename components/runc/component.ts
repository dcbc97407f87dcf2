import type { Component } from '../src/component.ts';

/** cgo because runc enters namespaces in C before the Go runtime starts; static so that it runs on any host. */
export const runc: Component = {
  name: 'runc',
  pin: 'runc',
  modules: ['github.com/opencontainers/runc'],
  goesTo: 'bin',
  outputs: [
    {
      file: 'runc',
      package: 'github.com/opencontainers/runc',
      tags: ['seccomp', 'netgo', 'osusergo', 'urfave_cli_no_docs'],
      cgo: ['seccomp'],
    },
  ],
};
