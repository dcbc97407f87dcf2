import type { KubeObject } from '@rfo/kube';

/** The objects that the server itself sees to, beside the manifest directory. */

const rbac = 'rbac.authorization.k8s.io/v1';
export const fieldManager = 'rfo';

/** What `system:rfo-controller`, whose certificate flannel and the node's own controllers use, may do. */
export function nodeControllerRights(): readonly KubeObject[] {
  const name = 'system:rfo-controller';
  return [
    {
      apiVersion: rbac,
      kind: 'ClusterRole',
      metadata: { name },
      rules: [
        { apiGroups: [''], resources: ['nodes'], verbs: ['get', 'list', 'watch', 'patch'] },
        { apiGroups: [''], resources: ['nodes/status'], verbs: ['patch'] },
        { apiGroups: [''], resources: ['pods', 'namespaces'], verbs: ['get', 'list', 'watch'] },
        { apiGroups: ['networking.k8s.io'], resources: ['networkpolicies'], verbs: ['list', 'watch'] },
        // Where the servers of the cluster are.
        { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['get', 'list', 'watch'] },
      ],
    },
    {
      apiVersion: rbac,
      kind: 'ClusterRoleBinding',
      metadata: { name },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name }],
    },
  ];
}

/** The roles of a server's node. A kubelet may not give itself labels below `node-role.kubernetes.io`. */
export function serverNodeLabels(nodeName: string): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: nodeName, labels: { 'node-role.kubernetes.io/control-plane': 'true', 'node-role.kubernetes.io/etcd': 'true' } },
  };
}

/** An Event about a node. Its name is the reason, so that a repetition replaces the last one instead of filling etcd. */
export function nodeEvent(input: {
  readonly nodeName: string;
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
  readonly now: Date;
}): KubeObject {
  const { nodeName, type, reason, message } = input;
  const at = input.now.toISOString().replace(/\.\d+Z$/, 'Z');
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: `${nodeName}.${reason.toLowerCase()}`, namespace: 'default' },
    involvedObject: { apiVersion: 'v1', kind: 'Node', name: nodeName, uid: nodeName },
    ...{ type, reason, message },
    firstTimestamp: at,
    lastTimestamp: at,
    count: 1,
    source: { component: 'rfo', host: nodeName },
    reportingComponent: 'rfo',
    reportingInstance: nodeName,
  };
}
