import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fail, retry } from '@rfo/foundation';
import { createEtcdClient } from './client.ts';
import type { EtcdEndpoint } from './gateway.ts';

const binaries = join(import.meta.dirname, '../../../.cache/dist/bin');

export type TestEtcd = {
  readonly endpoint: EtcdEndpoint;
  /** Issues the client's certificate anew, over the old one. */
  readonly renew: () => void;
  /** Saves a snapshot with etcdctl; gives its path. */
  readonly snapshot: () => string;
  readonly stop: () => Promise<void>;
};

/** For tests: a real etcd on loopback that asks for client certificates. Throws bundle-missing. */
export async function startTestEtcd(): Promise<TestEtcd> {
  if (!existsSync(join(binaries, 'etcd'))) throw fail('bundle-missing', { dir: binaries });
  const folder = await mkdtemp(join(tmpdir(), 'rfo-etcd-'));
  const at = (name: string): string => join(folder, name);
  const [client, http, peer] = [await freePort(), await freePort(), await freePort()];
  openssl(folder, ['req', '-x509', ...newKey, '-subj', '/CN=ca', '-keyout', 'ca.key', '-out', 'ca.crt']);
  issue(folder, 'server');
  issue(folder, 'client');
  const url = (port: number, scheme = 'https'): string => `${scheme}://127.0.0.1:${port}`;
  const etcd = spawn(
    join(binaries, 'etcd'),
    [
      `--data-dir=${at('data')}`,
      `--listen-client-urls=${url(client)}`,
      `--listen-client-http-urls=${url(http)}`,
      `--advertise-client-urls=${url(client)}`,
      `--listen-peer-urls=${url(peer, 'http')}`,
      `--initial-advertise-peer-urls=${url(peer, 'http')}`,
      `--initial-cluster=default=${url(peer, 'http')}`,
      ...['--client-cert-auth', `--trusted-ca-file=${at('ca.crt')}`, `--cert-file=${at('server.crt')}`, `--key-file=${at('server.key')}`],
      ...['--heartbeat-interval=50', '--election-timeout=250', '--unsafe-no-fsync', '--log-level=fatal'],
    ],
    { stdio: ['ignore', 'inherit', 'inherit'], env: { PATH: process.env.PATH } },
  );
  const kill = (): boolean => etcd.kill('SIGKILL');
  process.once('exit', kill);
  const gone = new AbortController();
  const ended = once(etcd, 'exit').then(() => gone.abort(new Error('etcd ended')));
  const endpoint = { endpoint: url(http), ca: at('ca.crt'), cert: at('client.crt'), key: at('client.key') };
  const stop = async (): Promise<void> => {
    process.off('exit', kill);
    kill();
    await ended;
    await rm(folder, { recursive: true });
  };
  const probe = createEtcdClient(endpoint);
  try {
    await retry(() => probe.health(), { initial: 20, max: 100, signal: gone.signal });
  } catch (error) {
    await stop();
    throw error;
  } finally {
    probe.close();
  }
  return {
    endpoint,
    renew: () => issue(folder, 'client'),
    snapshot: () => {
      const files = [`--cacert=${at('ca.crt')}`, `--cert=${at('client.crt')}`, `--key=${at('client.key')}`];
      execFileSync(join(binaries, 'etcdctl'), [`--endpoints=${url(client)}`, ...files, 'snapshot', 'save', at('snapshot')], {
        stdio: 'pipe',
      });
      return at('snapshot');
    },
    stop,
  };
}

const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];

/** With both usages: the gateway dials etcd with etcd's own certificate. */
function issue(folder: string, name: string): void {
  writeFileSync(join(folder, 'ext'), 'extendedKeyUsage=serverAuth,clientAuth\nsubjectAltName=IP:127.0.0.1');
  openssl(folder, ['req', ...newKey.slice(0, 5), '-subj', `/CN=${name}`, '-keyout', `${name}.key`, '-out', 'csr']);
  openssl(folder, [
    'x509',
    '-req',
    '-days',
    '2',
    '-in',
    'csr',
    '-out',
    `${name}.crt`,
    '-CA',
    'ca.crt',
    '-CAkey',
    'ca.key',
    '-CAcreateserial',
    '-extfile',
    'ext',
  ]);
}

function openssl(folder: string, args: readonly string[]): void {
  execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}
