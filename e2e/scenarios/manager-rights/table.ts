/**
 * Who may do what where, as a table that is written down and not computed. Each cell is tried at the door of the manager and asked of the cluster:
 *
 *     +  both allow it
 *     -  both refuse it
 *     /  the cluster would let this person, and the door refuses it to this token
 */
import { testbox } from '../../harness/node.ts';
import type { Ask } from '../../tools/manager-requests.ts';

/** What is tried. `path` is below the cluster; nothing of it lasts. `attributes`: the same as a question to the cluster (authorization.k8s.io/v1). */
export type Question = {
  readonly title: string;
  readonly ask: Omit<Ask, 'token'>;
  readonly attributes:
    | { readonly resourceAttributes: Readonly<Record<string, string>> }
    | { readonly nonResourceAttributes: Readonly<Record<string, string>> };
};

/** The namespace that the project `shop` is over; everything else in the cluster is only for projects over the whole of it. */
export const place = 'shop';

export const questions: readonly Question[] = [
  resource('list pods in shop', 'GET', { verb: 'list', resource: 'pods', namespace: place }),
  resource('make a config map in shop', 'POST', { verb: 'create', resource: 'configmaps', namespace: place }, object('ConfigMap')),
  resource('read the secrets of shop', 'GET', { verb: 'list', resource: 'secrets', namespace: place }),
  resource('open a shell in shop', 'POST', { verb: 'create', resource: 'pods', subresource: 'exec', name: 'web', namespace: place }),
  resource('delete a pod of shop', 'DELETE', { verb: 'delete', resource: 'pods', name: 'web', namespace: place }),
  resource(
    'make a role in shop',
    'POST',
    { verb: 'create', group: 'rbac.authorization.k8s.io', resource: 'roles', namespace: place },
    { ...object('Role', 'rbac.authorization.k8s.io/v1'), rules: [{ apiGroups: [''], resources: ['configmaps'], verbs: ['get'] }] },
  ),
  resource('set a quota in shop', 'POST', { verb: 'create', resource: 'resourcequotas', namespace: place }, object('ResourceQuota')),
  // Labels of a namespace decide which pods may take over a node.
  resource(
    'label the namespace',
    'PATCH',
    { verb: 'patch', resource: 'namespaces', name: place, namespace: place },
    { metadata: { labels: { x: 'y' } } },
  ),
  resource('list pods elsewhere', 'GET', { verb: 'list', resource: 'pods', namespace: 'kube-system' }),
  resource('read secrets elsewhere', 'GET', { verb: 'list', resource: 'secrets', namespace: 'kube-system' }),
  resource('list nodes', 'GET', { verb: 'list', resource: 'nodes' }),
  resource('list namespaces', 'GET', { verb: 'list', resource: 'namespaces' }),
  resource(
    'make a namespace',
    'POST',
    { verb: 'create', resource: 'namespaces' },
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'tried' } },
  ),
  resource(
    'bind a role of the cluster',
    'POST',
    { verb: 'create', group: 'rbac.authorization.k8s.io', resource: 'clusterrolebindings' },
    {
      ...{ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRoleBinding', metadata: { name: 'tried' } },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' },
    },
  ),
  { title: 'read /metrics', ask: { path: '/metrics' }, attributes: { nonResourceAttributes: { verb: 'get', path: '/metrics' } } },
];

/** Cells in the order of the questions: in the namespace shop, elsewhere in the cluster, of the cluster. */
export const table: Readonly<Record<string, string>> = {
  'administrator': '++++++++ ++ +++++',
  'auditor': '+------- +- ++---',
  'user of no project': '-------- -- -----',
  'owner of shop': '++++++-- -- -----',
  'cluster-manager of shop': '++++++-- -- -----',
  'member of shop': '+++++--- -- -----',
  'viewer of shop': '+------- -- -----',
  'member of shop by a group': '+++++--- -- -----',
  'config-maker of shop': '-+------ -- -----',
  'owner of all': '++++++++ ++ +++++',
  'cluster-manager of all': '++++++++ ++ +++++',
  'member of all': '+++++--- ++ ++---',
  'viewer of all': '+------- +- ++---',
  'config-maker of all': '-+------ -- +----',
  'its token to read with': '+/+///// ++ ++//+',
  'its token for this cluster': '++++++++ ++ +++++',
  'its token for another cluster': '//////// // /////',
  'nobody': '-------- -- -----',
};
/** The role template of config-maker. */
export const configMaker = {
  name: 'config-maker',
  spec: {
    scope: 'project',
    rules: [{ apiGroups: [''], resources: ['configmaps'], verbs: ['create'] }],
    clusterRules: [{ apiGroups: [''], resources: ['nodes'], verbs: ['list', 'watch'] }],
  },
};

/** What is in the namespace before the table is tried. */
export const webPod = {
  ...object('Pod'),
  metadata: { name: 'web', namespace: place },
  spec: { terminationGracePeriodSeconds: 0, containers: [{ name: 'web', image: testbox, command: ['sleep', '1000000'] }] },
};

function object(kind: string, apiVersion = 'v1'): object {
  return { apiVersion, kind, metadata: { name: 'tried', namespace: place } };
}

/** The request that these attributes are of. Of changes nothing lasts: they are dry runs. */
function resource(title: string, method: string, attributes: Readonly<Record<string, string>>, body?: object): Question {
  const { group, namespace, resource: plural, name, subresource } = attributes;
  const parts = [
    group === undefined ? '/api/v1' : `/apis/${group}/v1`,
    // A namespace is asked about as one of itself.
    plural === 'namespaces' || namespace === undefined ? '' : `/namespaces/${namespace}`,
    ...[plural, name, subresource].map((part) => (part === undefined ? '' : `/${part}`)),
  ];
  const query = subresource === 'exec' ? '?command=true' : method === 'GET' ? '' : '?dryRun=All';
  return {
    title,
    ask: { method, path: parts.join('') + query, ...(body !== undefined && { body: JSON.stringify(body) }) },
    attributes: { resourceAttributes: attributes },
  };
}
