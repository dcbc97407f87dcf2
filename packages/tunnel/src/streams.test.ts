import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { Duplex, Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { test } from 'node:test';
import { connect, createServer } from 'node:tls';
import { acceptTunnel } from './accept-tunnel.ts';
import { all, closedPort, issue, listen, standingTunnel, startTarget } from './test-support.ts';

const MiB = 1024 * 1024;
const timeout = 60_000;

test('50 MB come back from a target as they were sent', { timeout }, async (t) => {
  const { tunnel } = await standingTunnel(t);
  const stream = await tunnel.connect(await startTarget(t, (socket) => socket.pipe(socket)));
  const block = randomBytes(MiB);
  const [sent, received] = [createHash('sha256'), createHash('sha256')];
  const blocks = function* (): Generator<Buffer> {
    for (let at = 0; at < 50; at++) {
      block.writeUInt32LE(at);
      sent.update(block);
      yield Buffer.from(block);
    }
  };
  const sending = pipeline(Readable.from(blocks()), stream, { end: true });
  let bytes = 0;
  for await (const chunk of stream) {
    received.update(chunk);
    bytes += chunk.length;
  }
  await sending;
  assert.equal(bytes, 50 * MiB);
  assert.equal(received.digest('hex'), sent.digest('hex'));
});

test('500 streams run at once, each with its own bytes', { timeout }, async (t) => {
  const { tunnel } = await standingTunnel(t);
  let most = 0;
  let open = 0;
  const full = Promise.withResolvers<void>();
  const target = await startTarget(t, (socket) => {
    most = Math.max(most, ++open);
    if (open === 500) full.resolve();
    socket.on('close', () => open--);
    socket.pipe(socket);
  });
  await Promise.all(
    Array.from({ length: 500 }, async () => {
      const stream = await tunnel.connect(target);
      const own = randomBytes(100_000);
      await full.promise;
      stream.end(own);
      assert.ok(own.equals(await buffer(stream)));
    }),
  );
  assert.equal(most, 500);
});

test('stuck readers hold a bounded number of bytes each, and their neighbour gets everything', { timeout }, async (t) => {
  const { tunnel } = await standingTunnel(t);
  const endless = Buffer.alloc(64 * 1024);
  const sent: number[] = [];
  const source = await startTarget(t, (socket) => {
    const at = sent.push(0) - 1;
    const more = (): void => {
      do sent[at] = (sent[at] ?? 0) + endless.length;
      while (socket.write(endless));
    };
    socket.on('drain', more);
    more();
  });
  // Together their windows are larger than that of the tunnel.
  const stuck = await Promise.all(Array.from({ length: 32 }, () => tunnel.connect(source)));
  const finite = await startTarget(t, (socket) => socket.end(Buffer.alloc(100 * MiB)));
  let bytes = 0;
  for await (const chunk of await tunnel.connect(finite)) bytes += chunk.length;
  assert.equal(bytes, 100 * MiB);
  // What a socket pair of the kernel holds is its own; the tunnel may take a window and some buffers more.
  assert.equal(sent.length, stuck.length);
  const held = Math.max(...sent);
  assert.ok(held < 24 * MiB, `${held} bytes were taken for a stuck reader`);
  const before = [...sent];
  for await (const chunk of await tunnel.connect(finite)) bytes -= chunk.length;
  assert.equal(bytes, 0);
  assert.deepEqual(sent, before, 'more was taken although nobody reads');
  for (const stream of stuck) stream.destroy();
});

test('a target that does not read stops the sender, and its neighbour goes on', { timeout }, async (t) => {
  const { tunnel } = await standingTunnel(t);
  const stuck = await tunnel.connect(await startTarget(t, (socket) => socket.pause()));
  let sent = 0;
  const stopped = Promise.withResolvers<void>();
  const more = (): void => {
    sent += MiB;
    // Written one by one, each when the one before was taken: what is never taken was the last.
    stuck.write(Buffer.alloc(MiB), (error) => {
      if (error) return;
      if (sent > 64 * MiB) stopped.reject(new Error('64 MiB were taken for a stuck target'));
      else more();
    });
  };
  more();
  const echo = await tunnel.connect(await startTarget(t, (socket) => socket.pipe(socket)));
  echo.end(Buffer.alloc(50 * MiB));
  assert.equal((await Promise.race([buffer(echo), stopped.promise]))?.length, 50 * MiB);
  stuck.destroy();
});

test('each half of a stream closes by itself', { timeout }, async (t) => {
  const { tunnel } = await standingTunnel(t);
  const answersAtTheEnd = await startTarget(t, (socket) => {
    void all(socket).then((bytes) => socket.end(`got ${bytes.length}`));
  });
  const first = await tunnel.connect(answersAtTheEnd);
  first.end('question');
  assert.equal(String(await all(first)), 'got 8');

  const heard = Promise.withResolvers<string>();
  const saysAllAtOnce = await startTarget(t, (socket) => {
    socket.end('all that I say');
    void all(socket).then((bytes) => heard.resolve(String(bytes)));
  });
  const second = await tunnel.connect(saysAllAtOnce);
  assert.equal(String(await all(second)), 'all that I say');
  second.write('and still ');
  second.end('I listen');
  assert.equal(await heard.promise, 'and still I listen');
});

test('a stream that is given up breaks the connection to the target instead of finishing it', { timeout }, async (t) => {
  const { tunnel } = await standingTunnel(t);
  for (const how of ['amid writing', 'after all was read'] as const) {
    const broken = Promise.withResolvers<Error>();
    const target = await startTarget(t, (socket) => {
      socket.on('error', broken.resolve);
      socket.on('end', () => broken.reject(new Error('took half of it for all')));
      socket.resume();
      if (how === 'after all was read') socket.end('all');
    });
    const stream = await tunnel.connect(target);
    stream.write('half of it');
    if (how === 'after all was read') await all(stream);
    stream.destroy();
    assert.match(String(await broken.promise), /ECONNRESET/);
  }
});

test('a target that breaks is no end of its stream', { timeout }, async (t) => {
  const { tunnel } = await standingTunnel(t);
  const target = await startTarget(t, (socket) => {
    socket.write('half of it');
    socket.once('data', () => socket.resetAndDestroy());
  });
  const stream = await tunnel.connect(target);
  await once(stream, 'data');
  stream.write('go');
  await assert.rejects(all(stream), /Stream closed with error code/);
});

test('what a target said before it broke arrives whole', { timeout }, async (t) => {
  const said = Promise.withResolvers<void>();
  const broken = Promise.withResolvers<void>();
  const reach = (): Duplex => {
    const far = new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done(new Error('hears nothing more')) });
    far.once('end', said.resolve).once('close', broken.resolve);
    far.push(Buffer.alloc(100_000));
    far.push(null);
    process.nextTick(() => far.emit('connect'));
    return far;
  };
  const { tunnel } = await standingTunnel(t, { reach });
  const stream = await tunnel.connect({ host: 'target', port: 1 });
  const aborted = once(stream, 'aborted');
  await said.promise;
  stream.write('and another thing');
  await broken.promise;
  await aborted;
  assert.equal((await all(stream)).length, 100_000);
});

