// `/ws` over a real API server and real WebSockets.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { WatchMessage } from '@rfo/schema';
import { connectWatch, type Json, type Page, type WatchClient } from './client.testing.ts';
import { startWatchLab, type WatchLab } from './watches.testing.ts';

let lab: WatchLab;
before(async () => {
  lab = await startWatchLab();
  await lab.configMap('shop', 'shop-1', { size: '1' }, { tier: 'front' });
  await lab.configMap('shop', 'shop-2', { size: '2' }, { tier: 'back' });
  await lab.configMap('web', 'web-1', {}, { tier: 'front' });
});
after(() => lab?.stop());

const configMaps = { cluster: 'local', group: 'core', version: 'v1', resource: 'configmaps' };
const subscribe = (id: string, rest: object = {}) => ({ type: 'subscribe', id, of: configMaps, selector: 'tier', ...rest });
const namesOf = ({ objects }: Page): readonly string[] => objects.map(({ metadata }) => metadata.name);
const has =
  (...names: readonly string[]) =>
  (page: Page): boolean =>
    JSON.stringify(namesOf(page)) === JSON.stringify(names);
const of = (id: string, messages: readonly WatchMessage[]): readonly WatchMessage[] =>
  messages.filter((message) => 'id' in message && message.id === id);

async function errorOf(client: WatchClient, id?: string): Promise<Json> {
  return await client.message((message) => message.type === 'error' && message.id === id);
}

/** Everything that was sent before is answered. */
async function ponged(client: WatchClient): Promise<void> {
  const before_ = client.messages.length;
  client.send({ type: 'ping' });
  await client.message((message) => message.type === 'pong' && client.messages.indexOf(message) >= before_);
}

describe('a subscription to a resource of a cluster', () => {
  it('begins with a snapshot of its page and goes on with what changes in it', async () => {
    const client = await lab.connect(lab.admin);
    client.send(subscribe('a', { sort: 'name', pageSize: 2 }));
    const first = await client.page('a', has('shop-1', 'shop-2'));
    assert.deepEqual([first.keys, first.total], [['shop/shop-1', 'shop/shop-2'], 3]);
    assert.ok(first.next !== undefined);
    await lab.configMap('shop', 'shop-1', { size: '7' }, { tier: 'front' });
    const changed = await client.page('a', ({ objects }) => objects[0]?.data.size === '7');
    assert.deepEqual(namesOf(changed), ['shop-1', 'shop-2']);
    const { type, ...last } = of('a', client.messages).at(-1) as Json;
    assert.equal(type, 'changes');
    assert.deepEqual([Object.keys(last.objects), last.order], [['shop/shop-1'], undefined]);
    await lab.configMap('shop', 'shop-0', {}, { tier: 'front' });
    const moved = await client.page('a', has('shop-0', 'shop-1'));
    assert.equal(moved.total, 4);
    await lab.client.delete({ apiVersion: 'v1', kind: 'ConfigMap', namespace: 'shop', name: 'shop-0' });
    await client.page('a', has('shop-1', 'shop-2'));
    client.socket.close();
  });

  it('says nothing of what is not in its page, and nothing any more once it is unsubscribed', async () => {
    const client = await lab.connect(lab.admin);
    client.send(subscribe('quiet', { filter: ['name=shop-2'] }));
    client.send(subscribe('loud', { filter: ['name=noise'] }));
    await client.page('quiet', has('shop-2'));
    await client.page('loud', has());
    await lab.configMap('web', 'noise', {}, { tier: 'x' });
    await client.page('loud', has('noise'));
    assert.equal(of('quiet', client.messages).length, 1);
    client.send({ type: 'unsubscribe', id: 'loud' });
    await ponged(client);
    const told = of('loud', client.messages).length;
    client.send(subscribe('other', { filter: ['name=noise'] }));
    await client.page('other', has('noise'));
    await lab.client.delete({ apiVersion: 'v1', kind: 'ConfigMap', namespace: 'web', name: 'noise' });
    await client.page('other', has());
    assert.equal(of('loud', client.messages).length, told);
    client.socket.close();
  });

  it('goes on after a reconnect with what is different, and sends nothing twice', async () => {
    const client = await lab.connect(lab.admin);
    client.send(subscribe('a', { sort: 'name' }));
    await client.page('a', has('shop-1', 'shop-2', 'web-1'));
    const known = client.known('a');
    client.socket.terminate();
    await client.closed;
    await lab.configMap('shop', 'shop-2', { size: '20' }, { tier: 'back' });
    const again = await lab.connect(lab.admin);
    again.send(subscribe('a', { sort: 'name', known }));
    const message = (await again.message((each) => 'id' in each && each.id === 'a')) as Json;
    assert.deepEqual([message.type, message.order], ['changes', ['shop/shop-1', 'shop/shop-2', 'web/web-1']]);
    // The index may hear of the change after its client is back; what is the same is in no message.
    const changed = await again.message((each) => each.type === 'changes' && 'shop/shop-2' in each.objects);
    assert.ok('objects' in changed);
    const sent = of('a', again.messages).flatMap((each) => ('objects' in each ? Object.keys(each.objects) : []));
    assert.deepEqual(sent, ['shop/shop-2']);
    again.socket.close();
  });
});

