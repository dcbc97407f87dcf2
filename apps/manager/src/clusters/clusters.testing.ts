/** For the tests: replicas of the connections on one real API server, which is also the cluster that is imported, and real agents as processes. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { createPublicKey } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { type Clock, Life, silentLog, systemClock } from '@rfo/foundation';
import { type KubeObject, startTestCluster, type TestCluster } from '@rfo/kube';
import { certificateInfos, encodeKey, encodePem, generateKey, identity, issueCertificate, issueSelfSigned, publicKeyBytes } from '@rfo/pki';
import { agentName, agentNamespace } from '@rfo/schema';
import { startListener } from '../listen.ts';
import { installCrds } from '../objects/install-crds.ts';
import { type Objects, openObjects } from '../objects/open-objects.ts';
import type { Connections } from './connections.ts';
import { createConnections } from './create-connections.ts';

export type Lab = {
  readonly cluster: TestCluster;
  readonly objects: Objects;
  readonly life: Life;
  /** PEM of the authority of all that listens here. */
  readonly ca: string;
  readonly issue: (name: string) => { readonly cert: string; readonly key: string };
  readonly folder: string;
};

export async function startLab(): Promise<Lab> {
  const life = new Life();
  const cluster = await startTestCluster();
  life.defer(() => cluster.stop());
  const folder = await mkdtemp(join(tmpdir(), 'rfo-clusters-'));
  life.defer(() => rm(folder, { recursive: true }));
  const { client } = cluster;
  await installCrds(client, { log: silentLog, signal: life.signal });
  await client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: agentNamespace } });
  const objects = await openObjects({ client, life, log: silentLog });
  const { ca, issue } = makeAuthority();
  return { cluster, objects, life, ca, issue, folder };
}

export function makeAuthority(): Pick<Lab, 'ca' | 'issue'> {
  const key = generateKey();
  const now = Date.now();
  const dates = { notBefore: now - 60_000, notAfter: now + 3_600_000 };
  const own = { subject: identity('test-ca'), publicKey: publicKeyBytes(createPublicKey(key)), ...dates, ca: {} };
  const ca = encodePem('CERTIFICATE', issueSelfSigned(own, key));
  const [certificate] = certificateInfos(ca);
  if (certificate === undefined) throw new TypeError('no certificate');
  return {
    ca,
    issue: (name) => {
      const leaf = generateKey();
      const publicKey = publicKeyBytes(createPublicKey(leaf));
      const altNames = [{ type: 'ip', value: '127.0.0.1' }] as const;
      const request = { subject: identity(name), publicKey, ...dates, altNames, usages: ['serverAuth'] as const };
      return { cert: encodePem('CERTIFICATE', issueCertificate(request, { certificate, key })), key: encodeKey(leaf) };
    },
  };
}

export type Replica = { readonly connections: Connections; readonly port: number; readonly life: Life };

/**
 * A replica that listens; with a name it joins the others.
 * @param options `port`: any that is free. `authority`: of its certificate, that of the lab
 */
export async function startReplica(
  { cluster, objects, life, ca: labCa, issue: labIssue }: Lab,
  name?: string,
  options: {
    readonly port?: number;
    readonly authority?: Pick<Lab, 'ca' | 'issue'>;
    readonly clock?: Clock;
    readonly rotateEvery?: number;
  } = {},
): Promise<Replica> {
  const own = life.child();
  const { port: wanted = 0, authority, clock = systemClock, rotateEvery } = options;
  const { ca, issue } = authority ?? { ca: labCa, issue: labIssue };
  const connections = await createConnections({
    ...{ objects, client: cluster.client, local: cluster.options, namespace: agentNamespace, image: 'rfo.io/cluster-agent:test' },
    ...{ version: 'test', authority: () => ca, clock, life: own, log: silentLog },
    ...(rotateEvery !== undefined && { rotateEvery }),
    ...(name !== undefined && { replica: { name, host: '127.0.0.1', port: 0 } }),
  });
  const { port } = await startListener({
    ...{ address: '127.0.0.1', port: wanted, life: own },
    certificate: { current: () => issue('manager'), ca: () => ca, onChange: () => () => undefined },
    entrances: {
      request: ({ url = '' }, response) => {
        const [, token = ''] = /^\/import\/(.+)\.yaml$/.exec(url) ?? [];
        connections.importManifest(token).then(
          (manifest) => response.end(manifest),
          () => response.writeHead(404).end(),
        );
      },
      upgrade: connections.handleUpgrade,
      tunnel: connections.handleTunnel,
    },
  });
  return { connections, port, life: own };
}

/** Makes a Cluster, imports its manifest, and gives the account that its agents run by. */
export async function importCluster(
  lab: Lab,
  connections: Connections,
  name: string,
): Promise<{ readonly token: string; readonly account: string }> {
  await lab.objects.clusters.create({ metadata: { name }, spec: {} });
  return { token: await bringIn(lab, connections, name), account: await makeAccount(lab) };
}

