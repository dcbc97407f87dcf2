import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { freePorts, Life, retry, silentLog } from '@rfo/foundation';
import { createKubeClient, type KubeClient } from '../client.ts';
import { secretKind } from '../secret.ts';
import { issue, makeAuthority, type Pair } from '../testing/certificates.ts';
import { startTestCluster, type TestCluster } from '../testing.ts';
import { type DirectToken, type DirectUser, followDirectUsers, parseDirectUser, renderDirectUser } from './direct-users.ts';
import { answerReview, serveTokenReviews, tokenReviewPath } from './serve-token-reviews.ts';
import { renderWebhookConfig } from './webhook-config.ts';

const namespace = 'default';
const secretOf = (letter: string): string => letter.repeat(64);
const tokenOf = (id: string, letter: string): string => `rfo_${id}_${secretOf(letter)}`;
const known = (id: string, letter: string, more: Partial<DirectToken> = {}): DirectToken => ({
  ...{ id, hash: hash('sha256', secretOf(letter)), expiresAt: Date.now() + 3_600_000 },
  ...{ groups: ['system:authenticated', 'rfo:users', 'rfo:project:shop:member'], extra: { 'rfo.io/token-id': [id] } },
  ...more,
});
const ada: DirectUser = { user: 'rfo:ada', tokens: [known('t1', 'a'), known('t2', 'b', { expiresAt: Date.now() - 1 })] };

describe('an API server that asks for tokens of the manager', { timeout: 120_000 }, () => {
  let folder: string;
  let cluster: TestCluster;
  let life: Life;
  let port: number;
  let serving: Pair;
  let caller: Pair;
  let ca: string;
  const clients: KubeClient[] = [];

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rfo-token-review-'));
    ca = makeAuthority(folder);
    serving = issue(folder, 'webhook', { subject: '/CN=webhook', altNames: 'IP:127.0.0.1' });
    caller = issue(folder, 'caller', { subject: '/CN=system:apiserver' });
    [port = 0] = await freePorts(1);
    const config = join(folder, 'webhook.json');
    await writeFile(config, renderWebhookConfig({ port, ca: { file: ca }, client: caller }));
    cluster = await startTestCluster({
      apiServerArguments: [
        `--authentication-token-webhook-config-file=${config}`,
        '--authentication-token-webhook-version=v1',
        '--authentication-token-webhook-cache-ttl=0s',
      ],
    });
    await cluster.client.create(renderDirectUser(ada, namespace));
  });
  after(async () => {
    for (const client of clients) client.close();
    await life?.end();
    await cluster?.stop();
    await rm(folder, { recursive: true });
  });

  const listen = async (): Promise<void> => {
    life = new Life();
    const users = followDirectUsers({ client: cluster.client, namespace, life, log: silentLog });
    const [cert, key, authority] = await Promise.all([serving.cert, serving.key, ca].map((file) => readFile(file, 'utf8')));
    const client = { ca: authority ?? '', commonName: 'system:apiserver' };
    const tls = { cert: cert ?? '', key: key ?? '', client };
    await serveTokenReviews({ users, host: '127.0.0.1', port, tls, clock: { now: Date.now }, life, log: silentLog });
  };
  /** What the API server takes the bearer of a token for. */
  const whoIs = async (token: string): Promise<{ readonly status: number; readonly userInfo?: object | undefined }> => {
    const { server, ca: authority } = cluster.options;
    const client = createKubeClient({ server, ...(authority && { ca: authority }), token: { data: token } });
    clients.push(client);
    const { status, text } = await client.raw({
      method: 'POST',
      path: '/apis/authentication.k8s.io/v1/selfsubjectreviews',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' }),
    });
    return { status, userInfo: status === 201 ? (JSON.parse(text) as { status: { userInfo: object } }).status.userInfo : undefined };
  };
  const untilStatus = async (token: string, wanted: number): Promise<void> => {
    const look = async (): Promise<void> => assert.equal((await whoIs(token)).status, wanted);
    await retry(look, { initial: 100, max: 500, signal: AbortSignal.timeout(40_000) });
  };

  it('goes on for everybody else while there is nobody to ask, and refuses these', async () => {
    assert.equal((await whoIs(tokenOf('t1', 'a'))).status, 401);
    await cluster.client.list({ apiVersion: 'v1', kind: 'Namespace' });
  });

  it('lets their bearers in as the manager would, and no others', async () => {
    await listen();
    assert.deepEqual(await whoIs(tokenOf('t1', 'a')), {
      status: 201,
      userInfo: {
        username: 'rfo:ada',
        groups: ['system:authenticated', 'rfo:users', 'rfo:project:shop:member'],
        extra: { 'rfo.io/token-id': ['t1'] },
      },
    });
    for (const [what, token] of [
      ['one that has ended', tokenOf('t2', 'b')],
      ['one with another secret', tokenOf('t1', 'b')],
      ['one that nobody has', tokenOf('t3', 'a')],
      ['its hash', `rfo_t1_${hash('sha256', secretOf('a'))}`],
    ] as const)
      assert.equal((await whoIs(token)).status, 401, what);
  });

  it('hears of changes by itself: a token that is taken away is refused, once the API server has forgotten it', async () => {
    const other = { ...ada, user: 'rfo:eve', tokens: [known('t4', 'c')] };
    await cluster.client.create(renderDirectUser(other, namespace));
    await untilStatus(tokenOf('t4', 'c'), 201);
    await cluster.client.delete({ ...secretKind, namespace, name: 'rfo-direct.eve' });
    await untilStatus(tokenOf('t4', 'c'), 401);
  });

  it('is asked by nobody but the API server', async () => {
    const [authority, cert, key] = await Promise.all([ca, serving.cert, serving.key].map((file) => readFile(file, 'utf8')));
    const ask = async (pair: { readonly cert?: string; readonly key?: string }): Promise<number | undefined> => {
      const sent = request({ host: '127.0.0.1', port, path: tokenReviewPath, method: 'POST', ca: authority, ...pair });
      sent.end('{}');
      const [response] = (await once(sent, 'response')) as [{ statusCode?: number; resume: () => void }];
      response.resume();
      return response.statusCode;
    };
    await assert.rejects(ask({}));
    assert.equal(await ask({ cert: cert ?? '', key: key ?? '' }), 403);
    const own = { cert: await readFile(caller.cert, 'utf8'), key: await readFile(caller.key, 'utf8') };
    assert.equal(await ask(own), 400, 'what is no review');
  });
});

