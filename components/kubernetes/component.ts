import type { Component } from '../src/component.ts';
import { kubernetesVariables } from './variables.ts';

/** Every Kubernetes component in one binary (main.go here). */
export const kubernetes: Component = {
  name: 'kubernetes',
  pin: 'kubernetes',
  modules: ['k8s.io/kubernetes'],
  goesTo: 'bin',
  outputs: [
    {
      file: 'kubernetes',
      package: '.',
      variables: kubernetesVariables,
      links: ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kubelet', 'kube-proxy', 'kubectl'],
    },
  ],
};