/** Runs the line that imports a Cluster; gives the token in it. */
export async function bringIn(lab: Lab, connections: Connections, name: string): Promise<string> {
  const { url, command } = await connections.register(name);
  const token = url.slice(url.lastIndexOf('/') + 1, -'.yaml'.length);
  // The line that the user is given, as far as it fetches.
  const { stdout } = await promisify(execFile)('bash', ['-c', command.replace(/ \| kubectl apply -f -$/, '')]);
  await applyManifest(lab, stdout);
  return token;
}

/** What a pod of the agent has of its service account, in a folder. */
async function makeAccount(lab: Lab): Promise<string> {
  const { client } = lab.cluster;
  const path = `/api/v1/namespaces/${agentNamespace}/serviceaccounts/${agentName}/token`;
  const { text } = await client.raw({
    method: 'POST',
    path,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} }),
  });
  const { status } = JSON.parse(text) as { status: { token: string } };
  const account = await mkdtemp(join(lab.folder, 'account-'));
  await writeFile(join(account, 'token'), status.token);
  const { ca } = lab.cluster.options;
  await writeFile(join(account, 'ca.crt'), ca !== undefined && 'file' in ca ? await readFile(ca.file) : '');
  return account;
}

/** As `kubectl apply` does, and as strict about unknown fields. */
async function applyManifest({ cluster }: Lab, manifest: string): Promise<void> {
  for (const document of manifest.split(/^---\n/m).filter((each) => each !== '')) {
    await cluster.client.apply(JSON.parse(document) as KubeObject, { fieldManager: 'kubectl', force: true });
  }
}

export type Agent = {
  readonly process: ChildProcess;
  /** Resolves with the first line of its log that matches, also one of before. */
  readonly logged: (pattern: RegExp) => Promise<string>;
  readonly ready: () => Promise<{ readonly status: number; readonly text: string }>;
  readonly stop: () => Promise<void>;
};

/** The real program of an agent, with the environment that a pod of the manifest has. */
export async function startAgent(
  lab: Lab,
  account: string,
  options: { readonly via?: string; readonly name?: string; readonly env?: Record<string, string> } = {},
): Promise<Agent> {
  const { via = 'deployment', name = 'agent-1', env = {} } = options;
  const api = new URL(lab.cluster.options.server);
  const child = spawn(process.execPath, [join(import.meta.dirname, '../../../cluster-agent/src/main.ts')], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: {
      ...{ RFO_CLUSTER_AGENT_VIA: via, RFO_CLUSTER_AGENT_HEALTH_PORT: '0', RFO_CLUSTER_AGENT_SERVICE_ACCOUNT_DIR: account },
      ...{ POD_NAME: name, NODE_NAME: 'node-1', KUBERNETES_SERVICE_HOST: api.hostname, KUBERNETES_SERVICE_PORT: api.port },
      ...env,
    },
  });
  const lines: string[] = [];
  const waiting = new Set<() => void>();
  createInterface({ input: child.stderr }).on('line', (line) => {
    lines.push(line);
    for (const look of waiting) look();
  });
  const ended = once(child, 'exit');
  const logged = (pattern: RegExp): Promise<string> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const found = lines.find((line) => pattern.test(line));
        if (found === undefined) return;
        waiting.delete(look);
        resolve(found);
      };
      waiting.add(look);
      look();
      void ended.then(() => reject(new Error(`the agent ended without ${pattern}:\n${lines.join('\n')}`)));
      setTimeout(() => reject(new Error(`the agent has not said ${pattern}:\n${lines.join('\n')}`)), 90_000).unref();
    });
  const stop = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await ended;
  };
  lab.life.defer(stop);
  const port = /healthPort=(\d+)/.exec(await logged(/the agent runs/))?.[1];
  return {
    process: child,
    logged,
    stop,
    ready: async () => {
      const response = await fetch(`http://127.0.0.1:${port}/readyz`);
      return { status: response.status, text: await response.text() };
    },
  };
}

/** Resolves as soon as the state of the cluster is accepted. */
export function until(
  connections: Connections,
  cluster: string,
  accept: (state: ReturnType<Connections['state']>) => boolean,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`the state of ${cluster} is ${JSON.stringify(connections.state(cluster))}`)), 90_000);
    const look = (): void => {
      if (!accept(connections.state(cluster))) return;
      clearTimeout(timer);
      end();
      resolve();
    };
    const end = connections.onChange(look);
    look();
  });
}

/** Resolves with the object as soon as it is accepted. */
export function untilCluster<T>(
  objects: Objects,
  name: string,
  accept: (object: ReturnType<Objects['clusters']['get']>) => T | undefined,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`the Cluster is ${JSON.stringify(objects.clusters.get(name))}`)), 90_000);
    const look = (): void => {
      const found = accept(objects.clusters.get(name));
      if (found === undefined) return;
      clearTimeout(timer);
      end();
      resolve(found);
    };
    const end = objects.clusters.onChange(look);
    look();
  });
}