test('a tunnel stands however many streams are given up', { timeout }, async (t) => {
  const { tunnel } = await standingTunnel(t);
  const target = await startTarget(t, (socket) => socket.resume());
  for (let round = 0; round < 15; round++) {
    for (const stream of await Promise.all(Array.from({ length: 100 }, () => tunnel.connect(target)))) stream.destroy();
  }
  const last = await tunnel.connect(await startTarget(t, (socket) => socket.end('stands')));
  assert.equal(String(await all(last)), 'stands');
});

test('a socket that something was just written to is refused: HTTP/2 on it would end the process', { timeout }, async (t) => {
  const refused = Promise.withResolvers<void>();
  const credentials = await issue('server', 'IP:127.0.0.1');
  const server = createServer(credentials, (socket) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\n\r\n');
    try {
      assert.throws(() => acceptTunnel(socket), /nothing was written to/);
      refused.resolve();
    } catch (error) {
      refused.reject(error);
    }
  });
  const client = connect({ host: '127.0.0.1', port: await listen(t, server), ca: credentials.ca });
  t.after(() => client.destroy());
  await refused.promise;
});

test('a target that the node does not allow is refused before anything is connected', { timeout }, async (t) => {
  let connections = 0;
  const target = await startTarget(t, () => connections++);
  const { tunnel } = await standingTunnel(t, { allow: ({ host, port }) => host === '127.0.0.1' && port !== target.port });
  await assert.rejects(tunnel.connect(target), { code: 'tunnel-refused', message: new RegExp(`127\\.0\\.0\\.1:${target.port}`) });
  await assert.rejects(tunnel.connect({ host: '::1', port: 10250 }), { code: 'tunnel-refused', message: /\[::1\]:10250/ });
  assert.equal(connections, 0);
});

test('a target that cannot be reached says why, and the tunnel goes on', { timeout }, async (t) => {
  const { tunnel } = await standingTunnel(t);
  const port = await closedPort();
  await assert.rejects(tunnel.connect({ host: '127.0.0.1', port }), { code: 'tunnel-unreachable', message: /ECONNREFUSED/ });
  const stream = await tunnel.connect(await startTarget(t, (socket) => socket.end('here')));
  assert.equal(String(await buffer(stream)), 'here');
});

test('connecting ends with its signal, and the target hears of it', { timeout }, async (t) => {
  const reached = Promise.withResolvers<void>();
  const given = Promise.withResolvers<void>();
  const never = new Duplex({ read: () => undefined }).on('close', given.resolve);
  const reach = (): Duplex => {
    reached.resolve();
    return never;
  };
  const { tunnel } = await standingTunnel(t, { reach });
  const controller = new AbortController();
  const connecting = tunnel.connect({ host: 'slow', port: 1 }, { signal: controller.signal });
  await reached.promise;
  controller.abort(new Error('not wanted any more'));
  await assert.rejects(connecting, /not wanted any more/);
  await given.promise;
});

test('when the tunnel ends its streams fail, on both sides', { timeout }, async (t) => {
  const broken = Promise.withResolvers<Error>();
  const target = await startTarget(t, (socket) => {
    socket.on('error', broken.resolve);
    socket.on('end', () => broken.reject(new Error('took the break for the end')));
    socket.resume().write('hello');
  });
  for (const end of ['server', 'node'] as const) {
    const { tunnel, life } = await standingTunnel(t);
    const stream = await tunnel.connect(target);
    await once(stream, 'data');
    const rest = buffer(stream);
    if (end === 'server') tunnel.close();
    else void life.end();
    await assert.rejects(rest, { code: 'tunnel-closed' });
    await tunnel.closed;
    await assert.rejects(tunnel.connect(target), { code: 'tunnel-closed' });
  }
  await broken.promise;
});