describe('rights on a connection', () => {
  it('end a subscription when nothing in the cluster is left of them, and nothing is told after that', async () => {
    const token = await lab.member('mona', 'member');
    const client = await lab.connect(token);
    client.send(subscribe('all', { sort: 'name' }));
    client.send(subscribe('one', { of: { ...configMaps, namespace: 'shop' }, sort: 'name' }));
    await client.page('all', has('shop-1', 'shop-2'));
    await client.page('one', has('shop-1', 'shop-2'));
    await lab.member('olaf', 'owner');
    await lab.setMembers({ olaf: 'owner' });
    // Without any role there is nothing in the cluster for her.
    assert.equal((await errorOf(client, 'all')).code, 'cluster-forbidden');
    assert.equal((await errorOf(client, 'one')).code, 'cluster-forbidden');
    const told = client.messages.length;
    await lab.configMap('shop', 'shop-1', { secret: 'after' }, { tier: 'front' });
    const other = await lab.connect(lab.admin);
    other.send(subscribe('x', { filter: ['data.secret=after'] }));
    await other.page('x', has('shop-1'));
    await ponged(client);
    assert.deepEqual(
      client.messages.slice(told).map(({ type }) => type),
      ['pong'],
    );
    other.socket.close();
    client.socket.close();
  });

  it('narrow a page at the word of the manager, and widen it again', async () => {
    const { client: kube, objects } = lab.parts;
    await kube.create({
      ...{ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'RoleBinding', metadata: { name: 'viewer', namespace: 'web' } },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'look' },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: 'rfo:project:shop:viewer' }],
    });
    const token = await lab.member('vera', 'viewer');
    const places = (...namespaces: string[]) => objects.projects.patch('shop', { spec: { places: [{ cluster: 'local', namespaces }] } });
    await places('shop', 'web');
    const client = await lab.connect(token);
    client.send(subscribe('all', { sort: 'name' }));
    await client.page('all', has('shop-1', 'shop-2', 'web-1'));
    // The RoleBinding stays in the cluster: the manager's word counts before the cluster has heard of it.
    await places('shop');
    await client.page('all', has('shop-1', 'shop-2'));
    await places('shop', 'web');
    await client.page('all', has('shop-1', 'shop-2', 'web-1'));
    client.socket.close();
  });

  it('are asked of the cluster for a namespace that is new', async () => {
    const token = await lab.member('nora', 'viewer');
    const client = await lab.connect(token);
    client.send(subscribe('all', { sort: 'name', filter: ['name~fresh'] }));
    await client.page('all', has());
    const { client: kube, objects } = lab.parts;
    await objects.projects.patch('shop', { spec: { places: [{ cluster: 'local', namespaces: ['shop', 'web', 'new'] }] } });
    await kube.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'new' } });
    await kube.create({
      ...{ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'RoleBinding', metadata: { name: 'viewer', namespace: 'new' } },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'look' },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: 'rfo:project:shop:viewer' }],
    });
    await lab.configMap('new', 'fresh-1', {}, { tier: 'x' });
    await client.page('all', has('fresh-1'));
    client.socket.close();
  });

  it('end with the session: the connection is closed and says why', async () => {
    const token = await lab.member('dora', 'viewer');
    const client = await lab.connect(token);
    client.send(subscribe('a'));
    await client.page('a', ({ total }) => total > 0);
    const user = lab.parts.objects.users.by('username', 'dora')[0]?.metadata.name ?? '';
    await lab.parts.identity.disable(user);
    assert.equal(await client.closed, 4401);
    assert.equal((await errorOf(client)).code, 'access-withdrawn');
    await assert.rejects(lab.connect(token), /^Error: 401 .*credentials-refused/);
  });

  it('refuse strangers, cookies from pages elsewhere, and what is no upgrade', async () => {
    await assert.rejects(connectWatch(lab.port, {}), /^Error: 401 .*not-signed-in/);
    await assert.rejects(connectWatch(lab.port, { authorization: 'Bearer rfo_x_y' }), /^Error: 401/);
    const cookie = `__Host-rfo-session=${lab.admin}`;
    await assert.rejects(connectWatch(lab.port, { cookie, origin: 'https://elsewhere.example' }), /^Error: 403 .*csrf-refused/);
    await assert.rejects(connectWatch(lab.port, { cookie }), /^Error: 403 .*csrf-refused/);
    const client = await connectWatch(lab.port, { cookie, origin: `https://127.0.0.1:${lab.port}` });
    await ponged(client);
    client.socket.close();
  });
});

