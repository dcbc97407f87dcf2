import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { Life, silentLog } from '@rfo/foundation';
import { type LoadBalancer, startLoadBalancer } from '@rfo/proxy';
import { type WatchedMember, watchMembers } from './watch-members.ts';

/** Members that accept connections as a hung host does still, and answer probes as long as they are not said to be silent. */
async function setUp(t: TestContext, names: readonly string[]) {
  const life = new Life();
  const sockets = new Set<Socket>();
  t.after(async () => {
    for (const socket of sockets) socket.destroy();
    await life.end();
  });
  const members: (WatchedMember & { readonly name: string })[] = [];
  for (const name of names) {
    const server = createServer((socket) => {
      sockets.add(socket.on('error', () => undefined));
      socket.write(name);
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    t.after(() => server.close());
    members.push({ name, address: `127.0.0.1:${(server.address() as AddressInfo).port}`, peerUrls: [`https://${name}:2380`] });
  }
  const addresses = members.map(({ address }) => address);
  const balancer = await startLoadBalancer({ listen: { host: '127.0.0.1', port: 0 }, servers: addresses, life, log: silentLog });
  const silent = new Set<string>();
  const asked: string[] = [];
  const probe = async ({ peerUrls: [url = ''] }: Pick<WatchedMember, 'peerUrls'>): Promise<boolean> => {
    const name = new URL(url).hostname;
    asked.push(name);
    return !silent.has(name);
  };
  const notes: string[] = [];
  const watching = watchMembers({
    ...{ members: () => members, balancer, probe, life, log: silentLog, pace: { every: 20, others: 1_000 } },
    note: (problem) => notes.push(problem),
  });
  watching.catch(() => undefined);
  return { life, members, balancer, silent, asked, notes, watching };
}

async function client(balancer: LoadBalancer): Promise<{ socket: Socket; member: string }> {
  const socket = connect(balancer.address);
  socket.on('error', () => undefined);
  const [name] = await once(socket, 'data');
  return { socket, member: String(name) };
}

test('a member that hangs loses its connections to one that answers, though nothing of it ends by itself', async (t) => {
  const { balancer, silent, watching } = await setUp(t, ['one', 'two']);
  await watching;
  const { socket, member } = await client(balancer);
  assert.equal(member, 'one');
  const closed = new Promise((resolve) => socket.once('close', resolve));
  silent.add('one');
  await closed;
  assert.equal((await client(balancer)).member, 'two');
});

test('while no member answers connections stay, and it is not ready', async (t) => {
  const { balancer, silent, watching, notes, members, life } = await setUp(t, ['one']);
  silent.add('one');
  const { socket } = await client(balancer);
  while (!notes.some((note) => note === `etcd does not answer on ${members[0]?.address}`)) await new Promise(setImmediate);
  assert.equal(socket.destroyed, false);
  let ready = false;
  void watching.then(() => {
    ready = true;
  });
  assert.equal(ready, false);
  silent.clear();
  await watching;
  await life.end();
});

test('only the member in use is asked all the time', async (t) => {
  const { asked, watching } = await setUp(t, ['one', 'two']);
  await watching;
  while (asked.length < 10) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.deepEqual(
    asked.filter((name) => name === 'two'),
    ['two'],
  );
});
