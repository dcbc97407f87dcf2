/**
 * The rule that keeps the rights in a cluster the manager's own: who may give roles in a namespace must not give them to users and groups of the
 * manager, for such a binding would outlive their membership; nor touch what the manager has put there.
 */
import type { KubeObject } from '@rfo/kube';
import { managedLabel } from './names.ts';

const apiVersion = 'admissionregistration.k8s.io/v1';
export const guardName = 'rights.rfo.io';
export const guardKinds = [
  { apiVersion, kind: 'ValidatingAdmissionPolicy' },
  { apiVersion, kind: 'ValidatingAdmissionPolicyBinding' },
] as const;

const marked = (what: string): string =>
  `(${what} != null && has(${what}.metadata.labels) && '${managedLabel.name}' in ${what}.metadata.labels)`;

/**
 * Two objects (Kubernetes 1.30 and later). Allowed are those who may do everything in the whole cluster, the manager's agent among them; they are
 * known by a permission that nothing but such a wildcard gives, and the chart to the manager itself. Removing is not held up: that is also how namespaces end, and the manager puts
 * back what is missing.
 */
export function renderGuard(): KubeObject[] {
  const metadata = { name: guardName, labels: { [managedLabel.name]: managedLabel.value } };
  return [
    {
      ...guardKinds[0],
      metadata,
      spec: {
        failurePolicy: 'Fail',
        matchConstraints: {
          resourceRules: [
            rule('rbac.authorization.k8s.io', ['rolebindings', 'clusterrolebindings', 'clusterroles']),
            rule('', ['resourcequotas']),
          ],
        },
        matchConditions: [
          {
            name: 'is-of-the-manager',
            expression: [
              "(has(object.metadata.name) && object.metadata.name.startsWith('rfo:'))",
              marked('object'),
              marked('oldObject'),
              "(has(object.subjects) && object.subjects.exists(subject, subject.kind != 'ServiceAccount' && subject.name.startsWith('rfo:')))",
            ].join(' || '),
          },
        ],
        validations: [
          {
            expression: "authorizer.group('rfo.io').resource('rights').check('materialise').allowed()",
            message:
              'names that begin with rfo: and objects with the label rfo.io/managed-by belong to the manager: give roles to its users and groups by a Project',
          },
        ],
      },
    },
    { ...guardKinds[1], metadata, spec: { policyName: guardName, validationActions: ['Deny'] } },
  ];
}

function rule(apiGroup: string, resources: readonly string[]) {
  return { apiGroups: [apiGroup], apiVersions: ['*'], operations: ['CREATE', 'UPDATE'], resources, scope: '*' };
}
