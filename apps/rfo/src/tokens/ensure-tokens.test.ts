import assert from 'node:assert/strict';
import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { createLog, silentLog } from '@rfo/foundation';
import type { ServerConfig } from '@rfo/schema';
import { TestNode } from '../certificates/node.testing.ts';
import { rotated } from './cluster-token-secret.ts';
import { readClusterTokens, writeClusterTokens } from './cluster-tokens.ts';
import { ensureTokens } from './ensure-tokens.ts';
import { caHash, parseToken } from './token-format.ts';
import { verifyOwn } from './verifier.ts';

const [first, second] = ['first-secret-of-the-servers', 'second-secret-of-the-servers'];

describe('the tokens of a cluster', () => {
  it('are made at the first start, and stay', async () => {
    using node = await startedNode();
    const made = await ensure(node);
    assert.match(made.server, /^[0-9a-f]{32}$/);
    assert.deepEqual(await ensure(node), made);
    const { token, nodeToken, agentToken, passwd, clusterTokens } = node.paths.server;
    const [one, two, three, table] = await Promise.all([token, nodeToken, agentToken, passwd].map((file) => readFile(file, 'utf8')));
    assert.deepEqual(parseToken(one ?? ''), {
      caHash: caHash(node.read('server-ca.crt')),
      credential: { kind: 'password', user: 'server', password: made.server },
    });
    assert.deepEqual([two, three], [one, one]);
    assert.equal(table, `${made.server},server,server,rfo:server\n${made.server},node,node,rfo:agent\n`);
    for (const file of [token, nodeToken, agentToken, passwd, clusterTokens]) assert.equal((await stat(file)).mode & 0o777, 0o600, file);
  });

  it('are the configured ones, in whatever form they are given', async () => {
    using node = await startedNode();
    const file = join(node.paths.data, 'agent-secret');
    await writeFile(file, `K10${'0'.repeat(64)}::node:an agent, "quoted"\n`);
    const config = { 'token': `server:${first}`, 'agent-token-file': file };
    assert.deepEqual(await ensure(node, config), { revision: 1, server: first, agent: 'an agent, "quoted"', old: [] });
    assert.match(await readFile(node.paths.server.agentToken, 'utf8'), /::node:an agent, "quoted"\n$/);
  });

  it('come from the password table where an older version wrote the data directory', async () => {
    using node = await startedNode();
    for (const agent of ['an agent, "quoted"', undefined]) {
      const tokens = await ensure(node, { token: first, ...(agent !== undefined && { 'agent-token': agent }) });
      await rm(node.paths.server.clusterTokens);
      assert.deepEqual(await readClusterTokens(node.paths), tokens);
      await rm(node.paths.server.passwd);
    }
  });

  it('that contradict the configured ones stop the start, and nothing is changed', async () => {
    using node = await startedNode();
    const made = await ensure(node, { 'token': first, 'agent-token': 'secret-of-the-agents' });
    const foreign = { code: 'token-mismatch', message: /^(?!.*secret).*$/s };
    await assert.rejects(ensure(node, { token: second }), foreign);
    await assert.rejects(ensure(node, { 'agent-token': first }), foreign);
    assert.deepEqual(await readClusterTokens(node.paths), made);
  });

  it('that were rotated out may stay configured, with a warning', async () => {
    using node = await startedNode();
    const now = node.now;
    const made = await ensure(node, { token: first });
    await writeClusterTokens(node.paths, rotated(made, { which: 'server', password: second, now, until: now }));
    const warnings: string[] = [];
    const tokens = await ensure(node, { 'token': first, 'agent-token': first }, warnings);
    assert.equal(tokens.server, second);
    assert.equal(warnings.length, 2);
    assert.match(warnings[0] ?? '', /the configured token is an old one that was rotated out: remove the setting/);
    assert.match(warnings[1] ?? '', /the configured agent-token is an old one/);
    assert.ok(!warnings.join().includes(first));
    assert.deepEqual(await ensure(node, { token: second }, warnings), tokens);
    assert.equal(warnings.length, 2);
  });

  it('cannot have the form of a made one, which a server that joined with such a one may keep configured', async () => {
    using node = await startedNode();
    const idForm = 'abcdef.0123456789abcdef';
    for (const config of [{ token: idForm }, { 'agent-token': `K10${'0'.repeat(64)}::${idForm}` }]) {
      await assert.rejects(ensure(node, config), { code: 'token-form', message: /^(?!.*abcdef).*be refused\./s });
    }
    assert.equal(await readClusterTokens(node.paths), undefined);
    const made = await ensure(node);
    assert.deepEqual(await ensure(node, { token: idForm }), made);
  });

  it('that can be guessed are warned of', async () => {
    using node = await startedNode();
    const warnings: string[] = [];
    await ensure(node, { token: 'hunter2' }, warnings);
    assert.match(warnings.join(), /the token has less than 16 characters and can be guessed/);
    assert.ok(!warnings.join().includes('hunter2'));
  });

  it('that are damaged on the disk are told of, not made anew, and not quoted', async () => {
    using node = await startedNode();
    await ensure(node, { token: first });
    for (const text of [`{"server": "${first}"`, `{"server": "${first}"}`, '']) {
      await writeFile(node.paths.server.clusterTokens, text);
      await assert.rejects(ensure(node), { code: 'data-unreadable', message: /^(?!.*first-secret).*cluster-tokens\.json is damaged/s });
    }
  });
});

