import type { Component } from '../src/component.ts';

export const helm: Component = {
  name: 'helm',
  pin: 'helm',
  modules: ['helm.sh/helm/v4'],
  goesTo: 'bin',
  outputs: [
    {
      file: 'helm',
      package: 'helm.sh/helm/v4/cmd/helm',
      variables: { 'helm.sh/helm/v4/internal/version.version': '{version}', 'helm.sh/helm/v4/internal/version.gitTreeState': 'archive' },
    },
  ],
};
