/** For tests: a manager as it is in production, started as a program beside a real API server. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type KubeClientOptions, readEntry, type Secret, secretKind, startTestCluster } from '@rfo/kube';

const program = join(import.meta.dirname, '../../../../manager/src/main.ts');

export type TestManager = {
  readonly address: string;
  /** Of the user `admin`, for one sign-in. */
  readonly password: string;
  /** PEM. */
  readonly ca: string;
  readonly stop: () => Promise<void>;
};

export async function startTestManager(): Promise<TestManager> {
  const cluster = await startTestCluster();
  const folder = await mkdtemp(join(tmpdir(), 'rfo-manager-'));
  const kubeconfig = join(folder, 'kubeconfig');
  await writeFile(kubeconfig, renderAccess(cluster.options));
  const args = ['--kubeconfig', kubeconfig, '--bind-address', '127.0.0.1', '--https-port', '0', '--replica-name', 'one'];
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', program, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH },
  });
  const ended = once(child, 'close');
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended;
    await cluster.stop();
    await rm(folder, { recursive: true });
  };
  try {
    const output = await until(child, /serves at (\S+)[\s\S]*with the password (\S+) /);
    const [, shown = '', password = ''] = output;
    const address = shown.replace('127.0.0.1', 'localhost');
    const { client } = cluster;
    // What people and agents type: the port is known only now.
    await client.create({ apiVersion: 'rfo.io/v1alpha1', kind: 'Setting', metadata: { name: 'server-url' }, spec: { value: address } });
    const tls = await client.get<Secret>({ ...secretKind, namespace: 'rfo-system', name: 'rfo-manager-tls' });
    return { address, password, ca: readEntry(tls, 'ca.crt') ?? '', stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function until(child: ChildProcess, text: RegExp): Promise<RegExpExecArray> {
  return new Promise((resolve, reject) => {
    let output = '';
    const look = (chunk: string): void => {
      output += chunk;
      const found = text.exec(output);
      if (found !== null) resolve(found);
    };
    for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', look);
    child.once('close', () => reject(new Error(`the manager ended:\n${output}`)));
  });
}

function renderAccess({ server, ca, cert, key }: KubeClientOptions): string {
  const file = (source: KubeClientOptions['ca']): string => (source !== undefined && 'file' in source ? source.file : '');
  return JSON.stringify({
    'current-context': 'it',
    'contexts': [{ name: 'it', context: { cluster: 'it', user: 'it' } }],
    'clusters': [{ name: 'it', cluster: { server, 'certificate-authority': file(ca) } }],
    'users': [{ name: 'it', user: { 'client-certificate': file(cert), 'client-key': file(key) } }],
  });
}