it('a review is answered in the version that it was asked in', () => {
  const ask = (version: string): unknown =>
    JSON.parse(
      answerReview(
        JSON.stringify({ apiVersion: `authentication.k8s.io/${version}`, kind: 'TokenReview', spec: { token: 'x' } }),
        () => undefined,
      ) ?? 'null',
    );
  for (const version of ['v1', 'v1beta1'])
    assert.deepEqual(ask(version), {
      ...{ apiVersion: `authentication.k8s.io/${version}`, kind: 'TokenReview' },
      status: { authenticated: false },
    });
  assert.equal(ask('v2'), null);
});

it('no Secret makes anybody what the manager makes nobody', () => {
  const rendered = renderDirectUser(ada, namespace);
  assert.deepEqual(parseDirectUser(rendered), ada);
  const token = known('t1', 'a');
  for (const [what, direct] of [
    ['a user of the cluster', { ...ada, user: 'admin' }],
    ['a group of the cluster', { ...ada, tokens: [{ ...token, groups: ['system:masters'] }] }],
    ['a foreign extra', { ...ada, tokens: [{ ...token, extra: { 'scopes.example.com/all': ['yes'] } }] }],
    ['no hash', { ...ada, tokens: [{ ...token, hash: '' }] }],
    ['no end', { ...ada, tokens: [{ ...token, expiresAt: undefined }] }],
    ['no list', { user: 'rfo:ada' }],
  ] as const)
    assert.equal(parseDirectUser(renderDirectUser(direct as unknown as DirectUser, namespace)), undefined, what);
  assert.equal(parseDirectUser({ ...rendered, type: 'Opaque' }), undefined);
});
