import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { freePorts, type Life } from '@rfo/foundation';
import { readEntry, renderEntries, type Secret, secretKind, waitForObject } from '@rfo/kube';
import { type AgentSettings, agentName, agentNamespace, agentSecretKeys } from '@rfo/schema';
import {
  type Agent,
  bringIn,
  importCluster,
  type Lab,
  makeAuthority,
  type Replica,
  startAgent,
  startLab,
  startReplica,
  until,
  untilCluster,
} from './clusters.testing.ts';
import { settingsProgress } from './settings-progress.ts';

const timeout = 240_000;
const secretOf = { ...secretKind, namespace: agentNamespace, name: agentName };

async function kept({ cluster }: Lab, key: keyof typeof agentSecretKeys): Promise<string> {
  return readEntry(await cluster.client.get<Secret>(secretOf), agentSecretKeys[key]) ?? '';
}

describe('a change of the address and the authority of the manager', { timeout }, () => {
  let lab: Lab;
  let replica: Replica;
  let agent: Agent;
  let account: string;
  let nextPort: number;
  const next = makeAuthority();

  const lead = (): void => {
    const leading: Life = replica.life.child();
    void replica.connections.lead(leading);
  };
  const settings = async (): Promise<AgentSettings> => JSON.parse(await kept(lab, 'settings'));
  const moved = (name: string, wanted: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const read = (): string | undefined => lab.objects.settings.get(name)?.metadata.annotations?.['rfo.io/moved'];
      const timer = setTimeout(() => reject(new Error(`${name}: ${read()} have moved`)), 90_000);
      const look = (): void => {
        if (read() !== wanted) return;
        clearTimeout(timer);
        end();
        resolve();
      };
      const end = lab.objects.settings.onChange(look);
      look();
    });
  const settled = (wanted: string): Promise<true> =>
    untilCluster(lab.objects, 'edge', (cluster) =>
      cluster?.status?.conditions.some(({ type, status }) => type === 'AgentSettled' && status === wanted) ? true : undefined,
    );

  before(async () => {
    lab = await startLab();
    replica = await startReplica(lab);
    [nextPort = 0] = await freePorts(1);
    await lab.objects.settings.create({ metadata: { name: 'server-url' }, spec: { value: `https://127.0.0.1:${replica.port}` } });
    lead();
    ({ account } = await importCluster(lab, replica.connections, 'edge'));
    agent = await startAgent(lab, account);
    await settled('True');
  });
  after(() => lab?.life.end());

  it('waits for an agent that is away, and says so', async () => {
    await agent.stop();
    await until(replica.connections, 'edge', ({ connected }) => !connected);
    await lab.objects.settings.create({ metadata: { name: 'server-url-next' }, spec: { value: `https://127.0.0.1:${nextPort}` } });
    await lab.objects.settings.create({ metadata: { name: 'ca-bundle-next' }, spec: { value: next.ca } });
    await Promise.all([moved('server-url-next', '0/1'), moved('ca-bundle-next', '0/1'), settled('Unknown')]);
    assert.deepEqual(replica.connections.settingsProgress(), { total: 1, moved: 0, waiting: ['edge'] });
  });

  it('is told to the agent as soon as it is back, before it is made, and the Settings tell that all have heard', async () => {
    const before = replica.port;
    agent = await startAgent(lab, account);
    await Promise.all([moved('server-url-next', '1/1'), moved('ca-bundle-next', '1/1'), settled('True')]);
    const { servers, ca } = await settings();
    assert.deepEqual(servers, [`https://127.0.0.1:${before}`, `https://127.0.0.1:${nextPort}`]);
    assert.ok(ca.includes(lab.ca.trim()) && ca.includes(next.ca.trim()));
  });

  it('keeps waiting for nobody whose agent was never here', async () => {
    await lab.objects.clusters.create({ metadata: { name: 'never' }, spec: {} });
    await untilCluster(lab.objects, 'never', (cluster) => (cluster?.status?.phase === 'Pending' ? true : undefined));
    assert.equal(replica.connections.settingsProgress().total, 1);
  });

  it('is found by the agent that was told: it comes to the new address, by the new authority, and forgets the old', async () => {
    await replica.life.end();
    replica = await startReplica(lab, undefined, { port: nextPort, authority: next });
    lead();
    await until(replica.connections, 'edge', ({ connected }) => connected);
    await lab.objects.settings.patch('server-url', { spec: { value: `https://127.0.0.1:${nextPort}` } });
    await lab.objects.settings.delete('server-url-next');
    await lab.objects.settings.delete('ca-bundle-next');
    await agent.logged(new RegExp(`the manager has told where it is servers=https://127\\.0\\.0\\.1:${nextPort}$`));
    await settled('True');
    await until(replica.connections, 'edge', () => replica.connections.settingsProgress().moved === 1);
    const { servers, ca } = await settings();
    assert.deepEqual([servers, ca.trim()], [[`https://127.0.0.1:${nextPort}`], next.ca.trim()]);
  });

  it('that was not told before it was made leaves an agent outside that says why, and another import brings it back', async () => {
    const sudden = makeAuthority();
    await replica.life.end();
    replica = await startReplica(lab, undefined, { port: nextPort, authority: sudden });
    lead();
    await agent.logged(/TLSChain: .*or the CA of the manager was changed without ca-bundle-next/);
    const { status, text } = await agent.ready();
    assert.deepEqual([status, /^TLSChain: /.test(text)], [503, true], text);
    await bringIn(lab, replica.connections, 'edge');
    await until(replica.connections, 'edge', ({ connected }) => connected);
    assert.equal((await settings()).ca.trim(), sudden.ca.trim());
  });

  it('to an address where nobody answers leaves the agent trying the other one', async () => {
    const [nobody = 0] = await freePorts(1);
    await lab.objects.settings.patch('server-url', { spec: { value: `https://127.0.0.1:${nobody}` } });
    await lab.objects.settings.create({ metadata: { name: 'server-url-next' }, spec: { value: `https://127.0.0.1:${nextPort}` } });
    await agent.logged(new RegExp(`where it is servers="https://127\\.0\\.0\\.1:${nobody}, https://127\\.0\\.0\\.1:${nextPort}"`));
    await agent.stop();
    agent = await startAgent(lab, account);
    await agent.logged(new RegExp(`127\\.0\\.0\\.1:${nobody} cannot be reached`));
    await until(replica.connections, 'edge', ({ connected }) => connected);
  });
});

