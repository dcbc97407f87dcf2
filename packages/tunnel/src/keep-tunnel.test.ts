import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { buffer, text } from 'node:stream/consumers';
import { test } from 'node:test';
import { createLog } from '@rfo/foundation';
import type { CreateService } from './service.ts';
import { closedPort, issue, standingTunnel, startAcceptor, startKeeper, startRelay, startTarget } from './test-support.ts';

const timeout = 60_000;
const quick = { pingEvery: () => 100, suspectAfter: 600, lostAfter: 1200 };
/** For a test in which a machine that is busy must not look like a link that is cut. */
const patient = { pingEvery: () => 100, suspectAfter: 3000, lostAfter: 6000 };

test('a server that vanishes without a word is suspect, then lost; a new tunnel stands within a second of the return of the link', {
  timeout,
}, async (t) => {
  const acceptor = await startAcceptor(t);
  const relay = await startRelay(t, acceptor.port);
  const { until } = await startKeeper(t, relay.port, quick);
  await acceptor.next();
  await until('up');
  relay.cut();
  await until('suspect');
  assert.match((await until('lost')) ?? '', /no answer for 1.2 s/);
  const healed = performance.now();
  relay.heal({ forget: true });
  const { tunnel } = await acceptor.next();
  await until('up');
  const took = performance.now() - healed;
  assert.ok(took < 1500, `${took} ms`);
  const stream = await tunnel.connect(await startTarget(t, (socket) => socket.end('again')));
  assert.equal(String(await buffer(stream)), 'again');
});

test('streams outlive a cut that is shorter than deadAfter', { timeout }, async (t) => {
  const acceptor = await startAcceptor(t);
  const relay = await startRelay(t, acceptor.port);
  const { until } = await startKeeper(t, relay.port, quick);
  const { tunnel } = await acceptor.next();
  const stream = await tunnel.connect(await startTarget(t, (socket) => socket.pipe(socket)));
  stream.write('before');
  await once(stream, 'data');
  relay.cut();
  await until('lost');
  stream.write('during');
  relay.heal();
  await until('up');
  assert.equal(String((await once(stream, 'data'))[0]), 'during');
});

test('a connection that was replaced ends after its last stream', { timeout }, async (t) => {
  const acceptor = await startAcceptor(t);
  const relay = await startRelay(t, acceptor.port);
  const { until } = await startKeeper(t, relay.port, patient);
  const old = await acceptor.next();
  await until('up');
  const stream = await old.tunnel.connect(await startTarget(t, (socket) => socket.pipe(socket)));
  relay.cut('standing');
  await until('suspect');
  await acceptor.next();
  await until('up');
  relay.heal();
  stream.end('still here');
  assert.equal(await text(stream), 'still here');
  await old.tunnel.closed;
});

test('a connection that the other end is about to leave goes on until another one is there, and then until its last stream', {
  timeout,
}, async (t) => {
  const acceptor = await startAcceptor(t);
  const relay = await startRelay(t, acceptor.port);
  const wanted: (() => void)[] = [];
  const service: CreateService = ({ replace }) => {
    wanted.push(replace);
    return { accepted: Promise.resolve(), serve: (stream) => stream.respond({ ':status': 404 }, { endStream: true }) };
  };
  const { until } = await startKeeper(t, relay.port, { ...patient, service });
  const old = await acceptor.next();
  await until('up');
  const stream = await old.tunnel.connect(await startTarget(t, (socket) => socket.pipe(socket)));
  wanted[0]?.();
  const fresh = await acceptor.next();
  stream.end('still here');
  assert.equal(await text(stream), 'still here');
  await old.tunnel.closed;
  const again = await fresh.tunnel.connect(await startTarget(t, (socket) => socket.end('again')));
  assert.equal(await text(again), 'again');
});

test('a connection that answers in no way for deadAfter is ended', { timeout }, async (t) => {
  const acceptor = await startAcceptor(t);
  const relay = await startRelay(t, acceptor.port);
  const broken = Promise.withResolvers<void>();
  const target = await startTarget(t, (socket) => {
    socket.on('close', broken.resolve);
    socket.resume();
  });
  const { until } = await startKeeper(t, relay.port, { ...quick, deadAfter: 2000 });
  const { tunnel } = await acceptor.next();
  await until('up');
  await tunnel.connect(target);
  relay.cut();
  await until('lost');
  await broken.promise;
});

test('the accepting end closes a tunnel from which nothing comes', { timeout }, async (t) => {
  const acceptor = await startAcceptor(t, { silentAfter: 1000 });
  const relay = await startRelay(t, acceptor.port);
  await startKeeper(t, relay.port, quick);
  const { tunnel } = await acceptor.next();
  const stream = await tunnel.connect(await startTarget(t, (socket) => socket.resume()));
  relay.cut();
  await assert.rejects(buffer(stream), { code: 'tunnel-closed', message: /silent for 1 s/ });
  await tunnel.closed;
});

