import type { Component, GoOutput } from '../src/component.ts';

const plugin = (kind: string, file: string): GoOutput => ({
  file,
  package: `github.com/containernetworking/plugins/plugins/${kind}/${file}`,
  variables: { 'github.com/containernetworking/plugins/pkg/utils/buildversion.BuildVersion': '{version}' },
});

/** The plugins that the conflist of flannel's network names, and loopback, which containerd always runs. */
export const cni: Component = {
  name: 'cni',
  pin: 'cni',
  modules: ['github.com/containernetworking/plugins'],
  goesTo: 'bin',
  outputs: [plugin('main', 'bridge'), plugin('main', 'loopback'), plugin('ipam', 'host-local'), plugin('meta', 'portmap')],
};
