import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { endWithProcess, fail, freePorts, retry } from '@rfo/foundation';
import { createEtcdClient, type EtcdClient } from '../client.ts';
import type { EtcdEndpoint } from '../gateway.ts';
import { issue, makeAuthority } from './certificates.ts';

const binaries = join(import.meta.dirname, '../../../../.cache/dist/bin');

/** Where a member runs: its ports and its folder, kept over its starts. */
export type TestSlot = {
  readonly clientUrl: string;
  readonly peerUrl: string;
  readonly endpoint: EtcdEndpoint;
  readonly dataDir: string;
};
export type StartOptions = {
  readonly name: string;
  /** `name=peerUrl,…`; itself alone by default. */
  readonly initialCluster?: string;
  readonly state?: 'new' | 'existing';
  /** `--name=value` of etcd, over those given here. */
  readonly args?: readonly string[];
};
export type TestMember = TestSlot & {
  readonly client: EtcdClient;
  /** Aborts when the process has ended, with the end of its log. */
  readonly gone: AbortSignal;
  /** Resolves when it answers, as a learner too. */
  readonly answers: () => Promise<void>;
  /** Stops it where it is: it accepts connections and says nothing. */
  readonly pause: () => void;
  /** Ends it by SIGKILL; what it wrote stays. */
  readonly kill: () => Promise<void>;
};
/** Real etcds on loopback under one CA, which ask each other and their clients for certificates. */
export type TestMembers = {
  readonly folder: string;
  /** Files that members show to each other, and the CA that signed them. */
  readonly peerTls: { readonly ca: string; readonly cert: string; readonly key: string };
  readonly slot: () => Promise<TestSlot>;
  /** Starts etcd there and does not wait for it. */
  readonly launch: (slot: TestSlot, options: StartOptions) => TestMember;
  /** Starts it and waits until it answers. */
  readonly start: (slot: TestSlot, options: StartOptions) => Promise<TestMember>;
  /** Issues the clients' certificate anew, over the old one. */
  readonly renewClient: () => void;
  /** Ends everything and removes the folder. */
  readonly stop: () => Promise<void>;
};

export async function createMembers(): Promise<TestMembers> {
  if (!existsSync(join(binaries, 'etcd'))) throw fail('bundle-missing', { dir: binaries });
  const folder = await mkdtemp(join(tmpdir(), 'rfo-etcd-'));
  const at = (name: string): string => join(folder, name);
  makeAuthority(folder);
  issue(folder, 'server');
  issue(folder, 'client');
  const running = new Set<TestMember>();
  let slots = 0;

  const slot = async (): Promise<TestSlot> => {
    const [client, http, peer] = await freePorts(3);
    const url = (port: number | undefined): string => `https://127.0.0.1:${port}`;
    const endpoint = { endpoint: url(http), ca: at('ca.crt'), cert: at('client.crt'), key: at('client.key') };
    slots += 1;
    return { clientUrl: url(client), peerUrl: url(peer), endpoint, dataDir: at(`data-${slots}`) };
  };
  const launch = (where: TestSlot, options: StartOptions): TestMember => {
    const member = run(folder, where, options);
    running.add(member);
    return member;
  };
  return {
    folder,
    peerTls: { ca: at('ca.crt'), cert: at('server.crt'), key: at('server.key') },
    slot,
    launch,
    start: async (where, options) => {
      const member = launch(where, options);
      await member.answers();
      return member;
    },
    renewClient: () => issue(folder, 'client'),
    stop: async () => {
      await Promise.all([...running].map((member) => member.kill()));
      await rm(folder, { recursive: true });
    },
  };
}

/** Saves a snapshot of the member with etcdctl; gives its path. */
export function saveSnapshot({ clientUrl, endpoint, dataDir }: TestSlot): string {
  const path = `${dataDir}.snapshot`;
  const files = [`--cacert=${endpoint.ca}`, `--cert=${endpoint.cert}`, `--key=${endpoint.key}`];
  execFileSync(join(binaries, 'etcdctl'), [`--endpoints=${clientUrl}`, ...files, 'snapshot', 'save', path], { stdio: 'pipe' });
  return path;
}

function run(folder: string, slot: TestSlot, options: StartOptions): TestMember {
  const logFile = join(folder, `etcd-${new URL(slot.peerUrl).port}.log`);
  const log = openSync(logFile, 'a');
  const etcd = spawn(join(binaries, 'etcd'), etcdArguments(folder, slot, options), {
    stdio: ['ignore', log, log],
    env: { PATH: process.env.PATH },
  });
  closeSync(log);
  endWithProcess(etcd, folder);
  const gone = new AbortController();
  const ended = once(etcd, 'exit').then(() => {
    gone.abort(new Error(`etcd ended:\n${readFileSync(logFile, 'utf8').trim().split('\n').slice(-3).join('\n')}`));
  });
  const client = createEtcdClient(slot.endpoint);
  return {
    ...slot,
    client,
    gone: gone.signal,
    answers: async () => void (await retry(() => client.status(), { initial: 20, max: 100, signal: gone.signal })),
    pause: () => void etcd.kill('SIGSTOP'),
    kill: async () => {
      client.close();
      if (isRunning(etcd)) etcd.kill('SIGKILL');
      await ended;
    },
  };
}

function isRunning(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null;
}

function etcdArguments(folder: string, slot: TestSlot, { name, initialCluster, state = 'new', args = [] }: StartOptions): string[] {
  const tls = (prefix: string, ca: string): string[] => [
    `--${prefix}client-cert-auth`,
    `--${ca}=${join(folder, 'ca.crt')}`,
    `--${prefix}cert-file=${join(folder, 'server.crt')}`,
    `--${prefix}key-file=${join(folder, 'server.key')}`,
  ];
  return [
    `--name=${name}`,
    `--data-dir=${slot.dataDir}`,
    `--listen-client-urls=${slot.clientUrl}`,
    `--listen-client-http-urls=${slot.endpoint.endpoint}`,
    `--advertise-client-urls=${slot.clientUrl}`,
    `--listen-peer-urls=${slot.peerUrl}`,
    `--initial-advertise-peer-urls=${slot.peerUrl}`,
    `--initial-cluster=${initialCluster ?? `${name}=${slot.peerUrl}`}`,
    `--initial-cluster-state=${state}`,
    ...tls('', 'trusted-ca-file'),
    ...tls('peer-', 'peer-trusted-ca-file'),
    ...['--heartbeat-interval=50', '--election-timeout=250', '--unsafe-no-fsync', '--log-level=warn'],
    ...args,
  ];
}
