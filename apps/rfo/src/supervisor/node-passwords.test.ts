import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { createLog, Life, RfoError, retry, silentLog } from '@rfo/foundation';
import {
  type KubeClient,
  type KubeObject,
  readEntry,
  refOf,
  type Secret,
  secretKind,
  startTestCluster,
  type TestCluster,
  waitForObject,
  watch,
} from '@rfo/kube';
import { followNodes } from '../server/cluster-nodes.ts';
import { createNodePasswords, nodePasswordRef, nodePasswordType } from './node-passwords.ts';
import { removeOrphanPasswords } from './remove-orphan-passwords.ts';

const first = '0123456789abcdef0123456789abcdef';
const second = 'fedcba9876543210fedcba9876543210';
const bounded = (): AbortSignal => AbortSignal.timeout(90_000);

describe('the password of a node', () => {
  let cluster: TestCluster;
  let client: KubeClient;
  before(async () => {
    cluster = await startTestCluster();
    client = cluster.client;
  });
  after(() => cluster.stop());

  const taken = (name: string) => (error: unknown) =>
    error instanceof RfoError && error.code === 'join-name-taken' && error.message.includes(`rfo node readopt ${name}`);
  const storedHash = async (name: string): Promise<string> => {
    const secret = await client.get<Secret>(nodePasswordRef(name));
    assert.deepEqual([secret.immutable, secret.type], [true, nodePasswordType]);
    return readEntry(secret, 'hash') ?? '';
  };

  it('belongs to the first who comes, on every server and in any case of the name', async () => {
    await using life = new Life();
    const passwords = createNodePasswords({ client, life, log: silentLog });
    await passwords.check('Taken', first, bounded());
    assert.match(await storedHash('taken'), /^\$1:[0-9a-f]{32}:\d+:8:1:/);
    const otherServer = createNodePasswords({ client, life, log: silentLog });
    for (const server of [passwords, otherServer]) {
      await assert.rejects(server.check('taken', second, bounded()), taken('taken'));
      await assert.rejects(server.check('TAKEN', second, bounded()), taken('taken'));
      await server.check('taken', first, bounded());
    }
  });

  it('goes to one of two hosts that come at the same time to two servers', async () => {
    await using life = new Life();
    const servers = [first, second].map((password) => ({ password, ...createNodePasswords({ client, life, log: silentLog }) }));
    const outcomes = await Promise.allSettled(servers.map(({ check, password }) => check('raced', password, bounded())));
    assert.deepEqual(outcomes.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
    const lost = outcomes.find((outcome) => outcome.status === 'rejected');
    assert.ok(taken('raced')(lost?.reason));
  });

  it('is worked out once for the requests that a node makes in a row', async () => {
    await using life = new Life();
    let looks = 0;
    const create: KubeClient['create'] = (object, options) => {
      looks++;
      return client.create(object, options);
    };
    let now = Date.now();
    const passwords = createNodePasswords({ client: { ...client, create }, life, log: silentLog, clock: { now: () => now } });
    await Promise.all([1, 2, 3].map(() => passwords.check('four-requests', first, bounded())));
    await passwords.check('four-requests', first, bounded());
    assert.equal(looks, 1);
    await assert.rejects(passwords.check('four-requests', second, bounded()), taken('four-requests'));
    now += 61_000;
    await client.delete(nodePasswordRef('four-requests'));
    await passwords.check('four-requests', second, bounded());
    await assert.rejects(passwords.check('four-requests', first, bounded()), taken('four-requests'));
  });

  it('is free as soon as its Node is deleted, and not before', async () => {
    await using life = new Life();
    const passwords = createNodePasswords({ client, life, log: silentLog });
    await passwords.check('replaced', first, bounded());
    const node = await client.create<KubeObject>({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'replaced' } });
    const owner = { apiVersion: 'v1', kind: 'Node', name: 'replaced', uid: node.metadata.uid };
    await client.patch(nodePasswordRef('replaced'), { metadata: { ownerReferences: [owner] } });
    await assert.rejects(passwords.check('replaced', second, bounded()), taken('replaced'));
    // Nobody collects garbage here: the Secret stays for as long as one likes to look at it.
    await client.delete(refOf(node));
    const otherServer = createNodePasswords({ client, life, log: silentLog });
    await otherServer.check('replaced', second, bounded());
    await assert.rejects(otherServer.check('replaced', first, bounded()), taken('replaced'));
  });

  it('does not let go of a caller that went away, nor of the others with him', async () => {
    await using life = new Life();
    const passwords = createNodePasswords({ client, life, log: silentLog });
    const gone = new AbortController();
    const both = [passwords.check('gone', first, gone.signal), passwords.check('gone', first, bounded())];
    gone.abort(new Error('went away'));
    const outcomes = await Promise.allSettled(both);
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ['rejected', 'fulfilled'],
    );
  });

  it('is written later where a webhook is in the way, and holds in between', async () => {
    await using life = new Life();
    const lines: string[] = [];
    const passwords = createNodePasswords({ client, life, log: createLog({ write: (line) => lines.push(line) }) });
    await passwords.check('earlier', first, bounded());
    const webhook = brokenWebhook();
    await client.create(webhook);
    const probe = { ...secretKind, metadata: { name: 'probe', namespace: 'kube-system' } };
    // The API server takes a webhook up a moment after it was made.
    const untilBlocked = async (): Promise<void> => {
      const blocked = await client.create(probe).then(
        () => false,
        () => true,
      );
      if (blocked) return;
      await client.delete(refOf(probe));
      throw new Error('not blocked yet');
    };
    await retry(untilBlocked, { initial: 50, max: 200, signal: bounded() });

    await passwords.check('blocked', first, bounded());
    await assert.rejects(passwords.check('blocked', second, bounded()), taken('blocked'));
    assert.equal(await client.find(nodePasswordRef('blocked')), undefined);
    assert.match(lines.join(''), /warn .*webhook.*node=blocked/);
    // A name that is written down already is not up for anybody.
    await assert.rejects(passwords.check('earlier', second, bounded()), taken('earlier'));
    await client.delete(refOf(webhook));
    await waitForObject(client, nodePasswordRef('blocked'), { accept: () => true, signal: bounded() });
    await assert.rejects(passwords.check('blocked', second, bounded()), taken('blocked'));
    const otherServer = createNodePasswords({ client, life, log: silentLog });
    await otherServer.check('blocked', first, bounded());
    assert.doesNotMatch(lines.join(''), new RegExp(`${first}|${second}`));
  });

  it('cannot be taken while the API is away', async () => {
    await using life = new Life();
    const passwords = createNodePasswords({ client, life, log: silentLog });
    await cluster.killApiServer();
    const away = (error: unknown): boolean => error instanceof RfoError && error.code === 'kube-unreachable';
    await assert.rejects(passwords.check('away', first, bounded()), away);
    await cluster.startApiServer();
    await passwords.check('away', first, bounded());
  });

  it('goes with its Node, and is removed where none came', async () => {
    await using life = new Life();
    const passwords = createNodePasswords({ client, life, log: silentLog });
    for (const name of ['a-orphan', 'b-node']) await passwords.check(name, first, bounded());
    const { metadata } = await client.create<KubeObject>({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'b-node' } });
    const nodes = followNodes({ client, life, log: silentLog });
    assert.equal(nodes.isKnown('b-node'), undefined);
    await nodes.informer.synced;
    assert.deepEqual([nodes.isKnown('b-node'), nodes.isKnown('a-orphan')], [true, false]);

    const young = life.child();
    removeOrphanPasswords({ client, nodes: nodes.informer, life: young, log: silentLog });
    // Looked after one by one and in this order.
    const owned = await waitForObject(client, nodePasswordRef('b-node'), {
      accept: (secret) => secret.metadata.ownerReferences?.[0]?.uid === metadata.uid,
      signal: bounded(),
    });
    assert.deepEqual(owned.metadata.ownerReferences, [{ apiVersion: 'v1', kind: 'Node', name: 'b-node', uid: metadata.uid }]);
    assert.ok(await client.find(nodePasswordRef('a-orphan')));
    await young.end();

    const removed = untilDeleted(client, 'a-orphan');
    removeOrphanPasswords({ client, nodes: nodes.informer, life, log: silentLog, clock: { now: () => Date.now() + 11 * 60_000 } });
    await removed;
    assert.ok(await client.find(nodePasswordRef('b-node')));
  });
});

async function untilDeleted(client: KubeClient, nodeName: string): Promise<void> {
  const { name, namespace } = nodePasswordRef(nodeName);
  const options = { client, kind: secretKind, namespace, fieldSelector: `metadata.name=${name}`, onError: () => undefined };
  for await (const item of watch({ ...options, signal: bounded() })) if (item.type === 'deleted') return;
}

function brokenWebhook() {
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingWebhookConfiguration',
    metadata: { name: 'broken' },
    webhooks: [
      {
        name: 'broken.example.com',
        clientConfig: { url: 'https://127.0.0.1:9/validate' },
        rules: [{ operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['secrets'] }],
        failurePolicy: 'Fail',
        sideEffects: 'None',
        admissionReviewVersions: ['v1'],
        timeoutSeconds: 2,
      },
    ],
  };
}