describe("the manager's own objects", () => {
  it('are followed as the REST interface shows them, each by who may see it', async () => {
    const token = await lab.someone('rita');
    const [admin, rita] = [await lab.connect(lab.admin), await lab.connect(token)];
    for (const client of [admin, rita]) client.send({ type: 'subscribe', id: 'p', of: { kind: 'Project' }, search: 'atlas' });
    await admin.page('p', ({ total }) => total === 0);
    await rita.page('p', ({ total }) => total === 0);
    const { objects } = lab.parts;
    await objects.projects.create({ metadata: { name: 'atlas', labels: { team: 'a' } }, spec: { members: [], places: [] } });
    const { objects: seen } = await admin.page('p', ({ total }) => total === 1);
    assert.deepEqual(seen[0], (await lab.ask({ token: lab.admin, path: '/projects/atlas' })).json);
    const name = objects.users.by('username', 'rita')[0]?.metadata.name ?? '';
    await objects.projects.patch('atlas', { spec: { members: [{ kind: 'User', name, role: 'viewer' }] } });
    await rita.page('p', ({ keys }) => keys[0] === 'atlas');
    await objects.projects.patch('atlas', { spec: { members: [] } });
    await rita.page('p', ({ keys }) => keys.length === 0);
    for (const client of [admin, rita]) client.socket.close();
  });

  it('hide what the routes hide: hashes of tokens, and lists that take a right', async () => {
    const [admin, other] = [await lab.connect(lab.admin), await lab.connect(await lab.someone('rolf'))];
    admin.send({ type: 'subscribe', id: 't', of: { kind: 'Token' }, pageSize: 1000 });
    const { objects } = await admin.page('t', ({ total }) => total > 1);
    assert.ok(objects.every(({ spec }) => spec.hash === undefined && spec.user !== undefined));
    other.send({ type: 'subscribe', id: 't', of: { kind: 'Token' } });
    const own = await other.page('t', ({ total }) => total > 0);
    assert.deepEqual(new Set(own.objects.map(({ spec }) => spec.user)).size, 1);
    other.send({ type: 'subscribe', id: 's', of: { kind: 'Setting' } });
    assert.equal((await errorOf(other, 's')).code, 'api-forbidden');
    other.send({ type: 'subscribe', id: 'c', of: { kind: 'Cluster' }, cursor: 'x' });
    assert.equal((await errorOf(other, 'c')).code, 'api-request-invalid');
    for (const client of [admin, other]) client.socket.close();
  });

  it('are not for tokens that are limited to clusters', async () => {
    const { credential } = await lab.parts.identity.createToken({ caller: lab.administrator(), kind: 'kubeconfig', clusters: ['local'] });
    const client = await lab.connect(credential);
    client.send({ type: 'subscribe', id: 'p', of: { kind: 'Project' } });
    assert.equal((await errorOf(client, 'p')).code, 'api-token-narrow');
    client.send(subscribe('other', { of: { ...configMaps, cluster: 'elsewhere' } }));
    assert.equal((await errorOf(client, 'other')).code, 'token-elsewhere');
    client.send(subscribe('a'));
    await client.page('a', ({ total }) => total > 0);
    client.socket.close();
  });
});

