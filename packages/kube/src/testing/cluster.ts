import type { ChildProcess } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts, retry } from '@rfo/foundation';
import { createKubeClient, type KubeClient, type KubeClientOptions } from '../client.ts';
import { issue, makeAuthority, type Pair } from './certificates.ts';
import { endProgram, logTail, startProgram } from './program.ts';

export type TestClusterOptions = {
  /** Further arguments of kube-apiserver. */
  readonly apiServerArguments?: readonly string[];
};

/** A control plane without controllers: the API is real, nothing acts on it. */
export type TestCluster = {
  /** For `createKubeClient`, as an administrator, with credentials in files. */
  readonly options: KubeClientOptions;
  /** A client of that administrator, closed by `stop`. */
  readonly client: KubeClient;
  /** Issues (or, for a name that exists, renews) a client certificate. */
  readonly issue: (name: string, subject: string) => Pair;
  /** Ends the API server by SIGKILL. */
  readonly killApiServer: () => Promise<void>;
  /** Starts it again on the same port and data; resolves when it is ready. */
  readonly startApiServer: () => Promise<void>;
  /** Of its etcd, for `etcdctl`. */
  readonly etcdUrl: string;
  readonly stop: () => Promise<void>;
};

export async function startCluster({ apiServerArguments: more = [] }: TestClusterOptions): Promise<TestCluster> {
  const folder = await mkdtemp(join(tmpdir(), 'rfo-kube-'));
  const [etcdPort = 0, peerPort = 0, apiPort = 0] = await freePorts(3);
  const ca = makeAuthority(folder);
  const admin = issue(folder, 'admin', { subject: '/O=system:masters/CN=admin' });
  const options = { server: `https://127.0.0.1:${apiPort}`, ca: { file: ca }, cert: { file: admin.cert }, key: { file: admin.key } };
  const own = await apiServerArguments(folder, { ca, apiPort, etcdPort });
  // Both at once are refused.
  const fileDecides = more.some((argument) => argument.startsWith('--authorization-config='));
  const args = [...own.filter((argument) => !(fileDecides && argument.startsWith('--authorization-mode='))), ...more];
  const client = createKubeClient(options);
  const etcd = startProgram('etcd', etcdArguments(folder, { etcdPort, peerPort }), folder);
  let apiServer: ChildProcess | undefined;

  const startApiServer = async (): Promise<void> => {
    apiServer = startProgram('kube-apiserver', args, folder);
    await ready(client, apiServer, folder);
  };
  const killApiServer = async (): Promise<void> => {
    if (apiServer !== undefined) await endProgram(apiServer);
  };
  const stop = async (): Promise<void> => {
    client.close();
    await killApiServer();
    await endProgram(etcd);
    await rm(folder, { recursive: true });
  };

  try {
    await startApiServer();
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    options,
    client,
    issue: (name, subject) => issue(folder, name, { subject }),
    killApiServer,
    startApiServer,
    etcdUrl: `http://127.0.0.1:${etcdPort}`,
    stop,
  };
}

/** Asks again and again, for the API server has no way to tell; its end ends the asking. */
async function ready(client: KubeClient, process: ChildProcess, folder: string): Promise<void> {
  const gone = new AbortController();
  const onExit = (): void => gone.abort(new Error(`kube-apiserver ended:\n${logTail('kube-apiserver', folder)}`));
  process.once('exit', onExit);
  let last: unknown;
  const timer = setTimeout(() => gone.abort(new Error('kube-apiserver was not ready within 90 s', { cause: last })), 90_000);
  const { signal } = gone;
  await retry(
    async () => {
      const { status, text } = await client.raw({ method: 'GET', path: '/readyz', signal });
      if (status !== 200) throw new Error(text);
    },
    {
      initial: 50,
      max: 200,
      signal,
      onError: (error) => {
        last = error;
      },
    },
  ).finally(() => clearTimeout(timer));
  process.off('exit', onExit);
}

function etcdArguments(folder: string, { etcdPort, peerPort }: { etcdPort: number; peerPort: number }): string[] {
  const [client, peer] = [`http://127.0.0.1:${etcdPort}`, `http://127.0.0.1:${peerPort}`];
  return [
    `--data-dir=${join(folder, 'etcd')}`,
    `--listen-client-urls=${client}`,
    `--advertise-client-urls=${client}`,
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=default=${peer}`,
    '--heartbeat-interval=50',
    '--election-timeout=250',
    '--unsafe-no-fsync',
    '--log-level=fatal',
  ];
}

async function apiServerArguments(folder: string, input: { ca: string; apiPort: number; etcdPort: number }): Promise<string[]> {
  const serving = issue(folder, 'serving', { subject: '/CN=kube-apiserver', altNames: 'IP:127.0.0.1' });
  const serviceKey = join(folder, 'service.key');
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  await writeFile(serviceKey, privateKey.export({ type: 'sec1', format: 'pem' }), { mode: 0o600 });
  return [
    `--etcd-servers=http://127.0.0.1:${input.etcdPort}`,
    '--bind-address=127.0.0.1',
    '--advertise-address=127.0.0.1',
    `--secure-port=${input.apiPort}`,
    `--client-ca-file=${input.ca}`,
    `--tls-cert-file=${serving.cert}`,
    `--tls-private-key-file=${serving.key}`,
    '--authorization-mode=RBAC',
    '--service-cluster-ip-range=10.43.0.0/16',
    '--service-account-issuer=https://kubernetes.default.svc.cluster.local',
    `--service-account-key-file=${serviceKey}`,
    `--service-account-signing-key-file=${serviceKey}`,
    '--endpoint-reconciler-type=none',
  ];
}
