import type { Component } from '../src/component.ts';

/** The process that holds a pod's namespaces. Its C source comes with Kubernetes; the flags are those of its Makefile. */
export const pause: Component = {
  name: 'pause',
  pin: 'pause',
  modules: ['k8s.io/kubernetes'],
  sharesModuleOf: 'kubernetes',
  goesTo: 'image',
  outputs: [
    { file: 'pause', source: 'build/pause/linux/pause.c', flags: ['-Os', '-Wall', '-Werror', '-static', '-s', '-DVERSION={version}'] },
  ],
};
