import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer as createHttpServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer, type Server } from 'node:https';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Duplex, duplexPair } from 'node:stream';
import { after, before, it, type TestContext } from 'node:test';
import { forward } from './http-forward.ts';
import { readFraming } from './http-framing.ts';
import { forwardUpgrade } from './http-upgrade.ts';
import { createUpstream, type Upstream } from './http-upstream.ts';

let ca = '';
let behind: Server;
const sockets = new Set<unknown>();

before(async () => {
  const folder = mkdtempSync(join(tmpdir(), 'rfo-proxy-'));
  const [key, cert] = [join(folder, 'key'), join(folder, 'cert')];
  const names = ['-subj', '/CN=behind', '-addext', 'subjectAltName=DNS:behind'];
  execFileSync(
    'openssl',
    [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-days',
      '2',
      ...names,
      '-keyout',
      key,
      '-out',
      cert,
    ],
    { stdio: 'pipe' },
  );
  ca = readFileSync(cert, 'utf8');
  behind = createHttpsServer({ cert: ca, key: readFileSync(key) });
  rmSync(folder, { recursive: true });
  behind.on('secureConnection', (socket) => sockets.add(socket));
  await once(behind.listen(0, '127.0.0.1'), 'listening');
});
after(async () => {
  behind.close();
  behind.closeAllConnections();
  await once(behind, 'close');
});

/** `js`: a stream that is no socket, as a tunnel gives them. */
function startUpstream(t: TestContext, kind: 'tcp' | 'js'): { readonly upstream: Upstream; readonly dialled: () => number } {
  let count = 0;
  const { port } = behind.address() as AddressInfo;
  const life = new AbortController();
  const upstream = createUpstream({
    signal: life.signal,
    connect: async () => {
      count++;
      const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
      await once(socket, 'connect');
      return {
        stream: kind === 'tcp' ? socket : asDuplex(socket),
        tls: { ca, host: 'behind', servername: 'behind' },
        headers: () => ({ 'x-way': String(count) }),
      };
    },
  });
  t.after(() => {
    life.abort();
    upstream.close();
  });
  return { upstream, dialled: () => count };
}

function asDuplex(socket: Duplex): Duplex {
  const [near, far] = duplexPair();
  far.pipe(socket).pipe(far);
  for (const each of [far, near, socket]) each.on('error', () => undefined);
  near.once('close', () => socket.destroy());
  socket.once('close', () => far.destroy());
  return near;
}

