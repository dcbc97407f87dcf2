/**
 * The roles that every manager has. They are data of the program: what an object of the same name says is not believed, and is put right.
 *
 *     global   administrator · auditor · user (everybody who has signed in)
 *     project  owner ─► cluster-manager ─► member ─► viewer
 *
 * `rules` hold in every place of a project; `clusterRules` only where the place is a whole cluster. In single namespaces nobody may change the
 * namespace itself or its quota: labels of a namespace decide which pods may take over the node. A member of a whole cluster reaches the secrets of all
 * its namespaces, and by some of those everything in it, as with the role `edit` of Kubernetes: in the cluster `local` that is the manager itself.
 */
import type { PolicyRule } from './policy-rule.ts';

export type RoleSource = {
  readonly name: string;
  readonly scope: 'global' | 'project';
  readonly rules: readonly PolicyRule[];
  readonly clusterRules: readonly PolicyRule[];
  readonly inherits: readonly string[];
  readonly locked: boolean;
};
export type BuiltInRole = RoleSource & { readonly displayName: string; readonly description: string };

const read = ['get', 'list', 'watch'];
const write = ['create', 'update', 'patch', 'delete', 'deletecollection'];

const everything: readonly PolicyRule[] = [
  { apiGroups: ['*'], resources: ['*'], verbs: ['*'] },
  { nonResourceURLs: ['*'], verbs: ['*'] },
];

/** What can be seen of a namespace, secrets left out: with some of them their reader becomes somebody else. */
const look: readonly PolicyRule[] = [
  {
    apiGroups: [''],
    resources: [
      'configmaps',
      'endpoints',
      'events',
      'limitranges',
      'namespaces',
      'persistentvolumeclaims',
      'persistentvolumeclaims/status',
      'pods',
      'pods/log',
      'pods/status',
      'podtemplates',
      'replicationcontrollers',
      'replicationcontrollers/scale',
      'replicationcontrollers/status',
      'resourcequotas',
      'resourcequotas/status',
      'serviceaccounts',
      'services',
      'services/status',
    ],
    verbs: read,
  },
  {
    apiGroups: ['apps'],
    resources: [
      'controllerrevisions',
      'daemonsets',
      'daemonsets/status',
      'deployments',
      'deployments/scale',
      'deployments/status',
      'replicasets',
      'replicasets/scale',
      'replicasets/status',
      'statefulsets',
      'statefulsets/scale',
      'statefulsets/status',
    ],
    verbs: read,
  },
  { apiGroups: ['batch'], resources: ['cronjobs', 'cronjobs/status', 'jobs', 'jobs/status'], verbs: read },
  { apiGroups: ['autoscaling'], resources: ['horizontalpodautoscalers', 'horizontalpodautoscalers/status'], verbs: read },
  { apiGroups: ['networking.k8s.io'], resources: ['ingresses', 'ingresses/status', 'networkpolicies'], verbs: read },
  { apiGroups: ['policy'], resources: ['poddisruptionbudgets', 'poddisruptionbudgets/status'], verbs: read },
  { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: read },
  { apiGroups: ['events.k8s.io'], resources: ['events'], verbs: read },
  { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: read },
  { apiGroups: ['metrics.k8s.io'], resources: ['pods'], verbs: read },
];

/** What can be seen of a cluster as a whole. */
const lookAround: readonly PolicyRule[] = [
  { apiGroups: [''], resources: ['nodes', 'nodes/status', 'persistentvolumes', 'persistentvolumes/status'], verbs: read },
  { apiGroups: ['apiextensions.k8s.io'], resources: ['customresourcedefinitions'], verbs: read },
  { apiGroups: ['apiregistration.k8s.io'], resources: ['apiservices'], verbs: read },
  { apiGroups: ['metrics.k8s.io'], resources: ['nodes'], verbs: read },
  { apiGroups: ['networking.k8s.io'], resources: ['ingressclasses'], verbs: read },
  { apiGroups: ['node.k8s.io'], resources: ['runtimeclasses'], verbs: read },
  { apiGroups: ['scheduling.k8s.io'], resources: ['priorityclasses'], verbs: read },
  { apiGroups: ['storage.k8s.io'], resources: ['csidrivers', 'csinodes', 'storageclasses', 'volumeattachments'], verbs: read },
];

