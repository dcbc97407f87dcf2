import type { Component } from '../src/component.ts';

/** With upstream's own list of plugins, so that every Corefile works. */
export const coredns: Component = {
  name: 'coredns',
  pin: 'coredns',
  modules: ['github.com/coredns/coredns'],
  goesTo: 'image',
  outputs: [
    {
      file: 'coredns',
      package: 'github.com/coredns/coredns',
      tags: ['grpcnotrace'],
    },
  ],
};
