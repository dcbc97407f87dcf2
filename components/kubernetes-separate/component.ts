import { kubernetesVariables } from '../kubernetes/variables.ts';
import type { Component, GoOutput } from '../src/component.ts';

const separate = (file: string): GoOutput => ({ file, package: `k8s.io/kubernetes/cmd/${file}`, variables: kubernetesVariables });

/** The same components as upstream ships them, one binary each: what the benchmark compares with. Built on request only. */
export const kubernetesSeparate: Component = {
  name: 'kubernetes-separate',
  pin: 'kubernetes',
  modules: ['k8s.io/kubernetes'],
  sharesModuleOf: 'kubernetes',
  goesTo: 'nowhere',
  outputs: [
    separate('kube-apiserver'),
    separate('kube-controller-manager'),
    separate('kube-scheduler'),
    separate('kubelet'),
    separate('kube-proxy'),
  ],
};
