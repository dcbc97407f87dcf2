/**
 * What makes a cluster refuse certificates that were revoked. The API server reads neither CRL nor OCSP, but since 1.32 it says of each request which
 * client certificate it came with (`X509SHA256=` and the hash, in the credential-id of the user): a policy compares that with a list. Pure.
 * Only a new certificate lets a host back in that was installed anew, under the same name, while the old one stays refused until it has expired.
 */
import { createHash } from 'node:crypto';
import type { KubeObject } from '@rfo/kube';

export const refusalName = 'rfo-revoked-certificates';
/** The list: a ConfigMap whose keys are hashes of certificates, or `node.<name>` for a node of which this CA has no certificate. */
export const refusalList = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'kube-system', name: refusalName } as const;

const credentialId = 'authentication.kubernetes.io/credential-id';

/** Lower-case hex, as the API server writes it. */
export function fingerprint(der: Uint8Array): string {
  return createHash('sha256').update(der).digest('hex');
}

/** Fields of the list as one server-side apply: what is not among them any more goes. */
export function renderRefusalList(entries: Readonly<Record<string, string>>): KubeObject {
  const { apiVersion, kind, namespace, name } = refusalList;
  return { apiVersion, kind, metadata: { namespace, name }, data: entries };
}

/** Denies all that writes: a revoked node cannot register again, take pods, get tokens of service accounts, or ask for certificates. */
export function renderRefusalPolicy(): readonly KubeObject[] {
  const apiVersion = 'admissionregistration.k8s.io/v1';
  return [
    {
      apiVersion,
      kind: 'ValidatingAdmissionPolicy',
      metadata: { name: refusalName },
      spec: {
        failurePolicy: 'Fail',
        paramKind: { apiVersion: 'v1', kind: 'ConfigMap' },
        matchConstraints: { resourceRules: [{ apiGroups: ['*'], apiVersions: ['*'], operations: ['*'], resources: ['*/*'] }] },
        // Nobody else is looked at: a mistake here can lock out no administrator.
        matchConditions: [{ name: 'nodes', expression: "request.userInfo.username.startsWith('system:node:')" }],
        variables: [
          { name: 'refused', expression: 'has(params.data) ? params.data : {}' },
          { name: 'node', expression: "'node.' + request.userInfo.username.substring(12)" },
          {
            name: 'credentials',
            expression: `'${credentialId}' in request.userInfo.extra ? request.userInfo.extra['${credentialId}'] : []`,
          },
        ],
        validations: [
          {
            expression:
              "!(variables.node in variables.refused) && variables.credentials.all(id, !id.startsWith('X509SHA256=') || !(id.substring(11) in variables.refused))",
            message: `this certificate was revoked (${refusalName})`,
            reason: 'Forbidden',
          },
        ],
      },
    },
    {
      apiVersion,
      kind: 'ValidatingAdmissionPolicyBinding',
      metadata: { name: refusalName },
      spec: {
        policyName: refusalName,
        // Without a list nothing is refused: it is written first.
        paramRef: { name: refusalList.name, namespace: refusalList.namespace, parameterNotFoundAction: 'Allow' },
        validationActions: ['Deny'],
      },
    },
  ];
}

/**
 * An `--authorization-config` of the API server (in the place of `--authorization-mode=Node,RBAC`) that refuses the certificates everything, reading
 * too. The API server takes a changed file by itself. A webhook that matches only them and that nobody answers denies them; nobody else waits for it.
 * @param kubeconfig path, on the host of the API server, of what `renderNowhere` gives
 */
export function renderAuthorizationConfig(refused: { readonly fingerprints: readonly string[]; readonly kubeconfig: string }): string {
  const ids = refused.fingerprints.map((hash) => `X509SHA256=${hash}`);
  const webhook = {
    type: 'Webhook',
    name: refusalName,
    webhook: {
      timeout: '1s',
      authorizedTTL: '1s',
      unauthorizedTTL: '1s',
      subjectAccessReviewVersion: 'v1',
      matchConditionSubjectAccessReviewVersion: 'v1',
      failurePolicy: 'Deny',
      connectionInfo: { type: 'KubeConfigFile', kubeConfigFile: refused.kubeconfig },
      matchConditions: [
        {
          expression: `'${credentialId}' in request.extra && request.extra['${credentialId}'].exists(id, id in ${JSON.stringify(ids)})`,
        },
      ],
    },
  };
  const config = {
    apiVersion: 'apiserver.config.k8s.io/v1',
    kind: 'AuthorizationConfiguration',
    authorizers: [...(ids.length > 0 ? [webhook] : []), { type: 'Node', name: 'node' }, { type: 'RBAC', name: 'rbac' }],
  };
  return `${JSON.stringify(config, undefined, 2)}\n`;
}

/** A kubeconfig of a place where nobody listens: port 1 of the host itself. */
export function renderNowhere(): string {
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'nowhere', cluster: { server: 'https://127.0.0.1:1' } }],
    users: [{ name: 'nobody', user: {} }],
    contexts: [{ name: 'nowhere', context: { cluster: 'nowhere', user: 'nobody' } }],
    'current-context': 'nowhere',
  };
  return `${JSON.stringify(config, undefined, 2)}\n`;
}
