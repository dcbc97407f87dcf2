import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { createLog, Life } from '@rfo/foundation';
import { createKubeClient, readEntries, type Secret, secretKind, startTestCluster, type TestCluster, waitForObject } from '@rfo/kube';
import { TestNode } from '../certificates/node.testing.ts';
import type { TokenVerdict } from '../supervisor/api.ts';
import { writeClusterTokens } from './cluster-tokens.ts';
import { type MadeToken, madeTokenRef, parseMadeToken, renderMadeToken } from './made-token.ts';
import { createMadeToken, listMadeTokens } from './made-tokens.ts';
import { createTokenVerifier, type Verifier } from './verifier.ts';

const start = Date.parse('2026-11-21T10:00:00Z');
const hour = 3_600_000;
const within = () => AbortSignal.timeout(90_000);

describe('the verifier of join tokens at a real API server', { timeout: 180_000 }, () => {
  let cluster: TestCluster;
  before(async () => {
    cluster = await startTestCluster();
    const namespace = { apiVersion: 'v1', kind: 'Namespace', name: 'kube-system' };
    await waitForObject(cluster.client, namespace, { accept: () => true, signal: within() });
  });
  after(() => cluster?.stop());

  const make = (wish: Partial<Pick<MadeToken, 'role' | 'expires' | 'maxUses'>> = {}) =>
    createMadeToken(cluster.client, {
      role: wish.role ?? 'agent',
      description: 'for a test',
      expires: wish.expires,
      maxUses: wish.maxUses,
      signal: within(),
    });
  const tokenOf = async (id: string): Promise<MadeToken | undefined> => parseMadeToken(await cluster.client.get<Secret>(madeTokenRef(id)));
  /** Resolves when the API has it so. */
  const until = (id: string, accept: (token: MadeToken) => boolean) =>
    waitForObject<Secret>(cluster.client, madeTokenRef(id), {
      accept: (secret) => {
        const token = parseMadeToken(secret);
        return token !== undefined && accept(token);
      },
      signal: within(),
    });

  it('knows made ones with their role, and only with their secret', async () => {
    await using server = await startServer(cluster);
    const [agent, further] = [await make(), await make({ role: 'server' })];
    await server.shows(agent);
    await server.shows(further);
    const { verify } = server.verifier;
    assert.deepEqual(await verify(agent.id, agent.secret), { ok: true, role: 'agent', tokenId: agent.id });
    assert.deepEqual(await verify(further.id, further.secret), { ok: true, role: 'server', tokenId: further.id });
    const wrong: readonly (readonly [string, string])[] = [
      [agent.id, further.secret],
      [agent.id, ''],
      [agent.id, `${agent.secret}a`],
      ['zzzzzz', agent.secret],
      ['', agent.secret],
      ['server', agent.secret],
    ];
    for (const [id, secret] of wrong) assert.deepEqual(await verify(id, secret), { ok: false, why: 'unknown' }, id);
  });

  it('keeps no secret in the cluster, only its hash', async () => {
    const { id, secret } = await make();
    const stored = await cluster.client.get<Secret>(madeTokenRef(id));
    assert.equal(stored.type, 'rfo.io/join-token');
    const texts = Object.values(readEntries(stored));
    assert.ok(![...texts, JSON.stringify(stored)].some((text) => text.includes(secret)));
  });

  it('says of an expired one so to who has its secret, by its own clock', async () => {
    await using server = await startServer(cluster);
    const token = await make({ expires: start + hour });
    await server.shows(token);
    server.clock.time = start + hour - 1;
    assert.equal((await server.verifier.verify(token.id, token.secret)).ok, true);
    server.clock.time = start + hour;
    assert.deepEqual(await server.verifier.verify(token.id, token.secret), { ok: false, why: 'expired', at: '2026-11-21T11:00:00.000Z' });
    assert.deepEqual(await server.verifier.verify(token.id, 'x'), { ok: false, why: 'unknown' });
  });

  it('counts uses at once for itself, and in the Secret for the others', async () => {
    await using one = await startServer(cluster);
    const token = await make({ maxUses: 3 });
    await one.shows(token);
    const use = async (verifier: Verifier, node: string): Promise<TokenVerdict> => {
      const verdict = await verifier.verify(token.id, token.secret);
      if (verdict.ok) verifier.used(verdict.tokenId, node);
      return verdict;
    };
    assert.equal((await use(one.verifier, 'node-1')).ok, true);
    assert.equal((await use(one.verifier, 'node-2')).ok, true);
    assert.equal((await use(one.verifier, 'node-2')).ok, true);
    assert.equal((await use(one.verifier, 'node-3')).ok, true);
    assert.deepEqual(await use(one.verifier, 'node-4'), { ok: false, why: 'used-up' });
    await until(token.id, ({ uses }) => uses === 3);
    assert.deepEqual((await tokenOf(token.id))?.nodes, ['node-1', 'node-2', 'node-3']);
    assert.equal((await tokenOf(token.id))?.lastUsed, start);
    await using other = await startServer(cluster);
    assert.deepEqual(await use(other.verifier, 'node-4'), { ok: false, why: 'used-up' });
  });

  it('loses no use when several servers count at the same time', async () => {
    await using one = await startServer(cluster);
    await using two = await startServer(cluster);
    const token = await make({ maxUses: 100 });
    for (let at = 0; at < 20; at++) {
      one.verifier.used(token.id, `one-${at}`);
      two.verifier.used(token.id, `two-${at}`);
    }
    await until(token.id, ({ uses }) => uses === 40);
    assert.equal((await tokenOf(token.id))?.nodes.length, 40);
  });

  it('writes the last uses when it ends', async () => {
    const token = await make();
    {
      await using server = await startServer(cluster);
      server.verifier.used(token.id, 'node-1');
    }
    assert.equal((await tokenOf(token.id))?.uses, 1);
  });

  it('forgets a deleted one', async () => {
    await using server = await startServer(cluster);
    const token = await make();
    await server.shows(token);
    await cluster.client.delete(madeTokenRef(token.id));
    await server.shows(token, false);
  });

  it('does not accept a Secret that is not wholly in order', async () => {
    await using server = await startServer(cluster);
    const sound = { id: 'sound1', hash: 'a'.repeat(64), role: 'agent', description: '', uses: 0, nodes: [] } as const;
    const { stringData, ...rest } = renderMadeToken({ ...sound, expires: start + hour, maxUses: 3 });
    const broken = [{ role: 'root' }, { hash: '' }, { expires: 'soon' }, { 'max-uses': '-1' }, { 'uses': 'x' }];
    for (const [at, change] of broken.entries()) {
      const name = `rfo-token-broke${at}`;
      await cluster.client.create<Secret>({ ...rest, metadata: { ...rest.metadata, name }, stringData: { ...stringData, ...change } });
    }
    await server.logged(/a join token is not valid and is not accepted.*rfo-token-broke4/);
    for (const at of broken.keys()) assert.equal(parseMadeToken(await cluster.client.get<Secret>(madeTokenRef(`broke${at}`))), undefined);
    assert.ok(!(await listMadeTokens(cluster.client, within())).some(({ id }) => id.startsWith('broke')));
  });

  it('removes a Secret a day after its token expired, and no other', async () => {
    const [old, expired, eternal] = [await make({ expires: start - 24 * hour }), await make({ expires: start - 23 * hour }), await make()];
    await using server = await startServer(cluster);
    await server.logged(new RegExp(`an expired join token was removed token=${old.id}`));
    const left = (await listMadeTokens(cluster.client, within())).map(({ id }) => id);
    assert.deepEqual(
      [old, expired, eternal].map(({ id }) => left.includes(id)),
      [false, true, true],
    );
  });

  it('works from the files alone while the API is away, and with what it knew of made ones', async () => {
    await using server = await startServer(cluster);
    const token = await make({ maxUses: 5 });
    await server.shows(token);
    await cluster.killApiServer();
    try {
      await using fresh = await startServer(cluster, { wait: false });
      assert.deepEqual(await fresh.verifier.verify('server', first), { ok: true, role: 'server', tokenId: 'server' });
      await assert.rejects(fresh.verifier.verify(token.id, token.secret), { code: 'tokens-not-read', retryable: true });
      assert.equal((await server.verifier.verify(token.id, token.secret)).ok, true);
      await writeClusterTokens(server.node.paths, { revision: 2, server: second, old: [] });
      assert.deepEqual(await server.verifier.verify('server', first), { ok: false, why: 'unknown' });
      assert.equal((await server.verifier.verify('server', second)).ok, true);
      server.verifier.used(token.id, 'node-1');
      await server.logged(/the use of a join token is not written yet/);
    } finally {
      await cluster.startApiServer();
    }
    await until(token.id, ({ uses }) => uses === 1);
    const further = await make();
    await server.shows(further);
  });

  it('has asked the API nothing before it is told that it serves', async () => {
    const serves = Promise.withResolvers<void>();
    const token = await make();
    await using server = await startServer(cluster, { wait: false, apiServes: serves.promise });
    await assert.rejects(server.verifier.verify(token.id, token.secret), { code: 'tokens-not-read' });
    serves.resolve();
    await server.verifier.synced;
    assert.equal((await server.verifier.verify(token.id, token.secret)).ok, true);
  });
});

