import type { Component } from '../src/component.ts';

/** The checker of Ignition's configurations: by it tests know that what `rfo ca join-config` writes is one. Built on request only. */
export const ignition: Component = {
  name: 'ignition',
  pin: 'ignition',
  modules: ['github.com/coreos/ignition/v2'],
  goesTo: 'nowhere',
  outputs: [{ file: 'ignition-validate', package: 'github.com/coreos/ignition/v2/validate' }],
};
