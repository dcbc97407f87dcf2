// Labels and taints of a node as kubelet takes them: it refuses to start with others.
import type { Flaw } from './declaration.ts';

const segment = '[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?';
const domain = '[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*';
const keyForm = new RegExp(`^((?<prefix>${domain})/)?${segment}$`);
const valueForm = new RegExp(`^(${segment})?$`);
const effects = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'] as const;

/** The labels of Kubernetes' own domains that a kubelet may give its node. Source: k8s.io/kubelet/pkg/apis/well_known_labels.go. */
const kubeletLabels = new Set([
  'kubernetes.io/hostname',
  'kubernetes.io/arch',
  'kubernetes.io/os',
  'beta.kubernetes.io/arch',
  'beta.kubernetes.io/os',
  'beta.kubernetes.io/instance-type',
  'failure-domain.beta.kubernetes.io/region',
  'failure-domain.beta.kubernetes.io/zone',
  'topology.kubernetes.io/region',
  'topology.kubernetes.io/zone',
]);
const kubeletDomains = /(^|\.)(kubelet|node)\.kubernetes\.io$/;
const reservedDomains = /(^|\.)(kubernetes|k8s)\.io$/;

/** `key=value`. */
export function judgeLabel(label: string): Flaw | undefined {
  const [key = '', value, ...more] = label.split('=');
  const match = keyForm.exec(key);
  if (match === null || value === undefined || more.length > 0 || !valueForm.test(value)) {
    return { problem: `${JSON.stringify(label)} is not a label`, cure: 'Write it like example.com/disk=ssd' };
  }
  const prefix = match.groups?.prefix ?? '';
  if (!reservedDomains.test(prefix) || kubeletDomains.test(prefix) || kubeletLabels.has(key)) return undefined;
  return {
    problem: `a node may not give itself the label ${key}`,
    cure: `Give it when the node runs: rfo kubectl label node <name> ${label}`,
  };
}

/** `key=value:Effect` or `key:Effect`. */
export function judgeTaint(taint: string): Flaw | undefined {
  const at = taint.lastIndexOf(':');
  const [key = '', value = '', ...more] = taint.slice(0, Math.max(at, 0)).split('=');
  const effect = taint.slice(at + 1);
  if (!keyForm.test(key) || !valueForm.test(value) || more.length > 0) {
    return { problem: `${JSON.stringify(taint)} is not a taint`, cure: 'Write it like dedicated=database:NoSchedule' };
  }
  if (effects.some((known) => known === effect)) return undefined;
  return { problem: `${JSON.stringify(effect)} is not the effect of a taint`, cure: `Use ${effects.join(', ')}` };
}
