import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { freePorts, Life, retry, silentLog, systemClock } from '@rfo/foundation';
import {
  followDirectUsers,
  type KubeObject,
  readEntries,
  readEntry,
  renderWebhookConfig,
  type Secret,
  secretKind,
  serveTokenReviews,
  startTestCluster,
  type TestCluster,
} from '@rfo/kube';
import { agentNamespace, endpointSecret } from '@rfo/schema';
import { hashSecret } from '../identity/token-format.ts';
import { installCrds } from '../objects/install-crds.ts';
import { type Objects, openObjects } from '../objects/open-objects.ts';
import { createRights } from '../rights/create-rights.ts';
import { planServing } from '../serving/plan.ts';
import { keepEndpoints } from './keep-endpoints.ts';

const secret = 'a'.repeat(64);
const later = new Date(Date.now() + 3_600_000).toISOString();

describe('a cluster with an endpoint of its own', { timeout: 240_000 }, () => {
  let cluster: TestCluster;
  let objects: Objects;
  let life: Life;
  let folder: string;
  let port: number;
  const serving = planServing({ held: undefined, names: ['127.0.0.1'], now: Date.now(), where: 'a test' }).pems;

  before(async () => {
    life = new Life();
    folder = await mkdtemp(join(tmpdir(), 'rfo-endpoint-'));
    life.defer(() => rm(folder, { recursive: true }));
    [port = 0] = await freePorts(1);
    const config = join(folder, 'webhook.json');
    // As an administrator does it, with the CA that he has from the Secret.
    const file = join(folder, 'ca.crt');
    await writeFile(file, serving['ca.crt']);
    await writeFile(config, renderWebhookConfig({ port, ca: { file } }));
    const flags = [`--authentication-token-webhook-config-file=${config}`, '--authentication-token-webhook-cache-ttl=0s'];
    cluster = await startTestCluster({ apiServerArguments: flags });
    const { client } = cluster;
    await installCrds(client, { log: silentLog, signal: life.signal });
    objects = await openObjects({ client, life, log: silentLog });
    const rights = createRights({ objects, life, log: silentLog });
    for (const name of ['east', 'west']) await objects.clusters.create({ metadata: { name }, spec: {} });
    for (const name of ['ada', 'eve', 'bob'])
      await objects.users.create({ metadata: { name }, spec: { username: name, enabled: true, identities: [], groups: [] } });
    await objects.projects.create({
      metadata: { name: 'shop' },
      spec: {
        members: ['ada', 'eve'].map((name) => ({ kind: 'User' as const, name, role: 'member' })),
        places: [{ cluster: 'east', namespaces: ['shop'] }],
      },
    });
    await client.create({
      ...{ apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', addressType: 'IPv4' },
      metadata: { name: 'kubernetes', namespace: 'default', labels: { 'kubernetes.io/service-name': 'kubernetes' } },
      endpoints: [{ addresses: ['192.0.2.2'] }, { addresses: ['192.0.2.1'] }],
      ports: [{ name: 'https', port: 6443 }],
    } as KubeObject);
    const connections = {
      clientOf: (name: string) => (name === 'east' ? client : undefined),
      onChange: () => () => undefined,
      connect: async () => {
        const { hostname: host, port: apiPort } = new URL(cluster.options.server);
        const stream = connect(Number(apiPort), host);
        await once(stream, 'connect');
        const { ca } = cluster.options;
        return {
          stream,
          tls: { host, ca: ca !== undefined && 'file' in ca ? await readFile(ca.file, 'utf8') : '' },
          token: () => undefined,
        };
      },
    };
    keepEndpoints({ connections, objects, rights, clock: systemClock, askAgain: 200, life, log: silentLog });
  });
  after(async () => {
    await life?.end();
    await cluster?.stop();
  });

  const makeToken = (name: string, user: string, spec: Partial<Parameters<Objects['tokens']['create']>[0]['spec']> = {}) =>
    objects.tokens.create({
      metadata: { name },
      spec: { user, kind: 'kubeconfig', hash: hashSecret(secret), clusters: ['east'], expiresAt: later, provider: 'local', ...spec },
    });
  /** What the cluster is told: of each user the ids of his tokens. */
  const told = async (): Promise<Record<string, readonly string[]>> => {
    const labelSelector = 'rfo.io/record=direct-user';
    const { items } = await cluster.client.list<Secret>(secretKind, { namespace: agentNamespace, labelSelector });
    const kept = items.filter(({ metadata }) => metadata.name !== 'rfo-direct.endpoint-probe');
    const users = kept.map((each) => JSON.parse(readEntry(each, 'user.json') ?? ''));
    return Object.fromEntries(users.map(({ user, tokens }) => [user, tokens.map(({ id }: { readonly id: string }) => id)]));
  };
  const untilTold = (wanted: Record<string, readonly string[]>): Promise<void> =>
    retry(async () => assert.deepEqual(await told(), wanted), { initial: 20, max: 200, signal: AbortSignal.timeout(90_000) });

  it('is told nothing before it has one', async () => {
    await makeToken('t1', 'ada');
    assert.deepEqual(await told(), {});
  });

  it('is told of tokens for it alone, of those who may enter it, as hashes', async () => {
    await Promise.all([
      makeToken('t2', 'eve', { kind: 'api' }),
      makeToken('of-a-stranger', 'bob'),
      makeToken('for-others-too', 'ada', { clusters: ['east', 'west'] }),
      makeToken('for-another', 'ada', { clusters: ['west'] }),
      makeToken('a-session', 'ada', { kind: 'session' }),
      makeToken('for-reading', 'ada', { readOnly: true }),
      makeToken('ended', 'ada', { expiresAt: new Date(Date.now() - 1000).toISOString() }),
      makeToken('of-a-provider-that-is-off', 'ada', { provider: 'nowhere' }),
    ]);
    await objects.clusters.patch('east', { spec: { authorizedEndpoint: { enabled: true } } });
    await untilTold({ 'rfo:ada': ['t1'], 'rfo:eve': ['t2'] });
    const { items } = await cluster.client.list<Secret>(secretKind, { namespace: agentNamespace });
    const all = items.flatMap((each) => Object.values(readEntries(each)));
    assert.ok(all.length > 0 && all.every((text) => !text.includes(secret)));
    const ada = all.map((text) => /^\{"user":"rfo:ada"/.test(text) && JSON.parse(text).tokens[0]).find(Boolean);
    assert.deepEqual([...ada.groups].sort(), ['rfo:project:shop:member', 'rfo:role:user', 'rfo:users', 'system:authenticated']);
    assert.deepEqual(ada.extra, { 'rfo.io/username': ['ada'], 'rfo.io/token-id': ['t1'] });
    assert.deepEqual(objects.clusters.get('east')?.status?.endpoint?.servers, ['https://192.0.2.1:6443', 'https://192.0.2.2:6443']);
  });

  it('hears at once of who is disabled, taken out of a project or loses a token, and of who comes back', async () => {
    await objects.users.patch('eve', { spec: { enabled: false } });
    await untilTold({ 'rfo:ada': ['t1'] });
    await objects.users.patch('eve', { spec: { enabled: true } });
    await untilTold({ 'rfo:ada': ['t1'], 'rfo:eve': ['t2'] });
    await objects.projects.patch('shop', { spec: { members: [{ kind: 'User', name: 'eve', role: 'member' }] } });
    await untilTold({ 'rfo:eve': ['t2'] });
    await makeToken('t3', 'eve');
    await untilTold({ 'rfo:eve': ['t2', 't3'] });
    await objects.tokens.delete('t2');
    await untilTold({ 'rfo:eve': ['t3'] });
  });

  it('is told of everybody else where what it is told of one cannot be written', async () => {
    const { client } = cluster;
    const taken = { ...secretKind, metadata: { name: 'rfo-direct.bob', namespace: agentNamespace } };
    await client.create({ ...taken, type: 'Opaque' } as KubeObject);
    const members = ['eve', 'bob'].map((name) => ({ kind: 'User' as const, name, role: 'member' }));
    await objects.projects.patch('shop', { spec: { members } });
    await makeToken('t4', 'eve');
    await untilTold({ 'rfo:eve': ['t3', 't4'] });
    await objects.tokens.delete('t4');
    await untilTold({ 'rfo:eve': ['t3'] });
    await client.delete({ ...secretKind, ...taken.metadata });
    await untilTold({ 'rfo:bob': ['of-a-stranger'], 'rfo:eve': ['t3'] });
  });

  it('has a certificate for its agents, and the file by which its API servers find and know them', async () => {
    const kept = await cluster.client.get<Secret>({ ...secretKind, namespace: agentNamespace, name: endpointSecret.name });
    const config = readEntry(kept, endpointSecret.keys.config) ?? '';
    const [{ cluster: place }] = JSON.parse(config).clusters;
    assert.equal(place.server, 'https://127.0.0.1:10691/v1/token-reviews');
    assert.equal(Buffer.from(place['certificate-authority-data'], 'base64').toString(), readEntry(kept, 'ca.crt'));
  });

  it('says whether its API servers know tokens: not before somebody answers them', async () => {
    const untilReady = (wanted: boolean, message: RegExp): Promise<void> => {
      const look = async (): Promise<void> => {
        const { ready, message: text = '' } = objects.clusters.get('east')?.status?.endpoint ?? {};
        assert.equal(ready, wanted);
        assert.match(text, message);
      };
      return retry(look, { initial: 20, max: 200, signal: AbortSignal.timeout(90_000) });
    };
    await untilReady(false, /does not know tokens of the manager \(401\): set it up/);
    const users = followDirectUsers({ client: cluster.client, namespace: agentNamespace, life, log: silentLog });
    const tls = { cert: serving['tls.crt'], key: serving['tls.key'] };
    await serveTokenReviews({ users, host: '127.0.0.1', port, tls, clock: systemClock, life, log: silentLog });
    await untilReady(true, /knows tokens of the manager/);
  });

  it('forgets everything when it has none any more', async () => {
    await objects.clusters.patch('east', { spec: { authorizedEndpoint: { enabled: false } } });
    await untilTold({});
    const gone = async (): Promise<void> => {
      const found = await cluster.client.find({ ...secretKind, namespace: agentNamespace, name: endpointSecret.name });
      assert.equal(found, undefined);
      assert.equal(objects.clusters.get('east')?.status?.endpoint, undefined);
    };
    await retry(gone, { initial: 20, max: 200, signal: AbortSignal.timeout(90_000) });
  });
});
