import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { createLog } from '@rfo/foundation';
import type { LoadBalancer } from './load-balancer.ts';
import { type Client, startBalancer, startClient, startProcess, startServer } from './test-support.ts';

const timeout = 60_000;
const MiB = 1024 * 1024;

/** A client that has heard who serves it. */
async function greeted(t: TestContext, balancer: LoadBalancer): Promise<Client & { readonly by: string }> {
  const client = startClient(t, balancer);
  return { ...client, by: await client.next() };
}

test('all connections go to the first server that accepts', { timeout }, async (t) => {
  const [one, two] = [await startServer(t, 'one'), await startServer(t, 'two')];
  const { balancer, changes } = await startBalancer(t, [one.at, two.at]);
  const clients = await Promise.all(Array.from({ length: 20 }, () => greeted(t, balancer)));
  assert.deepEqual(new Set(clients.map(({ by }) => by)), new Set(['one']));
  assert.equal(balancer.active(), one.at);
  assert.deepEqual(balancer.states(), [
    { server: one.at, state: 'active', connections: 20 },
    { server: two.at, state: 'unchecked', connections: 0 },
  ]);
  assert.deepEqual(changes, []);
});

test('when the process of a server dies its clients break at once and are served by the next within a second', { timeout }, async (t) => {
  const [one, two] = [await startProcess(t, 'one'), await startServer(t, 'two')];
  const { balancer, changes } = await startBalancer(t, [one.at, two.at]);
  const client = await greeted(t, balancer);
  assert.equal(client.by, 'one');
  // Its kernel says goodbye for it.
  const ended = once(client.socket, 'end');
  await one.signal('SIGKILL');
  const died = performance.now();
  await ended;
  assert.equal((await greeted(t, balancer)).by, 'two');
  const took = performance.now() - died;
  assert.ok(took < 1000, `${took} ms`);
  assert.deepEqual(changes, [two.at]);
  assert.equal(balancer.states()[0]?.state, 'failed');
});

test('a server that does not even accept costs one connection a quarter of a second, the next ones nothing', { timeout }, async (t) => {
  const [one, two] = [await startProcess(t, 'one', { backlog: 1 }), await startServer(t, 'two')];
  await one.signal('SIGSTOP');
  await fillBacklog(t, one.port);
  const { balancer, changes } = await startBalancer(t, [one.at, two.at]);
  const begun = performance.now();
  assert.equal((await greeted(t, balancer)).by, 'two');
  const first = performance.now() - begun;
  assert.ok(first >= 200 && first < 1000, `${first} ms`);
  const again = performance.now();
  assert.equal((await greeted(t, balancer)).by, 'two');
  assert.ok(performance.now() - again < 200);
  assert.deepEqual(changes, [two.at]);
});

test('a server that hangs loses new connections when it is reported suspect, and all when it is reported failed', {
  timeout,
}, async (t) => {
  const [one, two] = [await startProcess(t, 'one'), await startServer(t, 'two')];
  const { balancer } = await startBalancer(t, [one.at, two.at]);
  for (const { at } of [one, two]) balancer.report(at, 'healthy');
  const client = await greeted(t, balancer);
  assert.equal(client.by, 'one');
  await one.signal('SIGSTOP');

  balancer.report(one.at, 'suspect');
  assert.equal((await greeted(t, balancer)).by, 'two');
  await one.signal('SIGCONT');
  client.socket.write(' still');
  assert.equal(await client.next(), ' still', 'one that may come back keeps its connections');
  await one.signal('SIGSTOP');

  balancer.report(one.at, 'failed');
  assert.equal(await client.closed, 'ECONNRESET');
  assert.equal((await greeted(t, balancer)).by, 'two');
  assert.deepEqual(
    balancer.states().map(({ state, connections }) => [state, connections]),
    [
      ['failed', 0],
      ['active', 2],
    ],
  );
});

test('a suspect server that does not even take connections, while another does, loses those that stand at once', { timeout }, async (t) => {
  const [one, two] = [await startProcess(t, 'one', { backlog: 1 }), await startServer(t, 'two')];
  const { balancer } = await startBalancer(t, [one.at, two.at]);
  for (const { at } of [one, two]) balancer.report(at, 'healthy');
  const client = await greeted(t, balancer);
  assert.equal(client.by, 'one');
  await one.signal('SIGSTOP');
  await fillBacklog(t, one.port);
  const doubted = performance.now();
  balancer.report(one.at, 'suspect');
  assert.equal(await client.closed, 'ECONNRESET');
  assert.ok(performance.now() - doubted < 1000, `${performance.now() - doubted} ms`);
  assert.equal(balancer.states()[0]?.state, 'failed');
  balancer.report(one.at, 'healthy');
  assert.equal(balancer.states()[0]?.state, 'healthy', 'who watches it knows better');
});

