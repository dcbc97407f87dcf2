/** Ten thousand pods in a real API server: how soon the manager shows a page of them, filtered and sorted, and what they cost it. */
import { randomUUID } from 'node:crypto';
import { retry } from '@rfo/foundation';
import type { KubeClient, KubeObject, TestCluster } from '@rfo/kube';
import { percentile } from '../statistics.ts';
import { names, type Sample } from './figures.ts';
import { expectStatus } from './https-call.ts';
import { memoryOf } from './programs.ts';
import type { Manager, Stage } from './stage.ts';

const namespaces = 50;
const nodes = 100;
const apps = 40;
const phases = ['Running', 'Running', 'Running', 'Pending', 'Failed'] as const;
/** Pods of one transaction; etcd takes 128 at most. */
const perWrite = 100;
/** Requests that are measured, one after the other. */
const requests = 250;
const pageSize = 100;
const list = '/api/v1/clusters/local/resources/core/v1/pods';

/**
 * The manager has to run in the cluster of the stage. The pods stay there.
 * @throws an error where an answer is not what the pods are: a wrong one is quick, and worth nothing
 */
export async function measurePods(
  stage: Stage,
  { call, program }: Manager,
  { count = 10_000 }: { readonly count?: number } = {},
): Promise<readonly Sample[]> {
  const { client } = stage.cluster;
  const { signal } = stage.life;
  await createPods(stage.cluster, count, signal);
  console.log(`pods: ${count} are there`);
  await retry(() => expectStatus(200, call('GET', `/api/v1/clusters/local/resources/core/v1/nodes`)), { initial: 100, max: 1000, signal });
  const before = await memoryOf(program.pid);
  const questions = questionsOf(count);
  const ask = async ({ query, total }: Question): Promise<number> => {
    const began = performance.now();
    const { status, text } = await call('GET', `${list}?${new URLSearchParams([...query, ['pageSize', String(pageSize)]])}`);
    const took = performance.now() - began;
    const answer = JSON.parse(text) as { readonly total?: number; readonly items?: readonly unknown[] };
    if (status !== 200 || answer.total !== total || (answer.items?.length ?? 0) === 0)
      throw new Error(`${JSON.stringify(query)} is answered with ${status}, ${answer.total} of ${total}: ${text.slice(0, 500)}`);
    return took;
  };
  const [opening] = questions;
  const first = opening === undefined ? Number.NaN : await ask(opening);
  // Each field is read out of all pods once.
  const cold: number[] = [];
  for (const question of questions) cold.push(await ask(question));
  const times: number[] = [];
  for (let at = 0; at < requests; at++) {
    const question = questions[at % questions.length];
    if (question !== undefined) times.push(await ask(question));
  }
  const after = await memoryOf(program.pid);
  const own = await askApiServer(client);
  const p95 = percentile(times, 0.95);
  const kilobytes = ((after.rss - before.rss) * 1000) / count;
  console.log(`pods: ${kilobytes.toFixed(1)} KB of memory each; ${own.bytes.toFixed(1)} KB of JSON each as the API server sends them`);
  return [
    {
      ...{ what: names.pods, unit: 'ms', value: p95 },
      floors: {
        'p50': percentile(times, 0.5),
        'API server, any page': own.page,
        'API server, all pods': own.all,
        'field asked for first': Math.max(...cold),
      },
    },
    { what: 'pods: from nothing to the first answer', unit: 's', value: first / 1000, floors: { 'API server, all pods': own.all / 1000 } },
    {
      what: 'pods: memory that they take of the manager',
      unit: 'MB',
      value: after.rss - before.rss,
      floors: { 'their JSON': (own.bytes * count) / 1000 },
    },
  ];
}

type Question = { readonly query: [string, string][]; readonly total: number };

/** What people ask, with the number of pods that have to be found. */
function questionsOf(count: number): readonly Question[] {
  const all = Array.from({ length: count }, (_, index) => index);
  const fitting = (fits: (index: number) => boolean): number => all.filter(fits).length;
  return [
    {
      query: [
        ['filter', 'status.phase=Running'],
        ['sort', '-metadata.creationTimestamp'],
      ],
      total: fitting((index) => phaseOf(index) === 'Running'),
    },
    {
      query: [
        ['filter', 'spec.nodeName=node-7'],
        ['sort', 'name'],
      ],
      total: fitting((index) => index % nodes === 7),
    },
    {
      query: [
        ['selector', 'app in (app-3,app-4)'],
        ['sort', '-status.containerStatuses.restartCount,name'],
      ],
      total: fitting((index) => [3, 4].includes(index % apps)),
    },
    {
      query: [
        ['search', 'team-1'],
        ['sort', 'namespace,name'],
        ['page', '2'],
      ],
      total: fitting((index) => /team-1/.test(`team-${index % namespaces}`)),
    },
    {
      query: [
        ['sort', 'status.phase,-status.containerStatuses.restartCount,name'],
        ['page', String(Math.ceil((0.4 * count) / pageSize))],
      ],
      total: count,
    },
  ];
}

