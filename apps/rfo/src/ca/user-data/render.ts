/** User data in every format. Pure. */
import { agentPlan } from './agent-plan.ts';
import { renderAutoinstall } from './autoinstall.ts';
import { renderCloudInit } from './cloud-init.ts';
import { renderIgnition } from './ignition.ts';
import { kubeletPlan } from './kubelet-plan.ts';
import { renderScript } from './script.ts';
import type { AgentJoin, HostPlan, KubeletJoin } from './types.ts';

export type UserDataFormat = 'cloud-init' | 'autoinstall' | 'ignition' | 'script';

const renderers: Readonly<Record<UserDataFormat, (plan: HostPlan) => string>> = {
  'cloud-init': renderCloudInit,
  'autoinstall': renderAutoinstall,
  'ignition': renderIgnition,
  'script': renderScript,
};

/** What a host is given so that it joins with nothing typed. Secrets of it are in files of mode 0600 alone. */
export function renderUserData(
  format: UserDataFormat,
  host: ({ readonly as: 'agent' } & AgentJoin) | ({ readonly as: 'kubelet' } & KubeletJoin),
): string {
  return renderers[format](host.as === 'agent' ? agentPlan(host) : kubeletPlan(host));
}
