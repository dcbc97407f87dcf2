import type { Component, GoOutput } from '../src/component.ts';

const command = (file: string): GoOutput => ({
  file,
  package: `github.com/cloudflare/cfssl/cmd/${file}`,
  // Its database driver is SQLite in C; what that would load from the host cannot be linked statically.
  tags: ['netgo', 'osusergo', 'sqlite_omit_load_extension'],
  variables: { 'github.com/cloudflare/cfssl/cli/version.version': '{bare}' },
  cgo: [],
});

/** The CA whose clients RFO's CA serves: what tests and the benchmark compare it with. Built on request only. */
export const cfssl: Component = {
  name: 'cfssl',
  pin: 'cfssl',
  modules: ['github.com/cloudflare/cfssl'],
  goesTo: 'nowhere',
  outputs: [command('cfssl'), command('cfssljson')],
};