describe('the verdict on a token of the cluster', () => {
  const now = Date.parse('2026-11-21T10:00:00Z');
  const verdict = (tokens: Parameters<typeof verifyOwn>[0], id: 'server' | 'node', secret: string, at = now): string => {
    const found = verifyOwn(tokens, { id, secret, now: at });
    return found.ok ? `${found.role} by ${found.tokenId}` : `${found.why}${found.at === undefined ? '' : ` ${found.at}`}`;
  };
  const apart = { revision: 1, server: first, agent: 'agents', old: [] };

  it('lets servers in by theirs alone, agents by either', () => {
    assert.equal(verdict(apart, 'server', first), 'server by server');
    assert.equal(verdict(apart, 'node', 'agents'), 'agent by node');
    assert.equal(verdict(apart, 'node', first), 'agent by node');
    assert.equal(verdict(apart, 'server', 'agents'), 'unknown');
    for (const secret of ['', `${first} `, first.slice(1), first.toUpperCase()]) assert.equal(verdict(apart, 'node', secret), 'unknown');
    assert.equal(verdict(undefined, 'server', ''), 'unknown');
  });

  it('accepts what was rotated out until the end of the overlap, for no more than it was good for', () => {
    const until = now + 1000;
    const once = rotated(apart, { which: 'agent', password: 'new agents', now, until });
    const twice = rotated(once, { which: 'server', password: second, now, until: until + 1000 });
    for (const id of ['server', 'node'] as const) assert.match(verdict(twice, id, second), /by/);
    assert.equal(verdict(twice, 'server', first, until + 999), 'server by server');
    assert.equal(verdict(twice, 'node', first, until), 'agent by node');
    assert.equal(verdict(twice, 'server', first, until + 1000), 'expired 2026-11-21T10:00:02.000Z');
    assert.equal(verdict(twice, 'node', 'agents', until - 1), 'agent by node');
    assert.equal(verdict(twice, 'node', 'agents', until), 'expired 2026-11-21T10:00:01.000Z');
    assert.equal(verdict(twice, 'server', 'agents'), 'unknown');
  });

  it('follows the servers where agents share their token, until they get one of their own', () => {
    const shared = { revision: 1, server: first, old: [] };
    const next = rotated(shared, { which: 'server', password: second, now, until: now + 1000 });
    assert.deepEqual([next.revision, next.agent], [2, undefined]);
    assert.equal(verdict(next, 'node', second), 'agent by node');
    assert.equal(verdict(next, 'node', first), 'agent by node');
    const own = rotated(next, { which: 'agent', password: 'agents', now, until: now });
    assert.equal(verdict(own, 'node', 'agents'), 'agent by node');
    assert.equal(verdict(own, 'server', 'agents'), 'unknown');
  });

  it('knows no new token that this cluster has or had', () => {
    const next = rotated(apart, { which: 'server', password: second, now, until: now });
    const again = (which: 'server' | 'agent', password: string) => () => rotated(next, { which, password, now, until: now });
    assert.throws(again('server', second), { code: 'token-not-new', message: /the present server token/ });
    assert.throws(again('agent', second), { code: 'token-not-new', message: /the new token is the server token/ });
    assert.throws(again('server', 'agents'), { code: 'token-not-new', message: /the new token is the agent token/ });
    assert.throws(again('server', first), { code: 'token-not-new', message: /one that was rotated out/ });
  });

  it('remembers the last ten that were rotated out, and all whose time is not over', () => {
    const rotate = (times: number, until: number) =>
      Array.from({ length: times }, (_, at) => `secret ${at}`).reduce(
        (tokens, password) => rotated(tokens, { which: 'server', password, now, until }),
        apart as Parameters<typeof rotated>[0],
      );
    assert.equal(rotate(30, now).old.length, 11);
    assert.equal(rotate(30, now + 1).old.length, 30);
  });
});

async function startedNode(): Promise<TestNode> {
  const node = new TestNode();
  await node.ensure();
  return node;
}

function ensure(node: TestNode, config: Partial<ServerConfig> = {}, warnings?: string[]) {
  const log = warnings === undefined ? silentLog : createLog({ write: (line) => warnings.push(line) });
  return ensureTokens({ config, paths: node.paths, log });
}
