import type { Component } from '../src/component.ts';

export const crictl: Component = {
  name: 'crictl',
  pin: 'crictl',
  modules: ['sigs.k8s.io/cri-tools'],
  goesTo: 'bin',
  outputs: [
    {
      file: 'crictl',
      package: 'sigs.k8s.io/cri-tools/cmd/crictl',
      variables: { 'sigs.k8s.io/cri-tools/pkg/version.Version': '{version}' },
    },
  ],
};
