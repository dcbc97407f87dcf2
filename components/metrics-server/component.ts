import { kubernetesVariables } from '../kubernetes/variables.ts';
import type { Component } from '../src/component.ts';

export const metricsServer: Component = {
  name: 'metrics-server',
  pin: 'metrics-server',
  modules: ['sigs.k8s.io/metrics-server'],
  goesTo: 'image',
  outputs: [{ file: 'metrics-server', package: 'sigs.k8s.io/metrics-server/cmd/metrics-server', variables: kubernetesVariables }],
};
