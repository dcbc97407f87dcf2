import { groupOf, type Kind } from '@rfo/kube';

/**
 * The order that works: what others live in, what defines others, what workloads refer to, workloads, then what only works once those
 * run (an APIService without its Pod breaks discovery, a webhook without its Pod refuses everything) and objects of other groups.
 */
const phases = [
  ['Namespace'],
  ['CustomResourceDefinition'],
  // Everything built in that no other phase names.
  [],
  ['Deployment', 'DaemonSet', 'StatefulSet', 'ReplicaSet', 'ReplicationController', 'Job', 'CronJob', 'Pod'],
  ['APIService', 'MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration'],
] as const;
const configuration = 2;
const last = 4;

/** Groups of Kubernetes itself; other groups, `*.k8s.io` too, come from CRDs and aggregated APIs. */
const builtIn: ReadonlySet<string> = new Set([
  '',
  'admissionregistration.k8s.io',
  'apiextensions.k8s.io',
  'apiregistration.k8s.io',
  'apps',
  'autoscaling',
  'batch',
  'certificates.k8s.io',
  'coordination.k8s.io',
  'discovery.k8s.io',
  'flowcontrol.apiserver.k8s.io',
  'networking.k8s.io',
  'node.k8s.io',
  'policy',
  'rbac.authorization.k8s.io',
  'resource.k8s.io',
  'scheduling.k8s.io',
  'storage.k8s.io',
]);

/** 0 to 4: objects of a lower phase are applied before those of a higher one, and deleted after them. */
export function phaseOf({ apiVersion, kind }: Kind): number {
  if (!builtIn.has(groupOf(apiVersion))) return last;
  const phase = phases.findIndex((kinds: readonly string[]) => kinds.includes(kind));
  return phase < 0 ? configuration : phase;
}

/** The objects of each phase in turn, empty phases left out; inside a phase in the order given. */
export function inPhases<T extends Kind>(objects: readonly T[]): T[][] {
  return phases.map((_, phase) => objects.filter((object) => phaseOf(object) === phase)).filter((group) => group.length > 0);
}