test('a suspect server that does not take connections keeps those that stand while no other does', { timeout }, async (t) => {
  const [one, two] = [await startProcess(t, 'one', { backlog: 1 }), await startServer(t, 'two')];
  const { balancer } = await startBalancer(t, [one.at, two.at]);
  const client = await greeted(t, balancer);
  await two.stop();
  await one.signal('SIGSTOP');
  await fillBacklog(t, one.port);
  balancer.report(one.at, 'suspect');
  // Longer than it takes to find out.
  const closed = await Promise.race([client.closed, delay(1000, 'stands')]);
  assert.equal(closed, 'stands');
});

test('connections to a failed server stay until another one is known to be well', { timeout }, async (t) => {
  const [one, two] = [await startServer(t, 'one'), await startServer(t, 'two')];
  const { balancer } = await startBalancer(t, [one.at, two.at]);
  const client = await greeted(t, balancer);
  balancer.report(two.at, 'failed');
  balancer.report(one.at, 'failed');
  client.socket.write('stays');
  assert.equal(await client.next(), 'stays');
  assert.equal((await greeted(t, balancer)).by, 'one', 'it is as good as any other');
  balancer.report(two.at, 'healthy');
  assert.equal(await client.closed, 'ECONNRESET');
  assert.equal((await greeted(t, balancer)).by, 'two');
});

test('does not go back when the first server returns, and goes to it when the second one fails', { timeout }, async (t) => {
  const one = await startServer(t, 'one');
  const two = await startServer(t, 'two');
  const { balancer, changes } = await startBalancer(t, [one.at, two.at]);
  await one.stop();
  assert.equal((await greeted(t, balancer)).by, 'two');
  await startServer(t, 'one', { port: one.port });
  assert.equal((await greeted(t, balancer)).by, 'two');
  balancer.report(one.at, 'healthy');
  assert.equal((await greeted(t, balancer)).by, 'two');
  await two.stop();
  assert.equal((await greeted(t, balancer)).by, 'one');
  assert.deepEqual(changes, [two.at, one.at]);
});

test('while no server is there connections are refused at once; the first that returns serves the next', { timeout }, async (t) => {
  const lines: string[] = [];
  const [one, two] = [await startServer(t, 'one'), await startServer(t, 'two')];
  const { balancer } = await startBalancer(t, [one.at, two.at], { log: createLog({ write: (line) => lines.push(line) }) });
  await Promise.all([one.stop(), two.stop()]);
  for (let at = 0; at < 3; at++) {
    const begun = performance.now();
    assert.equal(await startClient(t, balancer).closed, 'ECONNRESET');
    assert.ok(performance.now() - begun < 200);
  }
  assert.equal(lines.filter((line) => line.includes('does not accept')).length, 2, lines.join(''));
  await startServer(t, 'two', { port: two.port });
  assert.equal((await greeted(t, balancer)).by, 'two');
  assert.equal(balancer.active(), two.at);
});

test('a changed list closes the connections to servers that are gone, and no others', { timeout }, async (t) => {
  const [one, two, three] = [await startServer(t, 'one'), await startServer(t, 'two'), await startServer(t, 'three')];
  const { balancer, changes } = await startBalancer(t, [one.at, two.at]);
  const first = await greeted(t, balancer);
  balancer.setServers([three.at, one.at]);
  assert.equal((await greeted(t, balancer)).by, 'one', 'the active one stays though it is no longer the first');
  balancer.setServers([three.at, two.at]);
  assert.equal(await first.closed, 'ECONNRESET');
  const second = await greeted(t, balancer);
  assert.equal(second.by, 'three');
  balancer.setServers([two.at, three.at]);
  second.socket.write('goes on');
  assert.equal(await second.next(), 'goes on');
  assert.deepEqual(changes, [three.at]);
  balancer.setServers([]);
  await second.closed;
  assert.equal(balancer.active(), undefined);
  assert.equal(await startClient(t, balancer).closed, 'ECONNRESET');
  balancer.setServers([two.at]);
  assert.equal((await greeted(t, balancer)).by, 'two');
});

