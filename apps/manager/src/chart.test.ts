// The chart, by the real helm and a real API server: what it refuses, what it makes, and whether the manager can live with the rights that it gives.
import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import {
  type KubeObject,
  type ObjectRef,
  readEntry,
  type Secret,
  secretKind,
  startTestCluster,
  type TestCluster,
  waitForObject,
} from '@rfo/kube';
import { parse, parseAllDocuments } from 'yaml';
import { renderCrds } from './objects/schema.ts';
import { managerVersion } from './version.ts';

const chart = join(import.meta.dirname, '../chart');
const helmProgram = join(import.meta.dirname, '../../../.cache/dist/bin/helm');
const namespace = 'rfo-system';
const run = promisify(execFile);

let home: string;
before(async () => {
  home = await mkdtemp(join(tmpdir(), 'rfo-chart-'));
});
after(() => rm(home, { recursive: true, force: true }));

const helm = async (...args: readonly string[]): Promise<string> =>
  (await run(helmProgram, args, { env: { HOME: home, PATH: process.env.PATH } })).stdout;
const refusal = async (...sets: readonly string[]): Promise<string> =>
  await helm('template', 'it', chart, ...sets.flatMap((set) => ['--set', set])).then(
    () => assert.fail('it was rendered'),
    ({ stderr }: { readonly stderr: string }) => stderr,
  );
const render = async (...sets: readonly string[]): Promise<readonly KubeObject[]> => {
  const manifest = await helm('template', 'it', chart, '--namespace', namespace, ...sets.flatMap((set) => ['--set', set]));
  return parseAllDocuments(manifest).flatMap((document) => (document.contents === null ? [] : [document.toJS() as KubeObject]));
};

type PodSpec = {
  readonly affinity: { readonly podAntiAffinity: Readonly<Record<string, unknown>> };
  readonly containers: readonly [{ readonly image: string; readonly args: readonly string[]; readonly volumeMounts?: unknown }];
  readonly volumes?: unknown;
};
type Deployment = KubeObject & {
  readonly spec: {
    readonly replicas: number;
    readonly strategy: unknown;
    readonly template: { readonly metadata: KubeObject['metadata']; readonly spec: PodSpec };
  };
};
const find = (objects: readonly KubeObject[], kind: string): KubeObject | undefined => objects.find((object) => object.kind === kind);
const deploymentOf = (objects: readonly KubeObject[]): Deployment => find(objects, 'Deployment') as Deployment;

