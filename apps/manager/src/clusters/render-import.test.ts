import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { KubeObject } from '@rfo/kube';
import { renderImport, renderImportObjects } from './render-import.ts';

const settings = {
  servers: ['https://rfo.example.com'],
  ca: '-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n',
  system: false,
  hash: '0123',
};
const input = { token: `rfor_${'a'.repeat(12)}_${'b'.repeat(64)}`, settings, image: 'rfo.io/cluster-agent:0.1.0' };

type Workload = KubeObject & {
  readonly spec: {
    readonly replicas?: number;
    readonly template: {
      readonly spec: {
        readonly hostNetwork?: boolean;
        readonly securityContext: unknown;
        readonly containers: readonly { readonly image: string; readonly imagePullPolicy: string; readonly securityContext: unknown }[];
      };
    };
  };
};
const workloads = () =>
  renderImportObjects(input).filter(({ kind }) => kind === 'Deployment' || kind === 'DaemonSet') as unknown as readonly Workload[];

it('an import is a namespace, an account with its rights, a Secret, a Deployment and a DaemonSet', () => {
  const names = renderImportObjects(input).map(
    ({ kind, metadata: { name, namespace } }) => `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`,
  );
  assert.deepEqual(names, [
    'Namespace rfo-system',
    'ServiceAccount rfo-system/rfo-cluster-agent',
    'ClusterRoleBinding rfo-cluster-agent',
    'Secret rfo-system/rfo-cluster-agent',
    'Deployment rfo-system/rfo-cluster-agent',
    'DaemonSet rfo-system/rfo-cluster-agent-node',
  ]);
});

it('every pod runs as nobody, with nothing to write to, and takes the image that is there', () => {
  for (const { spec } of workloads()) {
    const { securityContext, containers } = spec.template.spec;
    assert.deepEqual(securityContext, {
      runAsNonRoot: true,
      runAsUser: 65_532,
      runAsGroup: 65_532,
      fsGroup: 65_532,
      seccompProfile: { type: 'RuntimeDefault' },
    });
    const [container, ...more] = containers;
    assert.deepEqual(more, []);
    assert.deepEqual(container?.securityContext, {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
    assert.deepEqual([container?.image, container?.imagePullPolicy], ['rfo.io/cluster-agent:0.1.0', 'IfNotPresent']);
  }
});

it('two agents of the Deployment connect, and the fallback has the network of its host', () => {
  const [deployment, daemonSet] = workloads();
  assert.deepEqual(
    [deployment?.spec.replicas, deployment?.spec.template.spec.hostNetwork, daemonSet?.spec.template.spec.hostNetwork],
    [2, undefined, true],
  );
});

it('another import makes other pods, and the same one the same', () => {
  const pods = (token: string) => JSON.stringify(renderImportObjects({ ...input, token }).map(({ spec }) => spec));
  assert.equal(pods(input.token), pods(input.token));
  assert.notEqual(pods(input.token), pods(`rfor_${'c'.repeat(12)}_${'b'.repeat(64)}`));
});

it('the token stands in the Secret alone', () => {
  const text = renderImport(input);
  assert.equal(text.split(input.token).length, 2);
  const documents = text.split(/^---\n/m).filter((each) => each !== '');
  assert.deepEqual(
    documents.map((each) => (JSON.parse(each) as KubeObject).kind).filter((kind) => kind === 'Secret'),
    ['Secret'],
  );
  assert.ok(documents.find((each) => each.includes(input.token))?.includes('"kind": "Secret"'));
});
