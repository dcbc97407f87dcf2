/** For tests: the front door with everything around it that is real, before a real API server (`prod`, and `local` by a certificate) and a server that shows what it gets (`echo`). */
import { execFile, spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect as connectTcp } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { promisify } from 'node:util';
import { createLog, Life, systemClock } from '@rfo/foundation';
import { type KubeObject, startTestCluster, type TestCluster } from '@rfo/kube';
import { createAudit } from '../audit/create-audit.ts';
import type { Audit } from '../audit/types.ts';
import type { Connections, UpstreamTls } from '../clusters/connections.ts';
import type { Caller } from '../identity/caller.ts';
import { createIdentity, type Identity } from '../identity/create-identity.ts';
import { startListener } from '../listen.ts';
import { installCrds } from '../objects/install-crds.ts';
import { type Objects, openObjects } from '../objects/open-objects.ts';
import { createRights } from '../rights/create-rights.ts';
import { testCaller } from '../rights/rights.testing.ts';
import { routeRequests } from '../route-requests.ts';
import { ownCertificate } from '../serving/own.ts';
import { startEcho } from './echo.testing.ts';
import { createFrontDoor } from './front-door.ts';

export type Person = { readonly name: string; readonly credential: string; readonly tokenId: string; readonly caller: Caller };

export type Lab = {
  readonly cluster: TestCluster;
  readonly port: number;
  readonly ca: string;
  readonly objects: Objects;
  readonly identity: Identity;
  readonly audit: Audit;
  /** Emits `record` with what the audit log is given. */
  readonly records: EventEmitter;
  /** Emits `request` and `upgrade` with what reached the server `echo`. */
  readonly arrived: EventEmitter;
  /** Lines of the log. */
  readonly lines: readonly string[];
  /** Connections opened to a cluster so far. */
  readonly dialled: (cluster: string) => number;
  readonly open: () => number;
  readonly endWatches: () => void;
  /** A user with a token; `roles` as `project=role` */
  readonly person: (
    username: string,
    options?: { readonly administrator?: boolean; readonly readOnly?: boolean; readonly clusters?: string[] },
  ) => Promise<Person>;
  /** Makes the people members of the project `team`, which reaches over both clusters. */
  readonly members: (roles: Readonly<Record<string, string>>) => Promise<void>;
  readonly kubectl: (person: Person, ...args: string[]) => Promise<{ readonly code: number; readonly out: string; readonly err: string }>;
  /** kubectl that goes on: gives its output as it comes. */
  readonly follow: (person: Person, ...args: string[]) => Promise<Following>;
  /** A TLS connection to the door, for requests that no client would send. */
  readonly raw: () => Promise<TLSSocket>;
  readonly stop: () => Promise<void>;
};

export type Following = { readonly said: (text: string) => Promise<void>; readonly ended: Promise<unknown>; readonly end: () => void };

const kubectlPath = join(import.meta.dirname, '../../../../.cache/dist/bin/kubectl');
const run = promisify(execFile);

