import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { buffer } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { TLSSocket } from 'node:tls';
import type { Tunnel } from './accept-tunnel.ts';
import { startHop, startProxy, startServer } from './hops.testing.ts';
import { ProxyProblem, proxyFromEnvironment } from './http-proxy.ts';
import type { KeepTunnelOptions } from './keep-tunnel.ts';
import { type CreateService, readBody, readJsonLines } from './service.ts';
import { all, closedPort, issue, startKeeper, startTarget } from './test-support.ts';
import { UpgradeRefused } from './upgrade-refused.ts';

const timeout = 60_000;
const websocket = () => ({ path: '/connect', headers: { authorization: 'Bearer secret' } });
/** A machine that is busy must not look like a link that is cut. */
const patient = { within: { connect: 20_000, greet: 20_000 }, suspectAfter: 10_000, lostAfter: 20_000, deadAfter: 30_000 };

async function standing(t: TestContext, port: number, options: Partial<KeepTunnelOptions> = {}) {
  return startKeeper(t, port, { ...patient, websocket, ...options });
}

async function echoes(t: TestContext, tunnel: Tunnel): Promise<void> {
  const stream = await tunnel.connect(await startTarget(t, (socket) => socket.pipe(socket)));
  const read = all(stream);
  stream.end('there and back');
  assert.equal(String(await read), 'there and back');
}

test('a server that lets the protocol through gets no WebSocket', { timeout }, async (t) => {
  const server = await startServer(t);
  await standing(t, server.port);
  const { tunnel, carrier } = await server.next();
  assert.ok(carrier instanceof TLSSocket);
  await echoes(t, tunnel);
  assert.equal(server.upgrades.length, 0);
});

test('a hop that speaks HTTP alone is passed in a WebSocket, by the headers that were asked for', { timeout }, async (t) => {
  const server = await startServer(t);
  const hop = await startHop(t, server.port);
  await standing(t, hop.port);
  const { tunnel, carrier } = await server.next();
  assert.ok(!(carrier instanceof TLSSocket));
  await echoes(t, tunnel);
  const { url, headers } = server.upgrades[0] ?? assert.fail('no upgrade came');
  assert.deepEqual([url, headers.authorization, headers['sec-websocket-extensions']], ['/connect', 'Bearer secret', undefined]);
});

test('what is encrypted is not masked as well', { timeout }, async (t) => {
  const server = await startServer(t);
  const hop = await startHop(t, server.port);
  await standing(t, hop.port);
  await echoes(t, (await server.next()).tunnel);
  const [kind, length = 0, ...rest] = Buffer.concat(server.received);
  assert.deepEqual([kind, length & 0x80], [0x82, 0x80], 'no masked binary message');
  assert.ok((length & 0x7f) < 126, 'the first message is a short one');
  // The key, and behind it the head of a SETTINGS frame (RFC 9113 §6.5) as it is.
  assert.deepEqual([rest.slice(0, 4), rest[7]], [[0, 0, 0, 0], 4]);
});

test('without leave to use WebSockets such a hop is refused', { timeout }, async (t) => {
  const hop = await startHop(t, (await startServer(t)).port);
  const { until } = await startKeeper(t, hop.port, patient);
  assert.match((await until('lost')) ?? '', /no application protocol/);
});

test('many megabytes pass a WebSocket whole in both directions at once', { timeout }, async (t) => {
  const server = await startServer(t);
  const hop = await startHop(t, server.port);
  await standing(t, hop.port);
  const { tunnel } = await server.next();
  const stream = await tunnel.connect(await startTarget(t, (socket) => socket.pipe(socket)));
  const sent = Buffer.alloc(16 * 1024 * 1024, 'abcdefghijklmnopqrstuvwxyz0123456789');
  const read = all(stream);
  stream.end(sent);
  assert.ok(sent.equals(await read));
});