function phaseOf(index: number): (typeof phases)[number] {
  return phases[index % phases.length] ?? 'Running';
}

/**
 * Straight into etcd, where the API server finds them as if it had written them: made one by one they take minutes, which nothing here measures.
 * Format: the JSON gateway of etcd, https://etcd.io/docs/v3.6/dev-guide/api_grpc_gateway/
 */
async function createPods({ etcdUrl }: TestCluster, count: number, signal: AbortSignal): Promise<void> {
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  for (let from = 0; from < count; from += perWrite) {
    const success = Array.from({ length: Math.min(perWrite, count - from) }, (_, at) => {
      const pod = { ...renderPod(from + at), status: renderStatus(from + at) };
      const { namespace = '', name } = pod.metadata;
      return { requestPut: { key: base64(`/registry/pods/${namespace}/${name}`), value: base64(JSON.stringify(pod)) } };
    });
    const response = await fetch(`${etcdUrl}/v3/kv/txn`, { method: 'POST', body: JSON.stringify({ success }), signal });
    const answer = (await response.json()) as { readonly succeeded?: boolean };
    if (answer.succeeded !== true) throw new Error(`etcd does not take the pods: ${JSON.stringify(answer)}`);
  }
}

/** As a Deployment makes them. */
function renderPod(index: number): KubeObject {
  const app = `app-${index % apps}`;
  const variables = Array.from({ length: 8 }, (_, at) => ({ name: `SETTING_${at}`, value: `value ${at} of ${app}` }));
  const probe = { httpGet: { path: '/healthz', port: 8080 }, periodSeconds: 10, failureThreshold: 3 };
  const main = {
    ...{
      name: 'main',
      image: `registry.example.com/shop/${app}:1.4.${index % 9}`,
      env: variables,
      ports: [{ containerPort: 8080, name: 'http' }],
    },
    ...{
      resources: { requests: { cpu: '100m', memory: '128Mi' }, limits: { memory: '256Mi' } },
      livenessProbe: probe,
      readinessProbe: probe,
    },
    volumeMounts: [{ name: 'settings', mountPath: '/etc/settings' }],
  };
  return {
    ...{ apiVersion: 'v1', kind: 'Pod' },
    metadata: {
      ...{ name: `${app}-${(index * 7919).toString(36)}-${index}`, namespace: `team-${index % namespaces}` },
      ...{ uid: randomUUID(), creationTimestamp: timeOf(index) },
      labels: { 'app': app, 'app.kubernetes.io/name': app, 'pod-template-hash': String(index % 9) },
      annotations: { 'prometheus.io/scrape': 'true', 'prometheus.io/port': '8080' },
    },
    spec: { nodeName: `node-${index % nodes}`, containers: [main], volumes: [{ name: 'settings', configMap: { name: 'settings' } }] },
  };
}

/** As a kubelet writes it. */
function renderStatus(index: number): unknown {
  const phase = phaseOf(index);
  const time = timeOf(index);
  const condition = (type: string) => ({
    type,
    status: phase === 'Running' ? 'True' : 'False',
    lastProbeTime: null,
    lastTransitionTime: time,
  });
  return {
    ...{ phase, hostIP: '10.0.0.7', podIP: `10.42.${index % 200}.${index % 250}`, startTime: time, qosClass: 'Burstable' },
    conditions: ['PodReadyToStartContainers', 'Initialized', 'Ready', 'ContainersReady', 'PodScheduled'].map(condition),
    containerStatuses: [
      {
        ...{
          name: 'main',
          ready: phase === 'Running',
          restartCount: index % 17,
          started: true,
          image: `registry.example.com/shop/app-${index % apps}:1.4.0`,
        },
        ...{
          imageID: `sha256:${'0'.repeat(56)}${String(index).padStart(8, '0')}`,
          containerID: `containerd://${String(index).padStart(64, '0')}`,
        },
        ...{ lastState: {}, state: { running: { startedAt: time } } },
      },
    ],
  };
}

function timeOf(index: number): string {
  return new Date(Date.UTC(2026, 0, 1) + index * 1000).toISOString().replace('.000', '');
}

/** What it costs to ask the API server itself: a page of any pods, and all of them, which is what sorting takes without an index. */
async function askApiServer(client: KubeClient): Promise<{ readonly page: number; readonly all: number; readonly bytes: number }> {
  const pages: number[] = [];
  for (let at = 0; at < 20; at++) {
    const began = performance.now();
    await client.raw({ method: 'GET', path: `/api/v1/pods?limit=${pageSize}` });
    pages.push(performance.now() - began);
  }
  const began = performance.now();
  const { text } = await client.raw({ method: 'GET', path: '/api/v1/pods' });
  const { items } = JSON.parse(text) as { readonly items: readonly unknown[] };
  return { page: percentile(pages, 0.95), all: performance.now() - began, bytes: text.length / 1000 / items.length };
}