async function startLab(): Promise<Lab> {
  const folder = await mkdtemp(join(tmpdir(), 'rfo-door-'));
  const life = new Life();
  life.defer(() => rm(folder, { recursive: true }));
  const cluster = await startTestCluster();
  life.defer(() => cluster.stop());
  const { client } = cluster;
  const lines: string[] = [];
  const log = createLog({ write: (line) => lines.push(line), level: 'debug' });
  await installCrds(client, { log, signal: life.signal });
  for (const name of ['rfo-system', 'team']) await client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  // What a watch begins with.
  await client.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'here', namespace: 'team' } });
  await grant(cluster);
  const agentToken = await tokenOfAgent(cluster);
  const clusterCa = await readFile((cluster.options.ca as { file: string }).file, 'utf8');

  const echo = await startEcho(cluster);
  life.defer(() => echo.stop());
  const pem = (source: unknown): Promise<string> => readFile((source as { file: string }).file, 'utf8');
  const [cert, key] = await Promise.all([pem(cluster.options.cert), pem(cluster.options.key)]);
  const at = {
    local: { port: Number(new URL(cluster.options.server).port), tls: { ca: clusterCa, host: '127.0.0.1', cert, key } },
    prod: { port: Number(new URL(cluster.options.server).port), tls: { ca: clusterCa, host: '127.0.0.1' } },
    echo: { port: (echo.server.address() as AddressInfo).port, tls: { ca: clusterCa, host: 'echo', servername: 'echo' } },
  } as const satisfies Record<string, { port: number; tls: UpstreamTls }>;
  const dialled = new Map<string, number>();
  const connections: Pick<Connections, 'connect' | 'clientOf' | 'onChange'> = {
    connect: async (name) => {
      const { port, tls } = at[name as keyof typeof at];
      dialled.set(name, (dialled.get(name) ?? 0) + 1);
      const stream = connectTcp({ host: '127.0.0.1', port, allowHalfOpen: true, noDelay: true });
      await once(stream, 'connect');
      return { stream, tls, token: () => ('cert' in tls ? undefined : agentToken) };
    },
    clientOf: (name) => (name === 'prod' ? client : undefined),
    onChange: () => () => undefined,
  };

  const own = life.child();
  const objects = await openObjects({ client, life: own, log });
  const audit = createAudit({ client, objects, replica: 'door-1', life: own, log });
  const identity = createIdentity({ objects, client, clock: systemClock, life: own, log });
  const rights = createRights({ objects, life: own, log });
  const records = new EventEmitter();
  const listened: Audit = {
    ...audit,
    record: (record) => {
      audit.record(record);
      records.emit('record', record);
    },
  };
  const frontDoor = createFrontDoor({ connections, identity, rights, audit: listened, life: own, log });
  const certificate = await ownCertificate({ client, namespace: 'rfo-system', names: () => ['localhost', '127.0.0.1'], life: own, log });
  const none = (): never => {
    throw new Error('not in this test');
  };
  const parts = {
    frontDoor,
    api: none,
    watches: { upgrade: none },
    signIn: () => false,
    connections: { handleUpgrade: none, handleTunnel: none, importManifest: none },
    pages: {},
  };
  const { port } = await startListener({ address: '127.0.0.1', port: 0, certificate, entrances: routeRequests(parts, log), life: own });
  const ca = certificate.ca() ?? '';

  const kubeconfig = async ({ credential }: Person, name = 'prod'): Promise<string> => {
    const file = join(folder, `kubeconfig-${name}-${credential.slice(0, 30)}`);
    const config = {
      ...{ apiVersion: 'v1', kind: 'Config', 'current-context': 'x', contexts: [{ name: 'x', context: { cluster: 'x', user: 'x' } }] },
      clusters: [
        {
          name: 'x',
          cluster: {
            server: `https://127.0.0.1:${port}/k8s/clusters/${name}`,
            'certificate-authority-data': Buffer.from(ca).toString('base64'),
          },
        },
      ],
      users: [{ name: 'x', user: { token: credential } }],
    };
    await writeFile(file, JSON.stringify(config), { mode: 0o600 });
    return file;
  };
  const environment = { PATH: process.env.PATH, HOME: folder };

  return {
    ...{
      cluster,
      port,
      ca,
      objects,
      identity,
      audit,
      records,
      arrived: echo.arrived,
      lines,
      open: frontDoor.open,
      endWatches: frontDoor.endWatches,
    },
    dialled: (name) => dialled.get(name) ?? 0,
    person: async (username, { administrator = false, readOnly = false, clusters } = {}) => {
      const user = objects.users.by('username', username)[0] ?? (await identity.createUser({ username }));
      const name = user.metadata.name;
      if (administrator) {
        const spec = { role: 'administrator', subjects: [{ kind: 'User' as const, name }] };
        await objects.globalRoleBindings.create({ metadata: { name: `admin-${name}` }, spec });
      }
      const session = { ...testCaller(name, { kind: 'session' }), username };
      const { token, credential } = await identity.createToken({ caller: session, kind: 'api', readOnly, ...(clusters && { clusters }) });
      const caller = await identity.authenticate({ authorization: `Bearer ${credential}` }, { method: 'GET' });
      return { name, credential, tokenId: token.metadata.name, caller };
    },
    members: async (roles) => {
      const members = Object.entries(roles).map(([name, role]) => ({ kind: 'User' as const, name, role }));
      const places = [{ cluster: 'prod' }, { cluster: 'echo' }];
      const spec = { members, places };
      if (objects.projects.get('team') === undefined) await objects.projects.create({ metadata: { name: 'team' }, spec });
      else await objects.projects.patch('team', { spec });
    },
    kubectl: async (person, ...args) => {
      const file = await kubeconfig(person);
      try {
        const { stdout, stderr } = await run(kubectlPath, ['--kubeconfig', file, ...args], { env: environment, timeout: 30_000 });
        return { code: 0, out: stdout, err: stderr };
      } catch (error) {
        const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
        return { code, out: stdout, err: stderr };
      }
    },
    follow: async (person, ...args) => {
      const child = spawn(kubectlPath, ['--kubeconfig', await kubeconfig(person), ...args], {
        env: environment,
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      let text = '';
      child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      const end = (): void => void child.kill('SIGKILL');
      life.defer(end);
      return {
        ended: once(child, 'exit'),
        end,
        said: async (wanted) => {
          while (!text.includes(wanted)) await once(child.stdout, 'data', { signal: AbortSignal.timeout(90_000) });
        },
      };
    },
    raw: async () => {
      const socket = connectTls({ host: '127.0.0.1', port, ca, ALPNProtocols: ['http/1.1'] });
      await once(socket, 'secureConnect');
      life.defer(() => socket.destroy());
      return socket;
    },
    stop: () => life.end(),
  };
}

/** What the manager keeps in a cluster for these roles, and what the agent's manifest brings. */
async function grant({ client }: TestCluster): Promise<void> {
  const rbac = 'rbac.authorization.k8s.io/v1';
  const bind = (name: string, role: string, subject: object): Promise<KubeObject> =>
    client.create({
      ...{ apiVersion: rbac, kind: 'ClusterRoleBinding', metadata: { name } },
      ...{ roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role }, subjects: [subject] },
    });
  const group = (name: string): object => ({ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name });
  const role = (name: string, rules: object[]): Promise<KubeObject> =>
    client.create({ apiVersion: rbac, kind: 'ClusterRole', metadata: { name }, rules });
  await Promise.all([
    bind('admins', 'cluster-admin', group('rfo:role:administrator')),
    bind('viewers', 'look', group('rfo:project:team:viewer')),
    bind('members', 'work', group('rfo:project:team:member')),
    bind('owners', 'be-anybody', group('rfo:project:team:owner')),
    bind('cluster-managers', 'be-bob', group('rfo:project:team:cluster-manager')),
    bind('agent', 'cluster-admin', { kind: 'ServiceAccount', namespace: 'rfo-system', name: 'rfo-agent' }),
    role('look', [{ apiGroups: [''], resources: ['configmaps'], verbs: ['get', 'list', 'watch'] }]),
    role('work', [{ apiGroups: [''], resources: ['configmaps', 'secrets', 'serviceaccounts', 'serviceaccounts/token'], verbs: ['*'] }]),
    role('be-anybody', [{ apiGroups: ['', 'authentication.k8s.io'], resources: ['*'], verbs: ['impersonate'] }]),
    role('be-bob', [
      { apiGroups: [''], resources: ['users'], resourceNames: ['bob'], verbs: ['impersonate'] },
      { apiGroups: [''], resources: ['groups'], resourceNames: ['builders', 'testers'], verbs: ['impersonate'] },
    ]),
  ]);
}

async function tokenOfAgent({ client }: TestCluster): Promise<string> {
  const metadata = { namespace: 'rfo-system', name: 'rfo-agent' };
  await client.create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata });
  const { text } = await client.raw({
    ...{
      method: 'POST',
      path: '/api/v1/namespaces/rfo-system/serviceaccounts/rfo-agent/token',
      headers: { 'content-type': 'application/json' },
    },
    body: JSON.stringify({ apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} }),
  });
  return (JSON.parse(text) as { status: { token: string } }).status.token;
}

/** With an administrator, a member and a viewer of the project `team`. */
export async function startPeople(): Promise<{ readonly lab: Lab; readonly admin: Person; readonly alice: Person; readonly bob: Person }> {
  const lab = await startLab();
  const admin = await lab.person('root', { administrator: true });
  const [alice, bob] = [await lab.person('alice'), await lab.person('bob')];
  await lab.members({ [alice.name]: 'member', [bob.name]: 'viewer' });
  return { lab, admin, alice, bob };
}