test('a reader who is stuck stops the sender behind the WebSocket, and another stream goes on', { timeout }, async (t) => {
  const server = await startServer(t);
  const hop = await startHop(t, server.port);
  await standing(t, hop.port);
  const { tunnel } = await server.next();
  let sent = 0;
  const stalled = Promise.withResolvers<void>();
  const stuck = await tunnel.connect(
    await startTarget(t, (socket) => {
      const chunk = Buffer.alloc(64 * 1024);
      const send = (): void => {
        while (socket.write(chunk)) sent += chunk.length;
        // What comes to a stop here has come to a stop all the way.
        const timer = setTimeout(stalled.resolve, 500);
        socket.once('drain', () => {
          clearTimeout(timer);
          send();
        });
      };
      send();
    }),
  );
  await stalled.promise;
  // Windows, and what the kernel holds of three connections.
  assert.ok(sent < 48 * 1024 * 1024, `${sent} bytes were taken`);
  await echoes(t, tunnel);
  stuck.destroy();
});

test('a WebSocket that breaks amid many streams is opened again, and all of them fail', { timeout }, async (t) => {
  const server = await startServer(t);
  const hop = await startHop(t, server.port);
  const { until } = await standing(t, hop.port);
  const first = await server.next();
  await until('up');
  const target = await startTarget(t, (socket) => socket.pipe(socket));
  const streams = await Promise.all(Array.from({ length: 8 }, () => first.tunnel.connect(target)));
  const failed = streams.map((stream) => once(stream.resume(), 'error'));
  for (const stream of streams) stream.write(Buffer.alloc(1024 * 1024));
  hop.cut();
  for (const error of await Promise.all(failed)) assert.match(String(error[0]), /tunnel to the node is closed/);
  assert.match((await until('lost')) ?? '', /closed/);
  await until('up');
  await echoes(t, (await server.next()).tunnel);
});

test('the end of the dialling process ends the tunnel at once', { timeout }, async (t) => {
  const server = await startServer(t, { silentAfter: 40_000 });
  const hop = await startHop(t, server.port);
  const program = `import { keepTunnel } from '@rfo/tunnel'; import { Life, silentLog } from '@rfo/foundation';
    keepTunnel({ host: '127.0.0.1', port: ${hop.port}, tls: async () => (${JSON.stringify(await issue('killed'))}), allow: () => true, life: new Life(), log: silentLog,
      websocket: () => ({ path: '/connect', headers: {} }), within: { connect: 20000, greet: 20000 } });`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], { cwd: import.meta.dirname, stdio: 'inherit' });
  const { tunnel } = await server.next();
  const killed = performance.now();
  child.kill('SIGKILL');
  await tunnel.closed;
  assert.ok(performance.now() - killed < 10_000);
});

test('a refused upgrade tells the status and what the server says', { timeout }, async (t) => {
  const server = await startServer(t, { refuse: 'TokenUnknown: no such token' });
  const hop = await startHop(t, server.port);
  const seen = Promise.withResolvers<unknown>();
  await standing(t, hop.port, {
    describe: (error) => {
      seen.resolve(error);
      return 'refused';
    },
  });
  const error = await seen.promise;
  assert.ok(error instanceof UpgradeRefused, String(error));
  assert.deepEqual([error.status, error.text], [401, 'TokenUnknown: no such token']);
});

test('a proxy is asked by CONNECT with its credentials, and the protocol passes it as it is', { timeout }, async (t) => {
  const server = await startServer(t);
  const wanted = `Basic ${Buffer.from('user:pass word').toString('base64')}`;
  const proxy = await startProxy(t, (_, credentials) => (credentials === wanted ? 200 : 407));
  const url = new URL(proxy.url);
  url.username = 'user';
  url.password = 'pass word';
  await standing(t, server.port, { proxy: () => url });
  const { tunnel, carrier } = await server.next();
  assert.ok(carrier instanceof TLSSocket);
  await echoes(t, tunnel);
  assert.deepEqual(proxy.asked, [`127.0.0.1:${server.port}`]);
});

test('a proxy that refuses, and one that is not there, are told apart from a server that is away', { timeout }, async (t) => {
  const server = await startServer(t);
  const refusing = await startProxy(t, () => 403);
  const urls = [refusing.url, new URL(`http://127.0.0.1:${await closedPort()}`)];
  for (const url of urls) {
    const seen = Promise.withResolvers<unknown>();
    const { life } = await standing(t, server.port, {
      proxy: () => url,
      describe: (error) => {
        seen.resolve(error);
        return 'refused';
      },
    });
    const error = await seen.promise;
    assert.ok(error instanceof ProxyProblem, String(error));
    assert.match(error.message, url === refusing.url ? /answers 403 / : /cannot be reached: .*ECONNREFUSED/);
    await life.end();
  }
});