describe('the token of a cluster', { timeout }, () => {
  const week = 7 * 24 * 3_600_000;
  const hour = 3_600_000;
  let ahead = 0;
  let lab: Lab;
  let replicas: readonly Replica[];
  let account: string;
  let agent: Agent;
  let old: string;

  const put = async (token: string): Promise<void> => {
    await lab.cluster.client.patch(secretOf, { data: renderEntries({ [agentSecretKeys.token]: token }) });
  };
  before(async () => {
    lab = await startLab();
    const options = { clock: { now: () => Date.now() + ahead }, rotateEvery: 100 };
    replicas = [await startReplica(lab, 'one', options), await startReplica(lab, 'two', options)];
    await lab.objects.settings.create({ metadata: { name: 'server-url' }, spec: { value: `https://127.0.0.1:${replicas[0]?.port}` } });
    ({ account } = await importCluster(lab, (replicas[0] ?? assert.fail()).connections, 'edge'));
    agent = await startAgent(lab, account);
    await agent.logged(/the manager has given another token/);
    old = await kept(lab, 'token');
  });
  after(() => lab?.life.end());

  it('is replaced after a week while its agents stay connected, once whatever the number of replicas', async () => {
    // Another agent of the cluster, at another replica.
    const port = replicas[1]?.port;
    const elsewhere = { ...JSON.parse(await kept(lab, 'settings')), servers: [`https://127.0.0.1:${port}`] };
    await lab.cluster.client.patch(secretOf, { data: renderEntries({ [agentSecretKeys.settings]: JSON.stringify(elsewhere) }) });
    const second = await startAgent(lab, account, { name: 'agent-2' });
    await until((replicas[1] ?? assert.fail()).connections, 'edge', ({ sessions }) => sessions === 2);
    ahead = week;
    const accept = (secret: Secret): boolean => readEntry(secret, agentSecretKeys.token) !== old;
    await waitForObject<Secret>(lab.cluster.client, secretOf, { accept, signal: AbortSignal.timeout(90_000) });
    const stored = await lab.cluster.client.get<Secret>({ ...secretOf, name: 'rfo-agent-token-edge' });
    const { tokens } = JSON.parse(readEntry(stored, 'record') ?? '') as { readonly tokens: readonly object[] };
    assert.equal(tokens.length, 2, 'the old one and one other');
    await second.stop();
  });

  it('is good for an hour after that, and then refused in a sentence that says so', async () => {
    const fresh = await kept(lab, 'token');
    await agent.stop();
    await put(old);
    const late = await startAgent(lab, account, { name: 'agent-3' });
    await late.logged(/the manager has taken this agent in/);
    await late.stop();
    ahead = week + 2 * hour;
    const tooLate = await startAgent(lab, account, { name: 'agent-4' });
    await tooLate.logged(/TokenRefused: .*its token was replaced by another one since/);
    await put(fresh);
    await tooLate.logged(/the manager has taken this agent in/);
  });
});

it('progress counts clusters whose agents are or were here, and that are not being let go', () => {
  const cluster = (name: string, more: { readonly deletionTimestamp?: string; readonly seen?: boolean } = {}) => ({
    ...{ apiVersion: 'rfo.io/v1alpha1' as const, kind: 'Cluster' as const, spec: {} },
    metadata: { name, ...(more.deletionTimestamp && { deletionTimestamp: more.deletionTimestamp }) },
    ...(more.seen && { status: { phase: 'Away' as const, conditions: [], components: [], agent: { lastSeen: '2026-11-21T10:00:00Z' } } }),
  });
  const all = [cluster('local', { seen: true }), cluster('never'), cluster('away', { seen: true }), cluster('told'), cluster('old')];
  const leaving = cluster('leaving', { seen: true, deletionTimestamp: '2026-11-21T10:00:00Z' });
  const hashes: Readonly<Record<string, string>> = { told: 'now', old: 'before' };
  const progress = settingsProgress({
    objects: { clusters: { list: () => [...all, leaving] } } as unknown as Parameters<typeof settingsProgress>[0]['objects'],
    sessions: { of: (name) => (hashes[name] === undefined ? [] : [{ settings: () => hashes[name] } as never]) },
    wanted: { servers: ['https://rfo.example.com'], ca: '', system: true, hash: 'now' },
  });
  assert.deepEqual(progress, { total: 3, moved: 1, waiting: ['away', 'old'] });
});