describe('the chart', () => {
  it('has nothing that helm complains of, and the version of the program', async () => {
    const said = await helm('lint', '--strict', chart);
    assert.match(said, /1 chart\(s\) linted, 0 chart\(s\) failed/);
    const { version, appVersion } = parse(await readFile(join(chart, 'Chart.yaml'), 'utf8'));
    assert.deepEqual({ version, appVersion }, { version: managerVersion, appVersion: managerVersion });
  });

  it('refuses what it does not know or what does not fit together, by its name', async () => {
    assert.match(await refusal('replicas=0'), /replicas.*minimum/s);
    assert.match(await refusal('replica=3'), /additional properties 'replica' not allowed/);
    assert.match(await refusal('serverUrl=http://rfo.example.com'), /serverUrl.*does not match pattern/s);
    assert.match(await refusal('serverUrl=https://rfo.example.com/path'), /serverUrl.*does not match pattern/s);
    assert.match(await refusal('tls.privateCa=true'), /tls\/secretName/);
    assert.match(await refusal('service.type=ExternalName'), /service\/type/);
  });

  it('makes three replicas that are kept apart and of which one at a time may be taken away', async () => {
    const objects = await render();
    const { spec } = deploymentOf(objects);
    assert.equal(spec.replicas, 3);
    assert.deepEqual(spec.strategy, { rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } });
    assert.deepEqual(Object.keys(spec.template.spec.affinity.podAntiAffinity), ['preferredDuringSchedulingIgnoredDuringExecution']);
    const budget = find(objects, 'PodDisruptionBudget') as KubeObject & { readonly spec: { readonly maxUnavailable: number } };
    assert.equal(budget.spec.maxUnavailable, 1);
    assert.deepEqual(spec.template.spec.containers[0].args, [
      '--namespace=$(RFO_NAMESPACE)',
      '--replica-name=$(RFO_REPLICA)',
      '--replica-address=$(RFO_ADDRESS)',
      '--shutdown-delay=5s',
      '--hide-password',
      '--log-format=json',
    ]);
    assert.equal(spec.template.spec.containers[0].image, `rfo.io/manager:${managerVersion}`);
  });

  it('makes one replica whose node can be drained', async () => {
    const objects = await render('replicas=1');
    assert.equal(deploymentOf(objects).spec.replicas, 1);
    assert.equal(find(objects, 'PodDisruptionBudget'), undefined);
  });

  it('makes room before it starts another replica where no two may share a node', async () => {
    const { spec } = deploymentOf(await render('antiAffinity=required'));
    assert.deepEqual(spec.strategy, { rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } });
    assert.deepEqual(Object.keys(spec.template.spec.affinity.podAntiAffinity), ['requiredDuringSchedulingIgnoredDuringExecution']);
  });

  it('gives the program a certificate from a Secret, its address, and the image of agents', async () => {
    const { spec } = deploymentOf(
      await render('tls.secretName=own', 'tls.privateCa=true', 'serverUrl=https://rfo.example.com', 'agentImage=r.example/agent:1'),
    );
    const [{ args, volumeMounts }] = spec.template.spec.containers;
    assert.deepEqual(args.slice(6), [
      '--server-url=https://rfo.example.com',
      '--agent-image=r.example/agent:1',
      '--tls-cert-file=/etc/rfo-manager/tls/tls.crt',
      '--tls-key-file=/etc/rfo-manager/tls/tls.key',
      '--tls-ca-file=/etc/rfo-manager/tls/ca.crt',
    ]);
    assert.deepEqual(volumeMounts, [{ name: 'tls', mountPath: '/etc/rfo-manager/tls', readOnly: true }]);
    assert.deepEqual(spec.template.spec.volumes, [{ name: 'tls', secret: { secretName: 'own', defaultMode: 0o440 } }]);
  });

  it('lets the manager define its own kinds, all of them and no other', async () => {
    const role = (await render()).find(({ kind }) => kind === 'ClusterRole') as KubeObject & {
      readonly rules: readonly { readonly resources: readonly string[]; readonly resourceNames?: readonly string[] }[];
    };
    const names = role.rules.find(({ resources }) => resources.includes('customresourcedefinitions'))?.resourceNames;
    assert.deepEqual(
      names,
      renderCrds()
        .map(({ metadata }) => metadata.name)
        .sort(),
    );
  });
});

