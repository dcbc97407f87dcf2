import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { test } from 'node:test';
import { isGuarded } from './guarded-addresses.ts';
import { joinHostPort, splitHostPort, withDefaultPort } from './host-port.ts';
import { createOutbound, OutboundRefused } from './outbound.ts';

const limits = { signal: AbortSignal.timeout(90_000), timeout: 10_000 };

test('the own host, the own link and metadata services are guarded, in whatever form they are written', () => {
  for (const address of [
    '127.0.0.1',
    '127.9.9.9',
    '0.0.0.0',
    '169.254.169.254',
    '100.100.100.200',
    '168.63.129.16',
    '224.0.0.1',
    '255.255.255.255',
  ])
    assert.ok(isGuarded(address), address);
  for (const address of [
    '::1',
    '::',
    '::127.0.0.1',
    '::ffff:127.0.0.1',
    '::ffff:169.254.169.254',
    'fe80::1',
    'ff02::1',
    'fd00:ec2::254',
    '64:ff9b::7f00:1',
    '2002:7f00:1::',
  ])
    assert.ok(isGuarded(address), address);
});

test('other hosts are not guarded, those of private networks neither', () => {
  for (const address of ['10.0.0.1', '192.168.1.1', '172.16.0.1', '1.1.1.1', '::ffff:10.0.0.1', 'fd00::1', '2606:4700::1111'])
    assert.ok(!isGuarded(address), address);
});

test('a guarded address is connected to only where the operator allows it', async () => {
  const server = createServer((socket) => socket.end('hello')).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  try {
    await assert.rejects(createOutbound({ local: false }).connect({ host: '127.0.0.1', port }, limits), OutboundRefused);
    const socket = await createOutbound({ local: true }).connect({ host: '127.0.0.1', port }, limits);
    assert.equal(String((await once(socket, 'data'))[0]), 'hello');
    socket.destroy();
  } finally {
    server.close();
  }
});

test('a name that leads to a guarded address is refused, and one that leads elsewhere too is asked only there', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  let connections = 0;
  server.on('connection', (socket) => {
    connections++;
    socket.destroy();
  });
  try {
    const inward = createOutbound({ local: false, lookup: async () => ['127.0.0.1'] });
    await assert.rejects(inward.connect({ host: 'rebound.example', port }, limits), OutboundRefused);
    // 192.0.2.1 is for documents (RFC 5737): nobody answers there, and that is what is tried.
    const mixed = createOutbound({ local: false, lookup: async () => ['127.0.0.1', '192.0.2.1'] });
    await assert.rejects(
      mixed.connect({ host: 'mixed.example', port }, { ...limits, timeout: 200 }),
      (error) => !(error instanceof OutboundRefused),
    );
    assert.equal(connections, 0);
  } finally {
    server.close();
  }
});

test('a peer that takes the connection and says nothing ends with the time that it was given', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const held: { destroy: () => void }[] = [];
  server.on('connection', (socket) => held.push(socket));
  try {
    await assert.rejects(createOutbound({ local: true }).connectTls({ host: '127.0.0.1', port }, { ...limits, timeout: 300 }));
  } finally {
    for (const socket of held) socket.destroy();
    server.close();
  }
});

test('hosts and ports are taken apart as Go does', () => {
  assert.deepEqual(splitHostPort('a.example:8443'), { host: 'a.example', port: 8443 });
  assert.deepEqual(splitHostPort('[fd00::1]:443'), { host: 'fd00::1', port: 443 });
  for (const text of ['a.example', 'fd00::1', 'a:0', 'a:65536', 'a:b', 'a:1:2']) assert.equal(splitHostPort(text), undefined, text);
  assert.deepEqual(withDefaultPort('[fd00::1]', 443), { host: 'fd00::1', port: 443 });
  assert.equal(joinHostPort({ host: 'fd00::1', port: 443 }), '[fd00::1]:443');
});