test('a connection that waits for a server when the list changes goes to one of the new list', { timeout }, async (t) => {
  const [one, two] = [await startProcess(t, 'one', { backlog: 1 }), await startServer(t, 'two')];
  await one.signal('SIGSTOP');
  const fillers = await fillBacklog(t, one.port);
  const { balancer } = await startBalancer(t, [one.at]);
  const client = startClient(t, balancer);
  await once(client.socket, 'connect');
  balancer.setServers([two.at]);
  for (const filler of fillers) filler.destroy();
  await one.signal('SIGCONT');
  assert.equal(await client.next(), 'two');
  assert.equal((await greeted(t, balancer)).by, 'two');
});

test('each half of a connection closes by itself, and a break is passed on as one', { timeout }, async (t) => {
  const met: Socket[] = [];
  const server = await startServer(t, '', { serve: (socket) => met.push(socket) });
  const { balancer } = await startBalancer(t, [server.at]);
  const meet = async (): Promise<readonly [Client, Socket]> => {
    const client = startClient(t, balancer);
    client.socket.write('hello');
    while (met.length === 0) await new Promise((resolve) => setImmediate(resolve));
    const socket = met.pop() as Socket;
    await once(socket, 'data');
    return [client, socket];
  };

  const [asking, answering] = await meet();
  asking.socket.end();
  await once(answering.resume(), 'end');
  answering.end('the answer');
  assert.equal(await asking.next(), 'the answer');
  assert.equal(await asking.closed, undefined);

  const [listening, saying] = await meet();
  saying.end();
  await once(listening.socket, 'end');
  listening.socket.write('and still');
  assert.equal(String((await once(saying, 'data'))[0]), 'and still');

  const [client, breaking] = await meet();
  breaking.resetAndDestroy();
  assert.equal(await client.closed, 'ECONNRESET');

  const [broken, served] = await meet();
  broken.socket.resetAndDestroy();
  const [error] = await once(served, 'error');
  assert.equal(error.code, 'ECONNRESET');
});

test('large data arrive as they were sent, and a reader that is stuck stops the sender', { timeout }, async (t) => {
  const block = randomBytes(MiB);
  let taken = 0;
  const endless = await startServer(t, '', {
    serve: (socket) => {
      const more = (): void => {
        socket.write(block, (error) => {
          if (error) return;
          taken += block.length;
          more();
        });
      };
      more();
    },
  });
  const stuck = connect((await startBalancer(t, [endless.at])).balancer.address);
  t.after(() => stuck.destroy());
  stuck.pause();

  const echoing = await startServer(t, '', { serve: (socket) => socket.pipe(socket) });
  const echo = connect((await startBalancer(t, [echoing.at])).balancer.address);
  t.after(() => echo.destroy());
  const [sent, received] = [createHash('sha256'), createHash('sha256')];
  Readable.from(Array.from({ length: 100 }, () => block))
    .on('data', (chunk) => sent.update(chunk))
    .pipe(echo);
  let bytes = 0;
  for await (const chunk of echo) {
    received.update(chunk);
    bytes += chunk.length;
  }
  assert.equal(bytes, 100 * MiB);
  assert.equal(received.digest('hex'), sent.digest('hex'));
  assert.ok(taken < 32 * MiB, `${taken} bytes were taken for a stuck reader`);
});

test('a taken port is told by name, and a list that is none is refused', { timeout }, async (t) => {
  const { balancer } = await startBalancer(t, []);
  await assert.rejects(startBalancer(t, [], { listen: balancer.address }), { code: 'port-taken' });
  await assert.rejects(startBalancer(t, ['no-port']), /"no-port" is not host:port/);
  assert.throws(() => balancer.setServers(['127.0.0.1:0']), /is not host:port/);
});

test('ends with its life: connections break and the port is free', { timeout }, async (t) => {
  const server = await startServer(t, 'one');
  const { balancer, life } = await startBalancer(t, [server.at]);
  const client = await greeted(t, balancer);
  await life.end();
  assert.equal(await client.closed, 'ECONNRESET');
  await startBalancer(t, [], { listen: balancer.address });
});

/** Connects to a halted server until its kernel takes no more. */
async function fillBacklog(t: TestContext, port: number): Promise<readonly Socket[]> {
  const sockets: Socket[] = [];
  for (;;) {
    const socket = connect({ port, host: '127.0.0.1' });
    sockets.push(socket);
    t.after(() => socket.destroy());
    socket.on('error', () => undefined);
    const full = AbortSignal.timeout(150);
    const taken = await once(socket, 'connect', { signal: full }).then(
      () => true,
      () => false,
    );
    if (!taken) return sockets;
  }
}
