import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { request } from 'node:https';
import { after, before, describe, it } from 'node:test';
import { Life, retry, silentLog, systemClock } from '@rfo/foundation';
import { renderDirectUser, renderEntries, type Secret, secretKind, startTestCluster, type TestCluster } from '@rfo/kube';
import { agentNamespace, endpointSecret } from '@rfo/schema';
import { answerTokens } from './answer-tokens.ts';

const secret = 'a'.repeat(64);
const token = `rfo_t1_${secret}`;

describe('the agent on a node', { timeout: 240_000 }, () => {
  let cluster: TestCluster;
  let life: Life;

  before(async () => {
    life = new Life();
    cluster = await startTestCluster();
    const { client } = cluster;
    await client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: agentNamespace } });
    await client.create({
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name: 'server', labels: { 'node-role.kubernetes.io/control-plane': 'true' } },
    });
    await client.create({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'worker' } });
    const direct = { id: 't1', hash: hash('sha256', secret), expiresAt: Date.now() + 3_600_000, groups: ['rfo:users'], extra: {} };
    await client.create(renderDirectUser({ user: 'rfo:ada', tokens: [direct] }, agentNamespace));
  });
  after(async () => {
    await life?.end();
    await cluster?.stop();
  });

  const put = async (name: string): Promise<string> => {
    const pair = cluster.issue(name, `/CN=${name}`);
    const [cert, key] = await Promise.all([readFile(pair.cert, 'utf8'), readFile(pair.key, 'utf8')]);
    const { keys } = endpointSecret;
    const object: Secret = {
      ...secretKind,
      metadata: { name: endpointSecret.name, namespace: agentNamespace },
      data: renderEntries({ [keys.cert]: cert, [keys.key]: key }),
    };
    await cluster.client.apply(object, { fieldManager: 'test', force: true });
    return cert;
  };
  /** What is answered there, and by whom; the certificate of a test has no names. */
  const ask = async (port: number): Promise<{ readonly by: string; readonly user?: { readonly username: string } }> => {
    const ca = cluster.options.ca !== undefined && 'file' in cluster.options.ca ? await readFile(cluster.options.ca.file) : '';
    const sent = request({
      ...{ host: '127.0.0.1', port, path: '/v1/token-reviews', method: 'POST', ca, agent: false, checkServerIdentity: () => undefined },
    });
    let by = '';
    sent.once('socket', (socket) => {
      socket.once('secureConnect', () => {
        if ('getPeerCertificate' in socket) by = (socket as import('node:tls').TLSSocket).getPeerCertificate().subject.CN?.toString() ?? '';
      });
    });
    sent.end(JSON.stringify({ apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token } }));
    const [response] = (await once(sent, 'response')) as [import('node:http').IncomingMessage];
    let text = '';
    for await (const chunk of response) text += String(chunk);
    return { by, ...JSON.parse(text).status };
  };

  it('of the control plane answers for tokens once the manager has given it a certificate, and with another one when that is renewed', async () => {
    const serving: number[] = [];
    const waiting = new Set<() => void>();
    const onServing = (port: number): void => {
      serving.push(port);
      for (const look of waiting) look();
    };
    const nth = (count: number): Promise<number> =>
      new Promise((resolve) => {
        const look = (): void => {
          const port = serving[count - 1];
          if (port !== undefined) resolve(port);
        };
        waiting.add(look);
        look();
      });
    answerTokens({ client: cluster.client, node: 'server', port: 0, clock: systemClock, life, log: silentLog, onServing });
    await put('first');
    const port = await nth(1);
    const { by, user } = await ask(port);
    assert.deepEqual([by, user?.username], ['first', 'rfo:ada']);
    await put('second');
    const next = await nth(2);
    assert.equal((await ask(next)).by, 'second');
    await assert.rejects(ask(port), { code: 'ECONNREFUSED' });
    await cluster.client.delete({ ...secretKind, namespace: agentNamespace, name: endpointSecret.name });
    const gone = (): Promise<void> => assert.rejects(ask(next), { code: 'ECONNREFUSED' });
    await retry(gone, { initial: 50, max: 500, signal: AbortSignal.timeout(90_000) });
  });

  it('that has no API server answers nobody', async () => {
    const own = life.child();
    let asked = false;
    const client = {
      ...cluster.client,
      watchOnce: (...args: Parameters<typeof cluster.client.watchOnce>) => {
        asked = true;
        return cluster.client.watchOnce(...args);
      },
    };
    const looked = Promise.withResolvers<void>();
    const find: typeof client.find = async (ref, options) => {
      const found = await cluster.client.find(ref, options);
      looked.resolve();
      return found as never;
    };
    answerTokens({ client: { ...client, find }, node: 'worker', port: 0, clock: systemClock, life: own, log: silentLog });
    await looked.promise;
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(asked, false);
    await own.end();
  });
});
