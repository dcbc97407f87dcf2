import assert from 'node:assert/strict';
import { createPublicKey } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { type TestContext, test } from 'node:test';
import { createServer as createTlsServer } from 'node:tls';
import { fail, Life, silentLog } from '@rfo/foundation';
import { encodeKey, encodePem, generateKey, identity, issueSelfSigned, publicKeyBytes } from '@rfo/pki';
import { type KeepTunnelOptions, keepTunnel } from '@rfo/tunnel';
import { explain } from './explain.ts';

const timeout = 60_000;
const now = Date.now();
const hour = 3_600_000;

/** A certificate that is its own authority. */
function certificate(options: { readonly from?: number; readonly to?: number; readonly address?: string } = {}) {
  const { from = now - hour, to = now + hour, address = '127.0.0.1' } = options;
  const key = generateKey();
  const publicKey = publicKeyBytes(createPublicKey(key));
  const altNames = [{ type: 'ip', value: address }] as const;
  const der = issueSelfSigned({ subject: identity('manager'), publicKey, notBefore: from, notAfter: to, ca: {}, altNames }, key);
  return { cert: encodePem('CERTIFICATE', der), key: encodeKey(key) };
}

async function listen(t: TestContext, server: Server): Promise<number> {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

/** Why a real dial fails. */
async function reasonOf(
  t: TestContext,
  target: { readonly host?: string; readonly port: number; readonly ca?: string } & Partial<KeepTunnelOptions>,
) {
  const { host = '127.0.0.1', port, ca, ...rest } = target;
  const seen = Promise.withResolvers<unknown>();
  const life = new Life();
  t.after(() => life.end());
  keepTunnel({
    ...{
      host,
      port,
      tls: async () => (ca === undefined ? {} : { ca }),
      allow: () => false,
      websocket: () => ({ path: '/connect', headers: {} }),
      life,
      log: silentLog,
    },
    ...{ within: { connect: 20_000, greet: 20_000 } },
    describe: (error) => {
      seen.resolve(error);
      return '';
    },
    ...rest,
  });
  const found = explain(await seen.promise, { server: `${host}:${port}`, now });
  await life.end();
  return found;
}

test('a name that nobody knows is a matter of DNS', { timeout }, async (t) => {
  const { reason, message } = await reasonOf(t, { host: 'no-such-manager.invalid', port: 443 });
  assert.equal(reason, 'DNS');
  assert.match(message, /no-such-manager\.invalid:443/);
});

test('a port that nobody listens on is a matter of the network', { timeout }, async (t) => {
  const server = createServer();
  const port = await listen(t, server);
  server.close();
  await once(server, 'close');
  assert.equal((await reasonOf(t, { port })).reason, 'Network');
});

test('a certificate of another authority, for another name, too old or too young is told apart', { timeout }, async (t) => {
  const trusted = {
    good: certificate(),
    other: certificate({ address: '127.0.0.2' }),
    old: certificate({ from: now - 2 * hour, to: now - hour }),
    young: certificate({ from: now + hour, to: now + 2 * hour }),
  };
  const wanted = { good: 'TLSChain', other: 'TLSName', old: 'Clock', young: 'Clock' } as const;
  for (const [name, own] of Object.entries(trusted) as [keyof typeof trusted, ReturnType<typeof certificate>][]) {
    const server = createTlsServer({ ...own, ALPNProtocols: ['rfo-tunnel', 'http/1.1'] });
    server.on('tlsClientError', () => undefined);
    const ca = name === 'good' ? certificate().cert : own.cert;
    const { reason, message } = await reasonOf(t, { port: await listen(t, server), ca });
    assert.equal(reason, wanted[name], message);
    if (reason === 'Clock') assert.ok(message.includes(new Date(now).toISOString()));
  }
});

test('a server that speaks no TLS, and one that knows no such path, are no managers', { timeout }, async (t) => {
  const plain = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
  });
  assert.equal((await reasonOf(t, { port: await listen(t, plain) })).reason, 'NotManager');
  const own = certificate();
  const web = createTlsServer({ ...own, ALPNProtocols: ['http/1.1'] }, (socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => socket.end('HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n'));
  });
  const { reason, message } = await reasonOf(t, { port: await listen(t, web), ca: own.cert });
  assert.deepEqual([reason, /404/.test(message)], ['NotManager', true], message);
});

test('a hop whose manager is down, and a token that is refused on the way in, are told apart', { timeout }, async (t) => {
  const answers = { '503 Service Unavailable': 'ManagerBusy', '401 Unauthorized': 'TokenRefused' };
  for (const [status, wanted] of Object.entries(answers)) {
    const own = certificate();
    const hop = createTlsServer({ ...own, ALPNProtocols: ['http/1.1'] }, (socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => socket.end(`HTTP/1.1 ${status}\r\ncontent-length: 4\r\nconnection: close\r\n\r\nsaid`));
    });
    assert.equal((await reasonOf(t, { port: await listen(t, hop), ca: own.cert })).reason, wanted);
  }
});

test('a proxy that is away is named', { timeout }, async (t) => {
  const { reason, message } = await reasonOf(t, { port: 443, proxy: () => new URL('http://127.0.0.1:1') });
  assert.equal(reason, 'Proxy');
  assert.match(message, /127\.0\.0\.1:1 .*HTTPS_PROXY/);
});

test('a server that says nothing is silent, not refused', { timeout }, async (t) => {
  const mute = createServer((socket) => {
    t.after(() => socket.destroy());
    socket.on('error', () => undefined);
  });
  const { reason } = await reasonOf(t, { port: await listen(t, mute), within: { connect: 20_000, greet: 300 } });
  assert.equal(reason, 'Silent');
});

test('a verdict of the manager is passed on in its own words', () => {
  const refused = explain(fail('agent-refused', { problem: 'its token is none of its cluster', reason: 'TokenUnknown' }), {
    server: 'x:1',
    now,
  });
  assert.equal(refused.reason, 'TokenRefused');
  assert.match(refused.message, /none of its cluster/);
  assert.equal(explain(fail('agent-refused', { problem: 'later', reason: 'Busy' }), { server: 'x:1', now }).reason, 'ManagerBusy');
});
