/** Renders what an import puts into a cluster: an agent with its account, in two replicas, and on each node its fallback. */
import type { KubeObject } from '@rfo/kube';
import { type AgentSettings, agentName, agentNamespace, agentSecretKeys } from '@rfo/schema';
import { parseAgentToken } from './secret-token.ts';

export type ImportInput = {
  /** Of the registration. */
  readonly token: string;
  readonly settings: AgentSettings;
  /** With its tag. */
  readonly image: string;
};

export const nodePathName = `${agentName}-node`;
/** On nodes the port is taken from the host, on loopback. */
const ports = { deployment: 8080, node: 10_690 } as const;
const nonroot = 65_532;
const partOf = { 'app.kubernetes.io/part-of': 'rfo', 'app.kubernetes.io/managed-by': 'rfo-manager' } as const;
const metadata = (name: string) => ({ name, namespace: agentNamespace, labels: { ...partOf, 'app.kubernetes.io/name': name } });

/** The manifest as text: YAML documents, each in JSON, which is YAML. */
export function renderImport(input: ImportInput): string {
  return renderImportObjects(input)
    .map((object) => `---\n${JSON.stringify(object, undefined, 2)}\n`)
    .join('');
}

export function renderImportObjects({ token, settings, image }: ImportInput): readonly KubeObject[] {
  const id = idOf(token);
  return [
    {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: {
        name: agentNamespace,
        // The fallback runs on the network of the host, which no stricter profile lets through.
        labels: { ...partOf, 'pod-security.kubernetes.io/enforce': 'privileged' },
      },
    },
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: metadata(agentName), automountServiceAccountToken: false },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: agentName, labels: { ...partOf, 'app.kubernetes.io/name': agentName } },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
      subjects: [{ kind: 'ServiceAccount', name: agentName, namespace: agentNamespace }],
    },
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: metadata(agentName),
      type: 'Opaque',
      stringData: { [agentSecretKeys.token]: token, [agentSecretKeys.settings]: JSON.stringify(settings) },
    },
    deployment(image, id),
    daemonSet(image, id),
  ];
}

function deployment(image: string, id: string): KubeObject {
  const labels = { 'app.kubernetes.io/name': agentName };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: metadata(agentName),
    spec: {
      replicas: 2,
      selector: { matchLabels: labels },
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      template: {
        metadata: podMetadata(labels, id),
        spec: {
          ...podSpec(image, 'deployment'),
          affinity: {
            podAntiAffinity: {
              preferredDuringSchedulingIgnoredDuringExecution: [
                { weight: 100, podAffinityTerm: { topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: labels } } },
              ],
            },
          },
          tolerations: [
            { key: 'node-role.kubernetes.io/control-plane', operator: 'Exists' },
            { key: 'node-role.kubernetes.io/etcd', operator: 'Exists' },
          ],
        },
      },
    },
  };
}

/** The public part of a token. */
function idOf(token: string): string {
  const parsed = parseAgentToken(token);
  return parsed?.id ?? '';
}

/** The fallback: it has the host's network and the host's names, so that it works where those of pods do not. */
function daemonSet(image: string, id: string): KubeObject {
  const labels = { 'app.kubernetes.io/name': nodePathName };
  return {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: metadata(nodePathName),
    spec: {
      selector: { matchLabels: labels },
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '10%' } },
      template: {
        metadata: podMetadata(labels, id),
        spec: { ...podSpec(image, 'node'), hostNetwork: true, dnsPolicy: 'Default', tolerations: [{ operator: 'Exists' }] },
      },
    },
  };
}

/** Another import makes other pods: those of before are connected by what it replaces. */
function podMetadata(labels: Readonly<Record<string, string>>, id: string) {
  return { labels: { ...partOf, ...labels }, annotations: { 'rfo.io/import': id } };
}

function podSpec(image: string, via: 'deployment' | 'node') {
  const port = ports[via];
  const probe = (path: string) => ({ httpGet: { path, port, ...(via === 'node' && { host: '127.0.0.1' }) } });
  const field = (name: string, fieldPath: string) => ({ name, valueFrom: { fieldRef: { fieldPath } } });
  return {
    serviceAccountName: agentName,
    automountServiceAccountToken: true,
    priorityClassName: 'system-cluster-critical',
    nodeSelector: { 'kubernetes.io/os': 'linux' },
    terminationGracePeriodSeconds: 10,
    securityContext: {
      runAsNonRoot: true,
      runAsUser: nonroot,
      runAsGroup: nonroot,
      fsGroup: nonroot,
      seccompProfile: { type: 'RuntimeDefault' },
    },
    containers: [
      {
        name: 'agent',
        image,
        imagePullPolicy: 'IfNotPresent',
        env: [
          { name: 'RFO_CLUSTER_AGENT_VIA', value: via },
          { name: 'RFO_CLUSTER_AGENT_HEALTH_PORT', value: String(port) },
          field('POD_NAME', 'metadata.name'),
          field('NODE_NAME', 'spec.nodeName'),
        ],
        // HTTPS_PROXY and NO_PROXY of a cluster that gets out through a proxy.
        envFrom: [{ configMapRef: { name: `${agentName}-environment`, optional: true } }],
        securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
        resources: { requests: { cpu: '10m', memory: '64Mi' }, limits: { memory: '256Mi' } },
        livenessProbe: { ...probe('/healthz'), periodSeconds: 20, failureThreshold: 3 },
        // Ready means connected: the fallback on the nodes goes by it.
        ...(via === 'deployment' && { readinessProbe: { ...probe('/readyz'), periodSeconds: 5, failureThreshold: 2 } }),
      },
    ],
  };
}
