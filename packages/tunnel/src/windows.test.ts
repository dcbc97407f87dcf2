import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectHttp2, performServerHandshake } from 'node:http2';
import { connect, createServer } from 'node:net';
import { Transform } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { socketPair } from './socket-pair.ts';
import { listen, startAcceptor, startKeeper, startTarget } from './test-support.ts';
import { measureRoundTrip, windowFor } from './windows.ts';

test('a window is small nearby, follows the distance, and has an end', () => {
  assert.deepEqual(
    [0.05, 2, 8, 20, 500].map((roundTrip) => windowFor(roundTrip, 131_072)),
    [131_072, 250_000, 1_000_000, 2_500_000, 4_194_304],
  );
});

test('what the first answers of a slow start take is not the distance', { timeout: 60_000 }, async (t) => {
  const [near, far] = await socketPair();
  t.after(() => near.destroy());
  const other = performServerHandshake(far);
  let asked = 0;
  other.on('ping', () => {
    // As a program that is still being compiled.
    const until = performance.now() + 300;
    asked += 1;
    while (asked <= 5 && performance.now() < until);
  });
  const session = connectHttp2('http://other', { createConnection: () => near });
  await once(session, 'remoteSettings');
  const roundTrip = await measureRoundTrip(session, 65_536);
  assert.ok(asked > 5 && roundTrip !== undefined && roundTrip < 300, `${roundTrip} ms after ${asked} pings`);
});

test('over a distance a stream carries more than the window of the same network, in both directions', { timeout: 60_000 }, async (t) => {
  const acceptor = await startAcceptor(t);
  await startKeeper(t, await startDistance(t, { port: acceptor.port, oneWay: 25 }));
  const { tunnel } = await acceptor.next();
  const size = 24 * 1024 * 1024;
  const down = await tunnel.connect(await startTarget(t, (socket) => socket.end(Buffer.alloc(size))));
  let begun = performance.now();
  let bytes = 0;
  for await (const chunk of down) bytes += chunk.length;
  assert.equal(bytes, size);
  // 128 KiB in each 50 ms would take 9.6 s.
  assert.ok(performance.now() - begun < 3000, `down in ${performance.now() - begun} ms`);

  const taken = Promise.withResolvers<void>();
  const up = await tunnel.connect(await startTarget(t, (socket) => socket.on('end', taken.resolve).resume()));
  begun = performance.now();
  up.end(Buffer.alloc(size));
  await taken.promise;
  assert.ok(performance.now() - begun < 3000, `up in ${performance.now() - begun} ms`);
});

/** A link on which every byte takes `oneWay` ms, as many as there are at once. */
async function startDistance(t: TestContext, { port, oneWay }: { readonly port: number; readonly oneWay: number }): Promise<number> {
  const late = (): Transform =>
    new Transform({
      highWaterMark: 64 * 1024 * 1024,
      transform(chunk, _encoding, done) {
        setTimeout(() => this.push(chunk), oneWay);
        done();
      },
    });
  const server = createServer({ noDelay: true }, (near) => {
    const far = connect({ port, host: '127.0.0.1', noDelay: true });
    for (const socket of [near, far]) {
      socket.on('error', () => undefined);
      t.after(() => socket.destroy());
    }
    near.pipe(late()).pipe(far);
    far.pipe(late()).pipe(near);
  });
  return listen(t, server);
}