test('the environment names the proxy and the exceptions', () => {
  const environment = { HTTPS_PROXY: 'proxy.example.com:3128', NO_PROXY: '.corp.example.com, 10.0.0.0/8,one.example.org:8443,fd00::/8' };
  const proxyOf = (host: string, port = 443, given: Record<string, string> = environment) =>
    proxyFromEnvironment({ host, port }, given)?.href;
  assert.equal(proxyOf('rfo.example.com'), 'http://proxy.example.com:3128/');
  for (const host of ['rfo.corp.example.com', '10.1.2.3', 'fd00::1', 'localhost', '127.0.0.1', '::1'])
    assert.equal(proxyOf(host), undefined, host);
  assert.equal(proxyOf('11.1.2.3'), 'http://proxy.example.com:3128/');
  assert.equal(proxyOf('one.example.org', 8443), undefined);
  assert.equal(proxyOf('one.example.org', 443), 'http://proxy.example.com:3128/');
  assert.equal(proxyOf('notcorp.example.com'), 'http://proxy.example.com:3128/');
  assert.equal(proxyOf('rfo.example.com', 443, {}), undefined);
  assert.equal(proxyOf('rfo.example.com', 443, { https_proxy: 'https://p:1', no_proxy: '*' }), undefined);
  assert.throws(() => proxyOf('rfo.example.com', 443, { HTTPS_PROXY: 'socks5://p:1' }), /HTTPS_PROXY/);
});

/** Answers `POST /double` with the body twice, and `GET /lines` with lines until the stream ends. */
const service: CreateService = () => ({
  accepted: Promise.resolve(),
  serve: (stream, headers) => {
    if (headers[':path'] === '/lines') {
      stream.respond({ ':status': 200 });
      stream.write('{"line":1}\n{"li');
      stream.end('ne":2}\n');
      return;
    }
    void readBody(stream, { limit: 100 }).then(
      (text) => {
        stream.respond({ ':status': 200 });
        stream.end(text + text);
      },
      () => undefined,
    );
  },
});

test('the accepting end asks the other one itself, over either kind of connection', { timeout }, async (t) => {
  const server = await startServer(t);
  const hop = await startHop(t, server.port);
  for (const port of [server.port, hop.port]) {
    await standing(t, port, { service });
    const { tunnel } = await server.next();
    const answer = await tunnel.ask('/double', { body: 'twice' });
    assert.deepEqual([answer.status, String(await buffer(answer.body))], [200, 'twicetwice']);
    await assert.rejects(tunnel.ask('/double', { body: 'x'.repeat(200) }), { code: 'tunnel-closed' });
    const lines: unknown[] = [];
    for await (const line of readJsonLines((await tunnel.ask('/lines')).body, { limit: 100 })) lines.push(line);
    assert.deepEqual(lines, [{ line: 1 }, { line: 2 }]);
  }
});

test('a connection counts only when the service has accepted the other end', { timeout }, async (t) => {
  const server = await startServer(t);
  const { promise: accepted, reject } = Promise.withResolvers<void>();
  const { until } = await standing(t, server.port, { service: () => ({ accepted, serve: () => reject(new Error('not for us')) }) });
  const { tunnel } = await server.next();
  await assert.rejects(tunnel.ask('/'), { code: 'tunnel-closed' });
  assert.equal(await until('lost'), 'not for us');
  await tunnel.closed;
});

test('a request that nobody answers ends with its signal, and with the tunnel', { timeout }, async (t) => {
  const server = await startServer(t);
  await standing(t, server.port, { service: () => ({ accepted: Promise.resolve(), serve: () => undefined }) });
  const { tunnel } = await server.next();
  await assert.rejects(tunnel.ask('/', { signal: AbortSignal.timeout(50) }), { name: 'TimeoutError' });
  const waiting = assert.rejects(tunnel.ask('/'), { code: 'tunnel-closed' });
  tunnel.close();
  await waiting;
  await assert.rejects(tunnel.ask('/'), { code: 'tunnel-closed' });
});
