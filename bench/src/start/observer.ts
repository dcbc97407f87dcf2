/**
 * The observer: a program in the host's network that sees what a user would see, the same on all sides, and writes each thing it sees as a line
 * of JSON (`Fact`). It belongs neither to the host's processes nor to its cgroups, so it is in no figure.
 * Arguments: folder of the certificates, name of the node, `cold` or `restart`. It ends when its input does.
 */
import { type Api, openApi, untilReadyz } from './api.ts';
import { untilDnsAnswers } from './cluster-dns.ts';
import { deployment, type Fact, type PodFact } from './marks.ts';
import { node } from './node-paths.ts';
import { every20ms } from './probe.ts';

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;
type Condition = { readonly type: string; readonly status: string };
type NodeObject = { readonly spec: { readonly podCIDR?: string }; readonly status: { readonly conditions?: readonly Condition[] } };
type ContainerStatus = { readonly containerID?: string; readonly state?: { readonly running?: object } };
type PodObject = {
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly spec: { readonly nodeName?: string; readonly containers: readonly object[] };
  readonly status: {
    readonly phase?: string;
    readonly conditions?: readonly Condition[];
    readonly containerStatuses?: readonly ContainerStatus[];
  };
};

const [tls = '', nodeName = '', mode = 'cold'] = process.argv.slice(2);
process.stdin.on('end', () => process.exit(0)).resume();
console.log('watching');
await observe();

async function observe(): Promise<void> {
  const dns = mode === 'cold' ? untilDnsAnswers(node.clusterDns).then(() => note({ kind: 'dns' })) : undefined;
  const api = await openApi(tls);
  // From the first moment that it can be done: a pod may run before the API server calls itself ready.
  api.watch(`/api/v1/nodes?fieldSelector=metadata.name%3D${nodeName}`, (object) => note(nodeFact(object as NodeObject)));
  api.watch('/api/v1/pods', (object) => note({ kind: 'pod', pod: podFact(object as PodObject) }));
  await untilReadyz(api, (checks) => note({ kind: 'readyz-waits', checks }));
  note({ kind: 'readyz' });
  if (mode === 'cold') await createDeployment(api);
  await dns;
}

/** The namespace may not be there yet when the API is. */
async function createDeployment(api: Api): Promise<void> {
  await every20ms(async () => {
    const { status } = await api.ask('POST', `/apis/apps/v1/namespaces/${deployment.namespace}/deployments`, deploymentObject());
    return status === 201 || status === 409;
  });
  note({ kind: 'deployment-created' });
}

function deploymentObject(): object {
  const labels = { app: deployment.name };
  const container = { name: 'sleep', image: 'rfo.io/testbox:1', imagePullPolicy: 'IfNotPresent', command: ['sleep', '1000000'] };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: deployment.name },
    spec: {
      replicas: deployment.replicas,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { terminationGracePeriodSeconds: 0, containers: [container] } },
    },
  };
}

function nodeFact({ spec, status }: NodeObject): DistributiveOmit<Fact, 'at'> {
  return { kind: 'node', ready: isTrue(status.conditions, 'Ready'), podCidr: spec.podCIDR !== undefined };
}

function podFact({ metadata, spec, status }: PodObject): PodFact {
  const running = (status.containerStatuses ?? []).filter(({ state }) => state?.running !== undefined);
  return {
    name: `${metadata.namespace}/${metadata.name}`,
    scheduled: spec.nodeName !== undefined,
    ready: status.phase === 'Running' && running.length === spec.containers.length && isTrue(status.conditions, 'Ready'),
    containers: running.map(({ containerID }) => containerID ?? ''),
    wanted: spec.containers.length,
  };
}

function isTrue(conditions: readonly Condition[] | undefined, type: string): boolean {
  return conditions?.some((condition) => condition.type === type && condition.status === 'True') ?? false;
}

function note(fact: DistributiveOmit<Fact, 'at'>): void {
  console.log(JSON.stringify({ at: Date.now(), ...fact }));
}
