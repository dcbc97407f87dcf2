import type { KubeObject } from '@rfo/kube';
import type { Roles } from './roles.ts';

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
    ...nodeControllerLimits(name),
  ];
}

/**
 * What it may change of a Node: flannel's annotations, and in the status the conditions. Its certificate is on every agent, and rights know no fields:
 * without this the key of one node could taint all others, or have servers taken out of etcd.
 */
function nodeControllerLimits(user: string): readonly KubeObject[] {
  const api = 'admissionregistration.k8s.io/v1';
  const name = 'rfo-node-controllers';
  const same = (field: string): string => `object.${field} == oldObject.${field}`;
  const metadata = (side: 'object' | 'oldObject', field: string): string => `${side}.metadata.?${field}.orValue({})`;
  const flannel = 'flannel.alpha.coreos.com/';
  const kept = (one: 'object' | 'oldObject', other: 'object' | 'oldObject'): string =>
    `${metadata(one, 'annotations')}.all(key, key.startsWith('${flannel}') || ${metadata(other, 'annotations')}[?key] == optional.of(${one}.metadata.annotations[key]))`;
  return [
    {
      apiVersion: api,
      kind: 'ValidatingAdmissionPolicy',
      metadata: { name },
      spec: {
        failurePolicy: 'Fail',
        matchConstraints: {
          resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['UPDATE'], resources: ['nodes', 'nodes/status'] }],
        },
        matchConditions: [{ name: 'node-controllers', expression: `request.userInfo.username == '${user}'` }],
        validations: [
          { expression: same('spec'), message: 'the spec of a Node is not theirs to change' },
          {
            expression: `${metadata('object', 'labels')} == ${metadata('oldObject', 'labels')} && ${same('metadata.?finalizers')} && ${same('metadata.?ownerReferences')}`,
            message: 'labels, finalizers and owners of a Node are not theirs to change',
          },
          {
            expression: `${kept('object', 'oldObject')} && ${kept('oldObject', 'object')}`,
            message: `only annotations of ${flannel} are theirs`,
          },
          {
            expression: `${same('status.?addresses')} && ${same('status.?capacity')} && ${same('status.?allocatable')} && ${same('status.?daemonEndpoints')}`,
            message: 'of the status only conditions are theirs to change',
          },
        ],
      },
    },
    {
      apiVersion: api,
      kind: 'ValidatingAdmissionPolicyBinding',
      metadata: { name },
      spec: { policyName: name, validationActions: ['Deny'] },
    },
  ];
}

/**
 * The roles of a server's node; applied again, it takes away those that it has no more. A kubelet may not give itself labels below
 * `node-role.kubernetes.io`.
 */
export function serverNodeLabels(nodeName: string, { apiserver, etcd }: Pick<Roles, 'apiserver' | 'etcd'>): KubeObject {
  const role = (name: string): string => `node-role.kubernetes.io/${name}`;
  const labels = { ...(apiserver && { [role('control-plane')]: 'true' }), ...(etcd && { [role('etcd')]: 'true' }) };
  return { apiVersion: 'v1', kind: 'Node', metadata: { name: nodeName, labels } };
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
