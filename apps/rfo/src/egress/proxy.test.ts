import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, stat, writeFile } from 'node:fs/promises';
import { connect as connectUnix, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { buffer, text } from 'node:stream/consumers';
import { it, type TestContext } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { Life, silentLog } from '@rfo/foundation';
import { connectThrough } from './connect.testing.ts';
import { createConnect } from './connect.ts';
import { listenTcp, startTestServer } from './nodes.testing.ts';
import { startConnectProxy } from './proxy.ts';
import { buildRoutes, decide, type NodeFacts } from './routes.ts';

/** A server with its socket; the nodes have kubelets on the given ports of loopback and addresses that nobody answers on. */
async function setUp(t: TestContext, kubelets: Readonly<Record<string, number>>, more: { readonly returnWithin?: number } = {}) {
  const server = await startTestServer(t, more);
  const nodes = Object.entries(kubelets).map(
    ([name, kubeletPort]): NodeFacts => ({ name, addresses: [name], podCidrs: ['127.9.0.0/24'], kubeletPort }),
  );
  const routes = buildRoutes(nodes);
  const path = server.paths.egressSocket;
  const start = async (life: Life): Promise<void> => {
    const route = async (target: { host: string; port: number }) => decide(routes, { target, mode: 'pod', ownNode: 'server-1' });
    await startConnectProxy({ path, connect: createConnect({ route, tunnels: server.tunnels, log: silentLog }), life, log: silentLog });
  };
  await start(server.life);
  return { ...server, path, start, connect: (target: string) => connectThrough(path, target) };
}

const echo = (socket: Socket): void => void socket.pipe(socket);
const all = (): boolean => true;

/** Resolves when the other side of a Unix socket has gone altogether: there are no resets, but nothing can be written either. */
async function brokenOff(socket: Socket): Promise<void> {
  await once(socket.resume(), 'end');
  socket.write('anybody there?');
  await once(socket, 'error');
}

it('carries a connection to a kubelet through the tunnel of its node, each half closing by itself', async (t) => {
  const port = await listenTcp(t, (socket) => {
    let said = '';
    socket.on('data', (chunk) => {
      said += String(chunk);
    });
    socket.once('end', () => socket.end(`you said ${said}`));
  });
  const { connect, keep } = await setUp(t, { 'agent-1.invalid': port });
  await keep('agent-1.invalid', ({ host }) => host === '127.0.0.1');
  const socket = await connect(`agent-1.invalid:${port}`);
  socket.end('hello');
  assert.equal(await text(socket), 'you said hello');
});

it('carries what no tunnel leads to directly', async (t) => {
  const port = await listenTcp(t, echo);
  const { connect } = await setUp(t, {});
  const socket = await connect(`127.0.0.1:${port}`);
  socket.end('hello');
  assert.equal(await text(socket), 'hello');
});

it('carries much in both directions at once, byte for byte, to a reader that is slow', async (t) => {
  const port = await listenTcp(t, echo);
  const { connect, keep } = await setUp(t, { 'agent-1.invalid': port });
  await keep('agent-1.invalid', all);
  for (const target of [`agent-1.invalid:${port}`, `127.0.0.1:${port}`]) {
    const socket = await connect(target);
    const sent = Buffer.alloc(24 * 1024 * 1024, Buffer.from(Array.from({ length: 251 }, (_, index) => index)));
    socket.end(sent);
    // It reads nothing until all buffers on the way are full.
    await once(socket, 'readable');
    assert.ok(socket.writableLength > 0, 'all was taken in at once: nobody pushes back');
    assert.ok((await buffer(socket)).equals(sent));
  }
});

it('does not let a reader who is stuck slow its neighbours', async (t) => {
  const port = await listenTcp(t, echo);
  const { connect, keep } = await setUp(t, { 'agent-1.invalid': port });
  await keep('agent-1.invalid', all);
  const stuck = await connect(`agent-1.invalid:${port}`);
  stuck.write(Buffer.alloc(32 * 1024 * 1024));
  await once(stuck, 'readable');
  const lively = await connect(`agent-1.invalid:${port}`);
  const sent = Buffer.alloc(8 * 1024 * 1024, 'x');
  lively.end(sent);
  assert.equal((await buffer(lively)).length, sent.length);
  assert.ok(stuck.writableLength > 0);
  stuck.destroy();
});

it('passes a break on as a break, in both directions', async (t) => {
  let accept: (socket: Socket) => void = () => undefined;
  const port = await listenTcp(t, (socket) => accept(socket));
  const { connect, keep } = await setUp(t, { 'agent-1.invalid': port });
  await keep('agent-1.invalid', all);
  const open = async (target: string): Promise<{ near: Socket; far: Socket }> => {
    const accepted = new Promise<Socket>((resolve) => {
      accept = resolve;
    });
    const near = await connect(target);
    return { near, far: await accepted };
  };
  for (const target of [`agent-1.invalid:${port}`, `127.0.0.1:${port}`]) {
    const left = await open(target);
    left.near.destroy();
    await once(left.far.resume(), 'end');
    const broken = once(left.far, 'error');
    // It has heard an end of input, not yet that nobody listens: that shows when it says something.
    while (!left.far.destroyed) {
      left.far.write('more');
      await setImmediate();
    }
    assert.match(String(await broken), /ECONNRESET|EPIPE/, target);

    const right = await open(target);
    right.far.resetAndDestroy();
    await brokenOff(right.near);
  }
});

it('breaks the streams of a tunnel that breaks, and serves the next ones by the one that replaces it', async (t) => {
  const port = await listenTcp(t, echo);
  const { connect, keep, breakAll, tunnels } = await setUp(t, { 'agent-1.invalid': port });
  await keep('agent-1.invalid', all);
  const socket = await connect(`agent-1.invalid:${port}`);
  breakAll();
  await brokenOff(socket);
  assert.equal(tunnels.newest('agent-1.invalid'), undefined);
  // Asked before the node has come back: waits for it.
  const next = await connect(`agent-1.invalid:${port}`);
  next.end('again');
  assert.equal(await text(next), 'again');
});

it('says in the status line that there is no tunnel and why the direct way failed too', async (t) => {
  const { connect } = await setUp(t, { '127.0.0.3': 1 }, { returnWithin: 0 });
  await assert.rejects(connect('127.0.0.3:1'), {
    message:
      'proxy error while dialing 127.0.0.3:1, code 503 no tunnel from node 127.0.0.3, and dialling 127.0.0.3:1 directly failed: connect ECONNREFUSED 127.0.0.3:1. Check that rfo runs on 127.0.0.3 and reaches port 9345 of every server.',
  });
});

it('dials a node without a tunnel directly', async (t) => {
  const port = await listenTcp(t, echo);
  const { connect } = await setUp(t, { '127.0.0.1': port });
  const socket = await connect(`127.0.0.1:${port}`);
  socket.end('hello');
  assert.equal(await text(socket), 'hello');
});

it('dials directly what the node does not let through its tunnel', async (t) => {
  const port = await listenTcp(t, echo, '127.9.0.7');
  const { connect, keep } = await setUp(t, { 'agent-1.invalid': 10250 });
  await keep('agent-1.invalid', () => false);
  const socket = await connect(`127.9.0.7:${port}`);
  socket.end('hello');
  assert.equal(await text(socket), 'hello');
  await assert.rejects(
    connect('127.9.0.8:1'),
    /503 the tunnel of node agent-1\.invalid failed \(.*\), and dialling 127\.9\.0\.8:1 directly failed/,
  );
});

it('says what the node found when it cannot reach the target', async (t) => {
  const { connect, keep } = await setUp(t, { 'agent-1.invalid': 1 });
  await keep('agent-1.invalid', all);
  await assert.rejects(
    connect('agent-1.invalid:1'),
    /502 node agent-1\.invalid cannot reach agent-1\.invalid:1: .*ECONNREFUSED 127\.0\.0\.1:1/,
  );
});

it('says why a target that it dialled itself cannot be reached', async (t) => {
  const { connect } = await setUp(t, {});
  await assert.rejects(connect('127.0.0.1:1'), /502 127\.0\.0\.1:1 cannot be reached: connect ECONNREFUSED/);
  await assert.rejects(connect('nowhere.invalid:443'), /502 nowhere\.invalid:443 cannot be reached: getaddrinfo/);
  await assert.rejects(connect('nonsense'), /400 not host:port: nonsense/);
});

it('is for root alone, replaces what a dead process left, and is gone at the end', async (t) => {
  const { paths, path, life, start } = await setUp(t, {});
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  await life.end();
  assert.equal(existsSync(path), false);
  await mkdir(dirname(paths.egressSocket), { recursive: true });
  await writeFile(path, 'left over');
  const next = new Life();
  t.after(() => next.end());
  await start(next);
  assert.ok((await stat(path)).isSocket());
  const port = await listenTcp(t, echo);
  (await connectThrough(path, `127.0.0.1:${port}`)).destroy();
});

it('refuses anything but CONNECT', async (t) => {
  const { path } = await setUp(t, {});
  const socket = connectUnix({ path });
  socket.write('GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n');
  assert.match(await text(socket), /^HTTP\/1\.1 405 /);
});
