import type { Component, GoOutput } from '../src/component.ts';

const command = (file: string, moreTags: readonly string[] = []): GoOutput => ({
  file,
  package: `github.com/containerd/containerd/v2/cmd/${file}`,
  tags: ['urfave_cli_no_docs', 'osusergo', 'netgo', 'static_build', ...moreTags],
  variables: {
    'github.com/containerd/containerd/v2/version.Version': '{version}',
    'github.com/containerd/containerd/v2/version.Revision': '',
  },
});

/** Tags as in upstream's Makefile: the shim without gRPC is a third smaller, and one runs per pod. */
export const containerd: Component = {
  name: 'containerd',
  pin: 'containerd',
  modules: ['github.com/containerd/containerd/v2'],
  goesTo: 'bin',
  outputs: [command('containerd'), command('containerd-shim-runc-v2', ['no_grpc']), command('ctr')],
};
