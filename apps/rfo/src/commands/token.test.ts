import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { Life, silentLog } from '@rfo/foundation';
import { createKubeClient, type KubeObject, type Secret, startTestCluster, type TestCluster, waitForObject } from '@rfo/kube';
import { waitForFile } from '@rfo/process';
import { TestNode } from '../certificates/node.testing.ts';
import { type Outcome, rfo } from '../cli/rfo.testing.ts';
import { controlPlaneKubeconfig } from '../server/kubeconfigs.ts';
import { nodePasswordRef } from '../supervisor/node-passwords.ts';
import { clusterTokenRef, parseTokenSecret } from '../tokens/cluster-token-secret.ts';
import { parseClusterTokens } from '../tokens/cluster-tokens.ts';
import { ensureTokens } from '../tokens/ensure-tokens.ts';
import { followClusterTokens } from '../tokens/follow-cluster-tokens.ts';
import { madeTokenRef, parseMadeToken } from '../tokens/made-token.ts';
import { caHash, parseToken } from '../tokens/token-format.ts';
import { verifyOwn } from '../tokens/verifier.ts';

const within = () => AbortSignal.timeout(90_000);
const first = 'first-secret-of-the-servers';

describe('the commands on tokens and nodes, on a server', { timeout: 240_000 }, () => {
  let cluster: TestCluster;
  let server: Server;
  let other: Server;
  before(async () => {
    cluster = await startTestCluster();
    const namespace = { apiVersion: 'v1', kind: 'Namespace', name: 'kube-system' };
    await waitForObject(cluster.client, namespace, { accept: () => true, signal: within() });
    server = await startServer(cluster);
    other = await startServer(cluster);
  });
  after(async () => {
    await server?.end();
    await other?.end();
    await cluster?.stop();
  });

  it('token create prints the whole token, alone, and keeps what was asked for', async () => {
    const flags = ['--role=server', '--ttl=1h30m', '--description', 'racks 4 to 6', '--max-uses=3'];
    const before = Date.now();
    const { status, stdout, stderr } = await server.run(['token', 'create', ...flags]);
    assert.equal(status, 0, stderr);
    assert.match(stdout, /^K10[0-9a-f]{64}::[a-z0-9]{6}\.[a-z0-9]{16}\n$/);
    const { caHash: hash, credential } = parseToken(stdout);
    assert.equal(hash, caHash(server.node.read('server-ca.crt')));
    assert.ok(credential.kind === 'id');
    assert.match(stderr, new RegExp(`^Token ${credential.id} lets servers join, 3 times, until .*Z\\. It is not shown again\\.\n$`));
    assert.ok(!stderr.includes(credential.secret));
    const token = parseMadeToken(await cluster.client.get<Secret>(madeTokenRef(credential.id)));
    assert.deepEqual([token?.role, token?.description, token?.maxUses, token?.uses], ['server', 'racks 4 to 6', 3, 0]);
    const expires = (token?.expires ?? 0) - 90 * 60_000;
    assert.ok(expires >= before && expires <= Date.now());
  });

  it('token create makes one for agents, a day long, unless told otherwise', async () => {
    const [usual, eternal] = await Promise.all([server.run(['token', 'create']), server.run(['token', 'create', '--ttl=0'])]);
    const [token, forEver] = await Promise.all([usual, eternal].map((outcome) => madeToken(cluster, outcome)));
    assert.deepEqual([token?.role, token?.maxUses, token?.description], ['agent', undefined, '']);
    assert.ok(Math.abs((token?.expires ?? 0) - Date.now() - 86_400_000) < 60_000);
    assert.equal(forEver?.expires, undefined);
  });

  it('token create tells of mistakes before anything is made', async () => {
    const mistakes: readonly (readonly [string, RegExp])[] = [
      ['--ttl=tomorrow', /ttl in the command line: "tomorrow" is not a length of time/],
      ['--role=root', /role .*: "root" is not one of its values. Use agent, server/],
      ['--max-uses=0', /max-uses .*: 0 is not a whole number from 1 to 1000/],
      ['--description=a\nb', /description .* is not a line of up to 256 characters/],
      ['surplus', /rfo token create does not take "surplus"/],
    ];
    for (const [flag, message] of mistakes) {
      const { status, stdout, stderr } = await server.run(['token', 'create', flag]);
      assert.deepEqual([status, stdout], [2, ''], flag);
      assert.match(stderr, message);
    }
  });

  it('token list shows every token without its secret, as a table or as JSON', async () => {
    const made = await server.run(['token', 'create', '--description=listed', '--max-uses=2', '--ttl=0']);
    const { credential } = parseToken(made.stdout);
    assert.ok(credential.kind === 'id');
    const [table, json] = await Promise.all([server.run(['token', 'list']), server.run(['token', 'list', '-o', 'json'])]);
    assert.match(table.stdout, /^ID +ROLE +EXPIRES +USES +LAST USED +DESCRIPTION\n/);
    assert.match(table.stdout, new RegExp(`^${credential.id} +agent +never +0 of 2 +listed$`, 'm'));
    const listed = (JSON.parse(json.stdout) as { id: string }[]).find(({ id }) => id === credential.id);
    assert.deepEqual(listed, {
      id: credential.id,
      role: 'agent',
      description: 'listed',
      expires: null,
      expired: false,
      uses: 0,
      maxUses: 2,
      lastUsed: null,
      nodes: [],
    });
    const { hash } = parseMadeToken(await cluster.client.get<Secret>(madeTokenRef(credential.id))) ?? {};
    for (const { stdout } of [table, json]) assert.ok(!stdout.includes(credential.secret) && !stdout.includes(hash ?? ''));
  });

  it('token delete takes ids and whole tokens, and deletes nothing where one is unknown', async () => {
    const made = await Promise.all([1, 2, 3].map(() => server.run(['token', 'create'])));
    const [one, two, three] = made.map(({ stdout }) => {
      const { credential } = parseToken(stdout);
      assert.ok(credential.kind === 'id');
      return { id: credential.id, secret: credential.secret, full: stdout.trim() };
    });
    assert.ok(one && two && three);
    const exists = async (id: string): Promise<boolean> => (await cluster.client.find(madeTokenRef(id))) !== undefined;
    const typo = `${two.id.slice(0, 5)}${two.id.endsWith('a') ? 'b' : 'a'}`;
    const refused = await server.run(['token', 'delete', one.id, typo]);
    assert.deepEqual([refused.status, refused.stdout], [2, '']);
    assert.equal(refused.stderr, `rfo: there is no token "${typo}". Did you mean ${two.id}? All tokens: rfo token list.\n`);
    assert.equal(await exists(one.id), true);
    const done = await server.run(['token', 'delete', one.id, two.full, `${three.id}.${three.secret}`]);
    assert.deepEqual([done.status, done.stdout], [0, [one, two, three].map(({ id }) => `token ${id} deleted\n`).join('')]);
    assert.deepEqual(await Promise.all([one, two, three].map(({ id }) => exists(id))), [false, false, false]);
    const secret = await server.run(['token', 'delete', 'some-password']);
    assert.equal(secret.stderr, 'rfo: there is no token "some-p…". All tokens: rfo token list.\n');
    assert.match((await server.run(['token', 'delete'])).stderr, /rfo token delete needs the id of a token/);
  });

  it('token rotate refuses a secret on the command line, and does not repeat it', async () => {
    for (const flags of [['--new-token=hunter2hunter2'], ['--new-token', 'hunter2hunter2'], ['hunter2hunter2']]) {
      const { status, stdout, stderr } = await server.run(['token', 'rotate', ...flags]);
      assert.deepEqual([status, stdout], [2, '']);
      assert.match(stderr, /a secret on the command line can be read by everybody on this host/);
      assert.ok(!stderr.includes('hunter2'));
    }
  });

  it('token rotate refuses a token of the form of a made one, an empty and an old one', async () => {
    const cases: readonly (readonly [string, RegExp])[] = [
      ['abcdef.0123456789abcdef', /the new token has the form <6>\.<16> of tokens that rfo token create makes/],
      ['\n', /new-token-file: cannot read .*: the file is empty/],
      [`server:${first}`, /the new token is the present server token/],
      ['K10abc', /new-token-file .*new is not a token/],
    ];
    for (const [content, message] of cases) {
      const file = join(server.node.paths.data, 'new');
      await writeFile(file, content);
      const { status, stdout, stderr } = await server.run(['token', 'rotate', '--new-token-file', file]);
      assert.deepEqual([status, stdout], [2, ''], stderr);
      assert.match(stderr, message);
    }
    assert.equal((await server.tokens()).revision, 1);
  });

  it('token rotate gives every server a random token, and the old one stands until the end of the overlap', async () => {
    const now = Date.now();
    const { status, stdout, stderr } = await server.run(['token', 'rotate', '--overlap=2h']);
    assert.deepEqual([status, stderr], [0, '']);
    assert.match(stdout, /^The server token is replaced; the old one is accepted until .*Z\.\nNodes that have joined need nothing\.\n/);
    assert.match(stdout, /The new one stands in .*\/server\/token, as on every other server\.\n$/);
    await other.has(2);
    const [mine, theirs] = [await server.tokens(), await other.tokens()];
    assert.deepEqual(mine, theirs);
    assert.match(mine.server, /^[0-9a-f]{32}$/);
    assert.ok(!stdout.includes(mine.server));
    const token = (await readFile(other.node.paths.server.token, 'utf8')).trim();
    assert.deepEqual(parseToken(token).credential, { kind: 'password', user: 'server', password: mine.server });
    const verdict = (time: number) => verifyOwn(theirs, { id: 'server', secret: first, now: time });
    assert.deepEqual(verdict(now + 7_190_000), { ok: true, role: 'server', tokenId: 'server' });
    assert.equal(verdict(Date.now() + 7_200_000).ok, false);
    const secret = await cluster.client.get<Secret>(clusterTokenRef);
    assert.equal(secret.type, 'rfo.io/cluster-token');
    assert.deepEqual(parseTokenSecret(secret), mine);
    assert.ok(!JSON.stringify(parseTokenSecret(secret)).includes(first));
  });

  it('token rotate takes the new one from the standard input, for agents alone', async () => {
    const { server: before, revision } = await server.tokens();
    const { status, stdout } = await server.run(
      ['token', 'rotate', '--which=agent', '--new-token-file=-', '--overlap=0'],
      'the new agents of ours\n',
    );
    assert.equal(status, 0);
    assert.match(stdout, /^The agent token is replaced; the old one is accepted no longer\.\n/);
    await other.has(revision + 1);
    const tokens = await other.tokens();
    assert.deepEqual([tokens.server, tokens.agent], [before, 'the new agents of ours']);
  });

  it('token rotate warns of a short one', async () => {
    const { status, stderr } = await server.run(['token', 'rotate', '--which=agent', '--new-token-file=-'], 'short');
    assert.deepEqual([status, stderr], [0, 'rfo: the new token has less than 16 characters and can be guessed.\n']);
  });

  it('a server that was away takes over what was rotated meanwhile', async () => {
    await other.end();
    const { revision } = await server.tokens();
    await server.run(['token', 'rotate']);
    await server.has(revision + 1);
    other = await startServer(cluster, other.node);
    assert.deepEqual(await other.tokens(), await server.tokens());
  });

  it('servers put the token of their disk back where the Secret is gone or is older, as after the restore of a snapshot', async () => {
    const older = await cluster.client.get<Secret>(clusterTokenRef);
    const { revision } = await server.tokens();
    await server.run(['token', 'rotate']);
    await Promise.all([server.has(revision + 1), other.has(revision + 1)]);
    const tokens = await server.tokens();
    const isBack = (secret: Secret): boolean => parseTokenSecret(secret).revision === revision + 1;
    const { resourceVersion: _, ...metadata } = older.metadata;
    await cluster.client.replace<Secret>({ ...older, metadata });
    await waitForObject<Secret>(cluster.client, clusterTokenRef, { accept: isBack, signal: within() });
    await cluster.client.delete(clusterTokenRef);
    await waitForObject<Secret>(cluster.client, clusterTokenRef, { accept: isBack, signal: within() });
    assert.deepEqual([await server.tokens(), await other.tokens()], [tokens, tokens]);
  });

  it('node readopt forgets the password of a node, and says what comes next', async () => {
    const node: KubeObject = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'worker-1' } };
    await cluster.client.create(node);
    const none = await server.run(['node', 'readopt', 'worker-1']);
    assert.deepEqual(
      [none.status, none.stdout],
      [0, 'No password is kept for worker-1: a host with a valid token can join under this name as it is.\n'],
    );
    const { apiVersion, kind, name, namespace } = nodePasswordRef('worker-1');
    await cluster.client.create<Secret>({ apiVersion, kind, metadata: { name, namespace }, type: 'rfo.io/node-password', immutable: true });
    const done = await server.run(['node', 'readopt', 'Worker-1']);
    assert.deepEqual([done.status, done.stderr], [0, '']);
    assert.match(
      done.stdout,
      /^The password of worker-1 is forgotten\. The next host that joins under this name with a valid token has it/,
    );
    assert.equal(await cluster.client.find(nodePasswordRef('worker-1')), undefined);
  });

  it('node readopt warns where the node is Ready', async () => {
    const { apiVersion, kind, name, namespace } = nodePasswordRef('worker-2');
    await cluster.client.create<Secret>({ apiVersion, kind, metadata: { name, namespace } });
    await cluster.client.create({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'worker-2' } });
    const conditions = [{ type: 'Ready', status: 'True', reason: 'KubeletReady', message: '' }];
    await cluster.client.patchStatus({ apiVersion: 'v1', kind: 'Node', name: 'worker-2' }, { conditions });
    const { stderr } = await server.run(['node', 'readopt', 'worker-2']);
    assert.match(stderr, /the node worker-2 is Ready: a host runs under this name/);
  });

  it('node readopt names the node that was meant', async () => {
    const { status, stderr } = await server.run(['node', 'readopt', 'wroker-1']);
    assert.equal(status, 2);
    assert.equal(stderr, 'rfo: the cluster has no node "wroker-1". Did you mean "worker-1"? All nodes: rfo kubectl get nodes.\n');
  });

  it('all of them say where they can be run', async () => {
    using empty = new TestNode();
    for (const command of [
      ['token', 'create'],
      ['token', 'list'],
      ['token', 'delete', 'abcdef'],
      ['token', 'rotate'],
      ['node', 'readopt', 'x'],
    ]) {
      const { status, stdout, stderr } = await rfo([...command, `--data-dir=${empty.paths.data}`]);
      assert.deepEqual([status, stdout], [3, '']);
      assert.match(stderr, new RegExp(`rfo ${command.slice(0, 2).join(' ')} works on servers, and .*/server/.* is not on this host`));
    }
  });
});