const [first, second] = ['first-secret-of-the-servers', 'second-secret-of-the-servers'];

/** A server's disk and verifier, under a clock that the test sets, with a client of its own. */
async function startServer(cluster: TestCluster, options: { readonly wait?: boolean; readonly apiServes?: Promise<void> } = {}) {
  const node = new TestNode();
  await node.ensure();
  await writeClusterTokens(node.paths, { revision: 1, server: first, old: [] });
  const life = new Life();
  const clock = { time: start, now: () => clock.time };
  const lines: string[] = [];
  const waiting = new Set<() => void>();
  const log = createLog({
    write: (line) => {
      lines.push(line);
      for (const look of waiting) look();
    },
  });
  const client = createKubeClient(cluster.options);
  life.defer(() => client.close());
  const verifier = createTokenVerifier({
    paths: node.paths,
    client,
    life,
    log,
    clock,
    ...(options.apiServes && { apiServes: options.apiServes }),
  });
  if (options.wait !== false) await verifier.synced;
  return {
    node,
    clock,
    verifier,
    /** Resolves when the watch has brought the token here, or taken it away. */
    shows: async ({ id, secret }: { readonly id: string; readonly secret: string }, shown = true): Promise<void> => {
      const signal = within();
      while ((await verifier.verify(id, secret)).ok !== shown) {
        signal.throwIfAborted();
        await nextEvent(cluster);
      }
    },
    logged: (pattern: RegExp): Promise<void> =>
      new Promise((resolve, reject) => {
        const signal = within();
        const look = (): void => {
          if (lines.some((line) => pattern.test(line))) resolve();
        };
        waiting.add(look);
        signal.addEventListener('abort', () => reject(new Error(`${pattern} was not logged:\n${lines.join('')}`)));
        look();
      }),
    [Symbol.asyncDispose]: async () => {
      await life.end();
      node[Symbol.dispose]();
    },
  };
}

/** One question to the API: by its answer, events of before have mostly come. */
async function nextEvent(cluster: TestCluster): Promise<void> {
  await cluster.client.list(secretKind, { namespace: 'kube-system' });
}