describe('a connection', () => {
  it('tells what is wrong with a message, and lives on', async () => {
    const client = await lab.connect(lab.admin);
    const wrong = ['{', '[]', '{"type":"shout"}', '{"type":"subscribe","id":"a"}', JSON.stringify(subscribe('a', { order: 'up' }))];
    wrong.push(
      JSON.stringify(subscribe('a', { of: { ...configMaps, resource: 'pods/log' } })),
      JSON.stringify(subscribe('a', { pageSize: 1001 })),
    );
    for (const message of wrong) client.send(message);
    await ponged(client);
    assert.deepEqual(
      client.messages.map((message) => 'code' in message && message.code),
      [...wrong.map(() => 'watch-message-invalid'), false],
    );
    client.send(subscribe('a', { selector: '((' }));
    assert.equal((await errorOf(client, 'a')).code, 'api-request-invalid');
    client.send(subscribe('b'));
    await client.page('b', ({ total }) => total > 0);
    client.send(subscribe('b'));
    assert.equal((await errorOf(client, 'b')).code, 'watch-message-invalid');
    client.socket.send(Buffer.alloc(256 * 1024 + 1, 0x20));
    assert.equal(await client.closed, 1009);
  });

  it('bounds the subscriptions of one client', async () => {
    const client = await lab.connect(lab.admin);
    for (let at = 0; at < 65; at++) client.send({ type: 'subscribe', id: `s-${at}`, of: { kind: 'Cluster' } });
    assert.equal((await errorOf(client, 's-64')).code, 'watches-too-many');
    await Promise.all(Array.from({ length: 64 }, (_, at) => client.page(`s-${at}`, () => true)));
    client.socket.close();
  });

  it('gives a reader that was stuck what is now, and kept nothing for it meanwhile', async () => {
    const [slow, quick] = [await lab.connect(lab.admin), await lab.connect(lab.admin)];
    const wide = { filter: ['name=big'], selector: undefined };
    const ids = Array.from({ length: 16 }, (_, at) => `s-${at}`);
    const write = (turn: number) => lab.configMap('web', 'big', { turn: String(turn), fill: 'x'.repeat(800_000) });
    const at = (turn: number) => (page: Page) => page.objects[0]?.data.turn === String(turn);
    await write(0);
    quick.send(subscribe('q', wide));
    for (const id of ids) slow.send(subscribe(id, wide));
    await Promise.all([quick.page('q', at(0)), ...ids.map((id) => slow.page(id, at(0)))]);
    slow.socket.pause();
    const turns = 5;
    for (let turn = 1; turn <= turns; turn++) {
      await write(turn);
      await quick.page('q', at(turn));
    }
    const before_ = slow.messages.length;
    slow.socket.resume();
    await Promise.all(ids.map((id) => slow.page(id, at(turns))));
    // What fits into the buffers of a socket on loopback was on its way already; the rest was never made.
    const came = slow.messages.length - before_;
    assert.ok(came >= ids.length && came < ids.length * 3, `${came} of ${ids.length * turns}`);
    for (const client of [slow, quick]) client.socket.close();
  });

  it('stays silent about nothing when the cluster goes and comes back: it is told, and then the page is right', async () => {
    const client = await lab.connect(lab.admin);
    client.send(subscribe('a', { filter: ['name~around'] }));
    await client.page('a', has());
    await lab.cluster.killApiServer();
    const told = await client.message(({ type }) => type === 'interrupted');
    assert.ok('code' in told && told.code === 'kube-unreachable');
    await lab.cluster.startApiServer();
    await lab.configMap('web', 'around-1', {}, { tier: 'x' });
    await client.page('a', has('around-1'));
    client.socket.close();
  });
});