describe('beside a real API server', () => {
  let cluster: TestCluster;
  let manager: ChildProcess | undefined;
  let objects: readonly KubeObject[];
  before(async () => {
    cluster = await startTestCluster();
    objects = await render();
    // As strict as Pod Security Admission gets.
    const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
    await cluster.client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace, labels } });
    for (const object of objects) await cluster.client.apply(object, { fieldManager: 'helm', force: true });
  });
  after(async () => {
    manager?.kill('SIGKILL');
    await cluster?.stop();
  });

  it('its pods are let in where nothing may be privileged', async () => {
    const { metadata, spec } = deploymentOf(objects).spec.template;
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { ...metadata, name: 'replica', namespace }, spec };
    await cluster.client.create(pod);
    await cluster.client.delete({ apiVersion: 'v1', kind: 'Pod', namespace, name: 'replica' });
  });

  it('the rights that it gives are enough to serve, to lead, and to be the door of its own cluster', async () => {
    const kubeconfig = join(home, 'kubeconfig');
    await writeFile(kubeconfig, JSON.stringify(await accountKubeconfig(cluster)), { mode: 0o600 });
    const args = ['--kubeconfig', kubeconfig, '--bind-address=127.0.0.1', '--https-port=0', '--replica-name=replica'];
    const replicas = ['--replica-address=127.0.0.1', '--replica-port=0', '--server-url=https://127.0.0.1:8443'];
    const program = [join(import.meta.dirname, 'main.ts'), ...args, ...replicas];
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', ...program], { stdio: ['ignore', 'ignore', 'pipe'] });
    manager = child;
    let said = '';
    const serving = new Promise<number>((resolve, reject) => {
      child.once('close', () => reject(new Error(said)));
      child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
        said += chunk;
        const port = /serving port=(\d+)/.exec(said)?.[1];
        if (port !== undefined) resolve(Number(port));
      });
    });
    const door = await openDoor(cluster, await serving);

    const signal = AbortSignal.timeout(60_000);
    const until = <T extends KubeObject>(ref: ObjectRef, accept: (object: T) => boolean = () => true): Promise<T> =>
      waitForObject<T>(cluster.client, ref, { accept, signal }).catch((error: unknown) => {
        throw new Error(`${ref.kind} ${ref.name} is not as it should be. The manager said:\n${said}`, { cause: error });
      });
    type Status = { readonly status?: { readonly phase?: string; readonly kubernetesVersion?: string } };
    const local = { apiVersion: 'rfo.io/v1alpha1', kind: 'Cluster', name: 'local' };
    await until<KubeObject & Status>(local, ({ status }) => status?.phase === 'Active');
    // A role over the whole of it, and one with a quota in a namespace.
    await cluster.client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } });
    const places = [{ cluster: 'local', namespaces: ['shop'] }];
    const members = [{ kind: 'User', name: 'admin', role: 'member' }];
    const spec = { places, members, quota: { hard: { pods: '20' } } };
    const made = await door('POST', '/api/v1/projects', { name: 'shop', spec });
    assert.equal(made.status, 201, made.body);
    const quotas = { apiVersion: 'v1', kind: 'ResourceQuota', namespace: 'shop', name: 'rfo-project' };
    await until(quotas);

    const seen = await door('GET', '/k8s/clusters/local/api/v1/namespaces/shop');
    assert.equal(seen.status, 200, seen.body);
    const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' };
    const self = await door('POST', '/k8s/clusters/local/apis/authentication.k8s.io/v1/selfsubjectreviews', review);
    assert.match(self.body, /"username":"rfo:admin"/);

    const listed = await door('GET', '/api/v1/clusters/local/resources/core/v1/configmaps?namespace=kube-system');
    assert.equal(listed.status, 200, listed.body);

    child.kill('SIGTERM');
    assert.deepEqual(await once(child, 'exit'), [0, null], said);
    assert.doesNotMatch(said, /forbidden|cannot|(WARN|ERROR)/i);
  });
});

/** What the kubelet would put into its pod. */
async function accountKubeconfig({ client, options }: TestCluster): Promise<object> {
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/rfo-manager/token`;
  const body = JSON.stringify({ apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} });
  const answer = await client.raw({ method: 'POST', path, headers: { 'content-type': 'application/json' }, body });
  assert.equal(answer.status, 201, answer.text);
  const { token } = (JSON.parse(answer.text) as { readonly status: { readonly token: string } }).status;
  const ca = options.ca !== undefined && 'file' in options.ca ? options.ca.file : '';
  return {
    'current-context': 'it',
    'contexts': [{ name: 'it', context: { cluster: 'it', user: 'it' } }],
    'clusters': [{ name: 'it', cluster: { server: options.server, 'certificate-authority': ca } }],
    'users': [{ name: 'it', user: { token } }],
  };
}

type Door = (method: string, path: string, body?: object) => Promise<{ readonly status: number; readonly body: string }>;

/** Signs in as admin with the password of the Secret; gives what sends requests under that name. */
async function openDoor({ client }: TestCluster, port: number): Promise<Door> {
  const entry = async (name: string, key: string): Promise<string> =>
    readEntry(await client.get<Secret>({ ...secretKind, namespace, name }), key) ?? '';
  const ca = await entry('rfo-manager-tls', 'ca.crt');
  const send = async (headers: Readonly<Record<string, string>>, ...[method, path, body]: Parameters<Door>): ReturnType<Door> => {
    const sent = request({ host: '127.0.0.1', port, ca, method, path, headers: { 'content-type': 'application/json', ...headers } });
    const [response] = await once(sent.end(body && JSON.stringify(body)), 'response');
    return { status: response.statusCode, body: await text(response) };
  };
  const password = await entry('rfo-administrator', 'password');
  const asked = { username: 'admin', password, newPassword: 'correct horse battery', as: 'token' };
  const session = await send({}, 'POST', '/api/v1/session', asked);
  assert.equal(session.status, 201, session.body);
  const { token } = JSON.parse(session.body) as { readonly token: string };
  return (...asks) => send({ authorization: `Bearer ${token}` }, ...asks);
}