/** A proxy in front of it; gives its port, and what became of each request. */
async function startProxy(t: TestContext, upstream: Upstream): Promise<{ readonly port: number; readonly outcome: Promise<unknown> }> {
  const outcome = Promise.withResolvers<unknown>();
  const never = new AbortController().signal;
  const server = createHttpServer({ keepAliveTimeout: 1 });
  const onAnswer = (answer: IncomingMessage) =>
    answer.headers['content-length'] === undefined ? {} : { 'content-length': answer.headers['content-length'] };
  server.on('request', (request, response) => {
    const framing = readFraming(request);
    assert.ok('kind' in framing);
    const gone = new AbortController();
    response.once('close', () => gone.abort(new Error('gone')));
    forward({
      request,
      response,
      upstream,
      path: request.url ?? '',
      headers: { host: 'behind' },
      framing,
      signal: gone.signal,
      onAnswer,
    }).then(outcome.resolve, (error: unknown) => {
      outcome.resolve(error);
      if (response.headersSent) response.destroy();
      else response.writeHead(502).end(String(error));
    });
  });
  server.on('upgrade', (request, socket, head) => {
    const parts = {
      request,
      socket,
      head,
      upstream,
      path: request.url ?? '',
      headers: { host: 'behind' },
      protocol: 'test/1',
      signal: never,
      onAnswer,
    };
    forwardUpgrade(parts).then(outcome.resolve, (error: unknown) => {
      outcome.resolve(error);
      socket.destroy();
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return { port: (server.address() as AddressInfo).port, outcome: outcome.promise };
}

function serve(t: TestContext, handler: (request: IncomingMessage, response: ServerResponse) => void): void {
  behind.on('request', handler);
  t.after(() => behind.off('request', handler));
}

async function get(port: number, path = '/'): Promise<IncomingMessage> {
  const outgoing = httpRequest({ port, host: '127.0.0.1', path, agent: false }).end();
  const [answer] = (await once(outgoing, 'response')) as [IncomingMessage];
  return answer;
}

async function textOf(answer: IncomingMessage): Promise<string> {
  return Buffer.concat((await Array.fromAsync(answer)) as Buffer[]).toString();
}

const large = Buffer.alloc(3 * 1024 * 1024, 'x');

for (const kind of ['tcp', 'js'] as const) {
  it(`gives all of an answer to a slow reader when the server closes behind it (${kind})`, async (t) => {
    const { upstream } = startUpstream(t, kind);
    const { port } = await startProxy(t, upstream);
    serve(t, (_, response) => void response.writeHead(200, { 'content-length': large.length, 'connection': 'close' }).end(large));
    const answer = await get(port);
    answer.pause();
    // The server has said everything and is gone before anything is read.
    await once(answer, 'readable');
    assert.equal((await textOf(answer)).length, large.length);
  });

  it(`gives all of an upgraded connection to a slow reader, both ways (${kind})`, async (t) => {
    const { upstream } = startUpstream(t, kind);
    const { port, outcome } = await startProxy(t, upstream);
    const heard = Promise.withResolvers<number>();
    behind.once('upgrade', (_, socket) => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: test/1\r\n\r\n');
      socket.end(large);
      let bytes = 0;
      socket.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
      });
      socket.on('error', () => undefined).once('close', () => heard.resolve(bytes));
    });
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    socket.write('GET / HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: test/1\r\n\r\nearly');
    await once(socket, 'readable');
    const all = Buffer.concat((await Array.fromAsync(socket)) as Buffer[]);
    socket.destroy();
    assert.equal(all.length - all.indexOf('\r\n\r\n') - 4, large.length);
    assert.ok((await heard.promise) >= 5);
    assert.equal(await outcome, 101);
  });
}

it('breaks the answer off where the server does', async (t) => {
  const { upstream } = startUpstream(t, 'tcp');
  const { port, outcome } = await startProxy(t, upstream);
  serve(t, (_, response) => {
    response.writeHead(200, { 'content-length': '100' }).write('half');
    setImmediate(() => response.socket?.destroy());
  });
  await assert.rejects(textOf(await get(port)), { code: 'ECONNRESET' });
  assert.ok((await outcome) instanceof Error);
});

it('sends a request without a body again when the server had closed a connection that was kept', async (t) => {
  const { upstream, dialled } = startUpstream(t, 'tcp');
  const { port } = await startProxy(t, upstream);
  let served = 0;
  const seen = new WeakSet<object>();
  serve(t, (request, response) => {
    served++;
    // The second request on a connection meets its end.
    if (seen.has(request.socket)) return void request.socket.destroy();
    seen.add(request.socket);
    response.end('ok');
  });
  assert.equal(await textOf(await get(port)), 'ok');
  assert.equal(await textOf(await get(port)), 'ok');
  assert.deepEqual([served, dialled()], [3, 2]);
  const posted = httpRequest({ port, host: '127.0.0.1', method: 'POST', agent: false }).end('x');
  const [answer] = (await once(posted, 'response')) as [IncomingMessage];
  assert.equal(answer.statusCode, 502, 'what may have been done is not done again');
});

it('adds what belongs to the connection, and does not use one again on which an answer came before the request was through', async (t) => {
  const { upstream, dialled } = startUpstream(t, 'tcp');
  const { port } = await startProxy(t, upstream);
  serve(t, (request, response) => void response.end(String(request.headers['x-way'])));
  assert.equal(await textOf(await get(port)), '1');
  const early = httpRequest({ port, host: '127.0.0.1', method: 'POST', agent: false, headers: { 'content-length': '1000000' } });
  early.on('error', () => undefined).write('begun');
  const [answer] = (await once(early, 'response')) as [IncomingMessage];
  assert.equal(await textOf(answer), '1');
  assert.equal(answer.headers.connection, 'close');
  early.destroy();
  assert.equal(await textOf(await get(port)), '2');
  assert.equal(dialled(), 2);
});

it('finishes on a connection that was in use when all of before were dropped, and does not use it again', async (t) => {
  const { upstream, dialled } = startUpstream(t, 'tcp');
  const { port } = await startProxy(t, upstream);
  serve(t, (request, response) => {
    if (request.url === '/first') upstream.dropIdle();
    response.end(String(request.headers['x-way']));
  });
  assert.equal(await textOf(await get(port, '/first')), '1');
  for (const _ of [1, 2]) assert.equal(await textOf(await get(port, '/later')), '2');
  assert.equal(dialled(), 2);
});

it('does not speak to a server that cannot show who it is', async (t) => {
  const { port } = behind.address() as AddressInfo;
  const connections = sockets.size;
  const wrong = createUpstream({
    signal: new AbortController().signal,
    connect: async () => {
      const stream = connect({ port, host: '127.0.0.1' });
      return { stream, tls: { ca, host: 'another', servername: 'another' }, headers: () => ({ authorization: 'secret' }) };
    },
  });
  t.after(() => wrong.close());
  const proxy = await startProxy(t, wrong);
  const answer = await get(proxy.port);
  assert.equal(answer.statusCode, 502);
  assert.match(await textOf(answer), /another.*is not|altname/i);
  assert.ok(sockets.size >= connections);
});