test('the accepting end keeps a tunnel that only pings', { timeout }, async (t) => {
  const acceptor = await startAcceptor(t, { silentAfter: 1500 });
  const pinged = Promise.withResolvers<string>();
  let pings = 0;
  const pingEvery = (): number => {
    if (++pings === 30) pinged.resolve('pinged for 3 s');
    return 100;
  };
  await startKeeper(t, acceptor.port, { ...quick, pingEvery });
  const { tunnel } = await acceptor.next();
  assert.equal(await Promise.race([tunnel.closed, pinged.promise]), 'pinged for 3 s');
});

test('a broken connection is dialled again at once, and each reason is logged once', { timeout }, async (t) => {
  const lines: string[] = [];
  const port = await closedPort();
  const failures = Promise.withResolvers<void>();
  const credentials = await issue('node-1');
  let dials = 0;
  const tls = async (): Promise<typeof credentials> => {
    if (++dials === 4) failures.resolve();
    return credentials;
  };
  const kept = await startKeeper(t, port, { tls, log: createLog({ write: (line) => lines.push(line) }) });
  assert.match((await kept.until('lost')) ?? '', /ECONNREFUSED/);
  await failures.promise;
  assert.equal(lines.length, 1, lines.join(''));
  assert.match(lines[0] ?? '', /warn .*there is no tunnel server=127\.0\.0\.1:\d+ reason="connect ECONNREFUSED/);
  await kept.life.end();
});

test('a server that cannot prove who it is gets no tunnel', { timeout }, async (t) => {
  const acceptor = await startAcceptor(t, { altNames: 'DNS:kubernetes,IP:192.0.2.1' });
  const { until } = await startKeeper(t, acceptor.port);
  assert.match((await until('lost')) ?? '', /IP: 127\.0\.0\.1 is not in the cert's list/);
});

test('what is no tunnel server is told by name', { timeout }, async (t) => {
  const silent = createServer((socket) => t.after(() => socket.destroy()));
  await once(silent.listen(0, '127.0.0.1'), 'listening');
  t.after(() => silent.close());
  const address = silent.address();
  assert.ok(typeof address === 'object' && address !== null);
  const { until } = await startKeeper(t, address.port);
  assert.match((await until('lost')) ?? '', /no tunnel within 2 s of connecting/);
});

test('a renewed certificate is used from the next dial on', { timeout }, async (t) => {
  const acceptor = await startAcceptor(t);
  let credentials = await issue('node-old');
  await startKeeper(t, acceptor.port, { tls: async () => credentials });
  const first = await acceptor.next();
  assert.equal(first.node, 'node-old');
  credentials = await issue('node-new');
  first.tunnel.close();
  assert.equal((await acceptor.next()).node, 'node-new');
});

test('certificates that cannot be read now are read at a later dial', { timeout }, async (t) => {
  const acceptor = await startAcceptor(t);
  const credentials = await issue('node-1');
  let there = false;
  const { until } = await startKeeper(t, acceptor.port, {
    tls: async () => {
      if (!there) throw new Error('not there yet');
      return credentials;
    },
  });
  assert.equal(await until('lost'), 'not there yet');
  there = true;
  await until('up');
});

test('ends with its life: the other end sees it, and no handle is left', { timeout }, async (t) => {
  const { life, tunnel } = await standingTunnel(t);
  await tunnel.connect(await startTarget(t, (socket) => socket.resume()));
  await life.end();
  await tunnel.closed;

  const acceptor = await startAcceptor(t);
  const relay = await startRelay(t, acceptor.port);
  const script = `
    import { Life, silentLog } from '@rfo/foundation';
    import { keepTunnel } from '@rfo/tunnel';
    const tls = ${JSON.stringify(await issue('node-1'))};
    const life = new Life();
    const onState = (state) => {
      process.stdout.write(state + ' ');
      if (state === process.argv[1]) void life.end();
    };
    keepTunnel({ host: '127.0.0.1', port: ${relay.port}, tls: async () => tls, allow: () => true, life, log: silentLog, onState,
      pingEvery: () => 100, suspectAfter: 600, lostAfter: 1200 });
  `;
  for (const state of ['up', 'suspect', 'lost']) {
    const child = spawn(process.execPath, ['--input-type=module', '-e', script, state], { stdio: ['ignore', 'pipe', 'inherit'] });
    t.after(() => child.kill('SIGKILL'));
    const exited = once(child, 'exit');
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      if (said === '') relay.cut();
      said += chunk;
    });
    assert.deepEqual(await exited, [0, null]);
    assert.ok(said.startsWith('up ') && said.endsWith(`${state} `), said);
    relay.heal({ forget: true });
  }
});
