import type { Component } from '../src/component.ts';

/** cgo for its udp backend, which amd64 cannot be built without; static so that it runs on any host. */
export const flannel: Component = {
  name: 'flannel',
  pin: 'flannel',
  modules: ['github.com/flannel-io/flannel'],
  goesTo: 'bin',
  outputs: [
    {
      file: 'flanneld',
      package: 'github.com/flannel-io/flannel',
      tags: ['netgo', 'osusergo'],
      cgo: [],
      variables: { 'github.com/flannel-io/flannel/pkg/version.Version': '{version}' },
    },
  ],
};
