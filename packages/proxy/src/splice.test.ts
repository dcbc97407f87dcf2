import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type ListenOptions, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Duplex } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { breakOff, splice } from './splice.ts';

/** Both ends of a connection. */
async function pair(t: TestContext, kind: 'tcp' | 'unix'): Promise<{ near: Socket; far: Socket }> {
  const server = createServer({ allowHalfOpen: true });
  const at: ListenOptions = kind === 'tcp' ? { host: '127.0.0.1', port: 0 } : { path: join(await folder(t), 'socket') };
  await once(server.listen(at), 'listening');
  const address = server.address() as AddressInfo | string;
  const near = connect({
    ...(typeof address === 'string' ? { path: address } : { port: address.port, host: '127.0.0.1' }),
    allowHalfOpen: true,
  });
  const [far] = (await once(server, 'connection')) as [Socket];
  server.close();
  t.after(() => {
    near.on('error', () => undefined).destroy();
    far.on('error', () => undefined).destroy();
  });
  return { near, far };
}

/** All of it; the other direction stays open, which it does not with `node:stream/consumers`. */
async function heard(socket: Socket): Promise<string> {
  let said = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    said += chunk;
  });
  await once(socket, 'end');
  return said;
}

async function folder(t: TestContext): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'rfo-splice-'));
  t.after(() => rm(made, { recursive: true }));
  return made;
}

for (const kind of ['tcp', 'unix'] as const) {
  test(`${kind}: each half of a connection ends by itself`, async (t) => {
    const [client, server] = [await pair(t, kind), await pair(t, 'tcp')];
    splice(client.far, server.near);
    client.near.end('question');
    assert.equal(await heard(server.far), 'question');
    server.far.end('answer');
    assert.equal(await heard(client.near), 'answer');
  });

  test(`${kind}: a server that breaks breaks its client's connection`, async (t) => {
    const [client, server] = [await pair(t, kind), await pair(t, 'tcp')];
    splice(client.far, server.near);
    const broken = once(client.near.resume(), 'error');
    const gone = once(client.far, 'close');
    server.far.resetAndDestroy();
    await gone;
    // Nobody is there any more: what is still said fails.
    client.near.write('more');
    assert.match(String(await broken), /ECONNRESET|EPIPE/);
  });

  test(`${kind}: a client that leaves without a word breaks the connection to the server`, async (t) => {
    const [client, server] = [await pair(t, kind), await pair(t, 'tcp')];
    splice(client.far, server.near);
    server.far.resume();
    const error = once(server.far, 'error');
    server.far.write('a');
    await once(client.near, 'readable');
    breakOff(client.near);
    const answering = setInterval(() => server.far.write('b'), 10);
    t.after(() => clearInterval(answering));
    assert.match(String(await error), /ECONNRESET|EPIPE/);
  });
}

test('what was said before a break is still delivered', async (t) => {
  const server = await pair(t, 'tcp');
  const stream = new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done(new Error('hears nothing more')) });
  splice(stream, server.near);
  stream.push('last words');
  stream.push(null);
  await once(stream, 'end');
  server.far.write('too late');
  assert.equal(await heard(server.far), 'last words');
  assert.ok(stream.destroyed);
});
