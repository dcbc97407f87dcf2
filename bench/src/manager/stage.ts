/** What every row stands on: a real etcd and kube-apiserver, the manager's program beside it, and a way to bring the agent's program in. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts, type Life } from '@rfo/foundation';
import { type KubeObject, readEntry, type Secret, secretKind, startTestCluster, type TestCluster } from '@rfo/kube';
import { type Call, createCall, expectStatus } from './https-call.ts';
import { type Layout, layOut, memoryOf, type Program, run } from './programs.ts';

export type Stage = {
  readonly cluster: TestCluster;
  /** Of its API server. */
  readonly api: { readonly port: number; readonly ca: string };
  /** Goes with the life of the stage. */
  readonly folder: string;
  readonly life: Life;
  readonly profile: string | undefined;
};

export async function openStage({ life, profile }: { readonly life: Life; readonly profile: string | undefined }): Promise<Stage> {
  const cluster = await startTestCluster();
  life.defer(() => cluster.stop());
  const folder = await mkdtemp(join(tmpdir(), 'rfo-bench-manager-'));
  life.defer(() => rm(folder, { recursive: true }));
  const { ca, server } = cluster.options;
  const api = { port: Number(new URL(server).port), ca: await readFile(fileOf(ca), 'utf8') };
  return { cluster, api, folder, life, profile };
}

export type Manager = {
  readonly program: Program;
  /** Its memory (RSS, MB) before it has anything to do. */
  readonly alone: number;
  readonly port: number;
  readonly ca: string;
  /** As its administrator. */
  readonly call: Call;
  /** The bearer token of the administrator's session. */
  readonly credential: string;
  /** Ends it and starts it anew on the same port; resolves at once with the time (ms) at which the new one was started. */
  readonly restart: () => Promise<{ readonly program: Program; readonly at: number }>;
};

const password = 'correct horse battery staple';

/** The first manager of a stage: its administrator is signed in. */
export async function startManager(stage: Stage): Promise<Manager> {
  const { cluster, folder, life, profile } = stage;
  const layout = await layOut('manager', life);
  const kubeconfig = join(folder, 'kubeconfig.json');
  await writeFile(kubeconfig, renderKubeconfig(cluster));
  const [port = 0] = await freePorts(1);
  const start = (): Program =>
    run(
      [
        ...layout.command,
        `--kubeconfig=${kubeconfig}`,
        '--bind-address=127.0.0.1',
        `--https-port=${port}`,
        `--server-url=https://127.0.0.1:${port}`,
      ],
      { ...layout.env, ...(profile !== undefined && { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${profile}` }) },
      life,
    );
  let program = start();
  const [, first = ''] = await program.said(/^Sign in as admin with the password (\S+) /m);
  const ca = await authorityOf(cluster);
  let credential = '';
  const call = createCall({ port, ca, credential: () => credential || undefined }, life);
  const body = { username: 'admin', password: first, newPassword: password, as: 'token' };
  const session = (await expectStatus(201, call('POST', '/api/v1/session', { body }))) as { readonly token: string };
  credential = session.token;
  return {
    program,
    alone: (await memoryOf(program.pid)).rss,
    port,
    ca,
    call,
    credential,
    restart: async () => {
      await program.stop();
      const at = performance.now();
      program = start();
      return { program, at };
    },
  };
}

export type Registered = { readonly token: string; readonly manifest: string };

/** Makes a cluster known; gives the token of its import address. The manifest is fetched where it is asked for. */
export async function register(manager: Manager, name: string, options: { readonly manifest: boolean }): Promise<Registered> {
  const made = await expectStatus(201, manager.call('POST', '/api/v1/clusters', { body: { name } }));
  const { url } = (made as { readonly registration: { readonly url: string } }).registration;
  const { pathname } = new URL(url);
  const token = pathname.slice('/import/'.length, -'.yaml'.length);
  if (!options.manifest) return { token, manifest: '' };
  const { status, text } = await manager.call('GET', pathname);
  if (status !== 200) throw new Error(`the manifest of ${name} is answered with ${status}: ${text}`);
  return { token, manifest: text };
}

export type Account = {
  /** With `token` and `ca.crt`, as a pod has them. */
  readonly folder: string;
  readonly token: string;
  /** What a pod is told of its API server. */
  readonly env: Readonly<Record<string, string>>;
};

/** Puts the manifest into the cluster of the stage, as its administrator does, and gives the account that agents run by. */
export async function applyImport({ cluster, api, folder }: Stage, manifest: string): Promise<Account> {
  for (const document of manifest.split(/^---\n/m).filter((each) => each !== ''))
    await cluster.client.apply(JSON.parse(document) as KubeObject, { fieldManager: 'kubectl', force: true });
  const { text } = await cluster.client.raw({
    method: 'POST',
    path: '/api/v1/namespaces/rfo-system/serviceaccounts/rfo-cluster-agent/token',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { expirationSeconds: 7200 } }),
  });
  const { status } = JSON.parse(text) as { readonly status: { readonly token: string } };
  const account = join(folder, 'account');
  await mkdir(account, { recursive: true });
  await writeFile(join(account, 'token'), status.token);
  await writeFile(join(account, 'ca.crt'), api.ca);
  return {
    folder: account,
    token: status.token,
    env: { KUBERNETES_SERVICE_HOST: '127.0.0.1', KUBERNETES_SERVICE_PORT: String(api.port) },
  };
}

/** The agent's program as its image starts it; resolves when the manager has taken it in. */
export async function startAgent(stage: Stage, account: Account): Promise<{ readonly program: Program; readonly layout: Layout }> {
  const layout = await layOut('cluster-agent', stage.life);
  const program = run(
    layout.command,
    {
      ...layout.env,
      RFO_CLUSTER_AGENT_VIA: 'deployment',
      RFO_CLUSTER_AGENT_HEALTH_PORT: '0',
      RFO_CLUSTER_AGENT_SERVICE_ACCOUNT_DIR: account.folder,
      POD_NAME: 'bench-agent',
      NODE_NAME: 'bench-node',
      ...account.env,
    },
    stage.life,
  );
  await program.said(/the manager has taken this agent in/);
  return { program, layout };
}

async function authorityOf({ client }: TestCluster): Promise<string> {
  const secret = await client.find<Secret>({ ...secretKind, namespace: 'rfo-system', name: 'rfo-manager-tls' });
  return (secret && readEntry(secret, 'ca.crt')) ?? '';
}

/** Of the administrator, or of who has the token. */
export function renderKubeconfig({ options }: TestCluster, token?: string): string {
  const { server, ca, cert, key } = options;
  const user = token === undefined ? { 'client-certificate': fileOf(cert), 'client-key': fileOf(key) } : { token };
  return JSON.stringify({
    'current-context': 'it',
    'contexts': [{ name: 'it', context: { cluster: 'it', user: 'it' } }],
    'clusters': [{ name: 'it', cluster: { server, 'certificate-authority': fileOf(ca) } }],
    'users': [{ name: 'it', user }],
  });
}

function fileOf(source: TestCluster['options']['ca']): string {
  if (source === undefined || !('file' in source)) throw new TypeError('the credentials of the test cluster are in no file');
  return source.file;
}
