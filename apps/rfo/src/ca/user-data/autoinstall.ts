/** A document of Ubuntu's installer (Subiquity): installs without a question, and the system that it makes joins. Pure. */
import { cloudConfig, toYaml } from './cloud-init.ts';
import type { HostPlan } from './types.ts';

/**
 * `autoinstall` within `#cloud-config`, as the installer's own NoCloud source reads it; its kernel needs the word `autoinstall` to ask nothing.
 * Nobody can log in to the system but by what it is given beside this, so no password stands here.
 */
export function renderAutoinstall(plan: HostPlan): string {
  const document = {
    autoinstall: {
      'version': 1,
      'storage': { layout: { name: 'direct' } },
      'ssh': { 'install-server': true, 'allow-pw': false },
      'packages': ['curl', 'openssl'],
      'user-data': { disable_root: true, ...cloudConfig(plan) },
      'shutdown': 'reboot',
    },
  };
  return `#cloud-config\n# ${plan.summary}\n${toYaml(document)}`;
}