type Server = Awaited<ReturnType<typeof startServer>>;

/** A server's disk with the administrator's kubeconfig of the cluster, and the task that follows the cluster's tokens. */
async function startServer(cluster: TestCluster, node = new TestNode()) {
  await node.ensure();
  const { paths } = node;
  const kubeconfig = controlPlaneKubeconfig(paths, 'admin');
  await mkdir(dirname(kubeconfig), { recursive: true });
  await writeFile(kubeconfig, renderKubeconfig(cluster));
  await ensureTokens({ config: { token: first }, paths, log: silentLog });
  const life = new Life();
  const client = createKubeClient(cluster.options);
  life.defer(() => client.close());
  await followClusterTokens({ paths, client, life, log: silentLog });
  return {
    node,
    run: (argv: readonly string[], input?: string): Promise<Outcome> => {
      const all = [...argv, `--data-dir=${paths.data}`];
      return input === undefined ? rfo(all) : rfoReading(all, input);
    },
    tokens: async () => parseClusterTokens(await readFile(paths.server.clusterTokens, 'utf8'), 'the file'),
    /** Resolves when the disk has that revision. */
    has: async (revision: number): Promise<void> => {
      await waitForFile(paths.server.clusterTokens, {
        signal: within(),
        predicate: (content) => parseClusterTokens(content, 'the file').revision === revision,
      });
      // What is made from it is written right after it.
      const { server } = parseClusterTokens(await readFile(paths.server.clusterTokens, 'utf8'), 'the file');
      await waitForFile(paths.server.token, { signal: within(), predicate: (content) => content.includes(server) });
    },
    end: () => life.end(),
  };
}

function renderKubeconfig({ options }: TestCluster): string {
  const file = (source: unknown): string => (source as { readonly file: string }).file;
  const name = 'default';
  const user = { 'client-certificate': file(options.cert), 'client-key': file(options.key) };
  return JSON.stringify({
    'clusters': [{ name, cluster: { 'server': options.server, 'certificate-authority': file(options.ca) } }],
    'users': [{ name, user }],
    'contexts': [{ name, context: { cluster: name, user: name } }],
    'current-context': name,
  });
}

/** Runs `rfo` with something on its standard input. */
async function rfoReading(argv: readonly string[], input: string): Promise<Outcome> {
  const main = join(import.meta.dirname, '../main.ts');
  const child = spawn(process.execPath, [main, ...argv], { env: { PATH: process.env.PATH, NODE_DISABLE_COMPILE_CACHE: '1' } });
  child.stdin.end(input);
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { status: await ended, stdout, stderr };
}

async function madeToken(cluster: TestCluster, { stdout }: Outcome) {
  const { credential } = parseToken(stdout);
  assert.ok(credential.kind === 'id');
  return parseMadeToken(await cluster.client.get<Secret>(madeTokenRef(credential.id)));
}