/** Running things in a namespace. */
const work: readonly PolicyRule[] = [
  { apiGroups: [''], resources: ['secrets', 'pods/attach', 'pods/exec', 'pods/portforward', 'pods/proxy', 'services/proxy'], verbs: read },
  {
    apiGroups: [''],
    resources: [
      'configmaps',
      'events',
      'persistentvolumeclaims',
      'pods',
      'pods/attach',
      'pods/exec',
      'pods/portforward',
      'pods/proxy',
      'replicationcontrollers',
      'replicationcontrollers/scale',
      'secrets',
      'serviceaccounts',
      'services',
      'services/proxy',
    ],
    verbs: write,
  },
  { apiGroups: [''], resources: ['pods/ephemeralcontainers', 'pods/resize'], verbs: ['update', 'patch'] },
  { apiGroups: [''], resources: ['pods/eviction', 'serviceaccounts/token'], verbs: ['create'] },
  {
    apiGroups: ['apps'],
    resources: ['daemonsets', 'deployments', 'deployments/scale', 'replicasets', 'replicasets/scale', 'statefulsets', 'statefulsets/scale'],
    verbs: write,
  },
  { apiGroups: ['batch'], resources: ['cronjobs', 'jobs'], verbs: write },
  { apiGroups: ['autoscaling'], resources: ['horizontalpodautoscalers'], verbs: write },
  { apiGroups: ['networking.k8s.io'], resources: ['ingresses', 'networkpolicies'], verbs: write },
  { apiGroups: ['policy'], resources: ['poddisruptionbudgets'], verbs: write },
  { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: write },
];

/** Roles inside of a namespace; the API server lets nobody give more than he has. */
const delegate: readonly PolicyRule[] = [
  { apiGroups: ['rbac.authorization.k8s.io'], resources: ['roles', 'rolebindings'], verbs: [...read, ...write] },
  { apiGroups: ['authorization.k8s.io'], resources: ['localsubjectaccessreviews'], verbs: ['create'] },
];

export const builtInRoles: readonly BuiltInRole[] = [
  global('administrator', 'Administrator', 'Everything, in the manager and in every cluster.', everything),
  global('auditor', 'Auditor', 'Reads everything but secrets, in the manager and in every cluster.', [
    { apiGroups: ['rfo.io'], resources: ['*'], verbs: read },
    ...look,
    ...lookAround,
  ]),
  global('user', 'User', 'Has signed in: sees the roles there are, and what is its own. Everybody has it.', [
    { apiGroups: ['rfo.io'], resources: ['roletemplates'], verbs: read },
  ]),
  project('owner', 'Owner', 'Manages the members of the project, and all of its places.', {
    inherits: ['cluster-manager'],
    rules: [{ apiGroups: ['rfo.io'], resources: ['projects'], verbs: ['get', 'update', 'patch'] }],
  }),
  project(
    'cluster-manager',
    'Cluster manager',
    'Does everything in the whole clusters of the project, and gives roles in its namespaces.',
    {
      inherits: ['member'],
      rules: delegate,
      clusterRules: everything,
    },
  ),
  project('member', 'Member', 'Runs workloads in the places of the project.', { inherits: ['viewer'], rules: work }),
  project('viewer', 'Viewer', 'Reads everything but secrets in the places of the project.', { rules: look, clusterRules: lookAround }),
];

/** The role of everybody who has signed in. */
export const roleOfEverybody = 'user';
export const administrator = 'administrator';

const builtInNames: ReadonlySet<string> = new Set(builtInRoles.map(({ name }) => name));

export function isBuiltIn(role: string): boolean {
  return builtInNames.has(role);
}

function global(name: string, displayName: string, description: string, rules: readonly PolicyRule[]): BuiltInRole {
  return { name, scope: 'global', displayName, description, rules, clusterRules: [], inherits: [], locked: false };
}

function project(name: string, displayName: string, description: string, rest: Partial<RoleSource>): BuiltInRole {
  return { rules: [], clusterRules: [], inherits: [], locked: false, ...rest, name, scope: 'project', displayName, description };
}
