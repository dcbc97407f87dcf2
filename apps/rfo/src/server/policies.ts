/** The two policy files of the API server that an administrator may replace by his own: audit and pod security. */

type AuditRule = {
  readonly level: 'None' | 'Metadata' | 'Request' | 'RequestResponse';
  readonly users?: readonly string[];
  readonly userGroups?: readonly string[];
  readonly verbs?: readonly string[];
  readonly resources?: readonly { readonly group: string; readonly resources?: readonly string[] }[];
  readonly nonResourceURLs?: readonly string[];
};

/**
 * Who changed or read what, without bodies: Secrets and tokens must never land in a log. Left out is the heartbeat of the
 * control plane itself, which would be nine lines of ten.
 */
export function renderAuditPolicy(): string {
  const rules: AuditRule[] = [
    { level: 'None', nonResourceURLs: ['/healthz*', '/livez*', '/readyz*', '/version', '/openapi/*', '/metrics'] },
    { level: 'None', resources: [{ group: 'coordination.k8s.io', resources: ['leases'] }] },
    { level: 'None', resources: [{ group: '', resources: ['events'] }, { group: 'events.k8s.io' }] },
    { level: 'None', userGroups: ['system:nodes', 'system:serviceaccounts:kube-system'], verbs: ['get', 'list', 'watch'] },
    {
      level: 'None',
      users: ['system:kube-proxy', 'system:kube-scheduler', 'system:kube-controller-manager', 'system:rfo-controller', 'system:apiserver'],
      verbs: ['get', 'list', 'watch'],
    },
    { level: 'Metadata' },
  ];
  return json({ apiVersion: 'audit.k8s.io/v1', kind: 'Policy', omitStages: ['RequestReceived'], rules });
}

/**
 * AdmissionConfiguration with the cluster-wide pod security level: privileged as in every cluster, restricted under `profile: cis`
 * outside the system's own namespace.
 */
export function renderAdmissionConfig(profile: 'cis' | undefined): string {
  const level = profile === 'cis' ? 'restricted' : 'privileged';
  const defaults = {
    'enforce': level,
    'enforce-version': 'latest',
    'audit': level,
    'audit-version': 'latest',
    'warn': level,
    'warn-version': 'latest',
  };
  return json({
    apiVersion: 'apiserver.config.k8s.io/v1',
    kind: 'AdmissionConfiguration',
    plugins: [
      {
        name: 'PodSecurity',
        configuration: {
          apiVersion: 'pod-security.admission.config.k8s.io/v1',
          kind: 'PodSecurityConfiguration',
          defaults,
          exemptions: { usernames: [], runtimeClasses: [], namespaces: ['kube-system'] },
        },
      },
    ],
  });
}

function json(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}
