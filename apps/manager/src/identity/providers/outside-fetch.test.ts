import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer as createProxy } from 'node:http';
import { createServer } from 'node:https';
import { type AddressInfo, connect, type Server } from 'node:net';
import { after, before, it } from 'node:test';
import { Life } from '@rfo/foundation';
import { makeAuthority } from '../../clusters/clusters.testing.ts';
import { createOutsideFetch } from './outside-fetch.ts';

const authority = makeAuthority();
const life = new Life();
const asked: string[] = [];
const tunnels: string[] = [];

/** Answers by its path. */
const provider = createServer(authority.issue('provider'), ({ url = '' }, response) => {
  asked.push(url);
  if (url === '/away') response.writeHead(302, { location: '/elsewhere' }).end();
  else if (url === '/long') response.end(Buffer.alloc(3 * 1024 * 1024));
  else response.end('here');
});
const proxy = createProxy().on('connect', ({ url = '' }, socket, head) => {
  tunnels.push(url);
  const [host, port] = url.split(':');
  const onward = connect(Number(port), host, () => {
    socket.write('HTTP/1.1 200 OK\r\n\r\n');
    onward.write(head);
    onward.pipe(socket).pipe(onward);
  });
  onward.on('error', () => socket.destroy());
  socket.on('error', () => onward.destroy());
});
const addressOf = (server: Server): string => `127.0.0.1:${(server.address() as AddressInfo).port}`;

before(async () => {
  const ready = [provider, proxy].map((server) => once(server, 'listening'));
  for (const server of [provider, proxy]) server.listen(0, '127.0.0.1');
  await Promise.all(ready);
});
after(async () => {
  await life.end();
  for (const server of [provider, proxy]) {
    server.close();
    server.closeAllConnections();
  }
});

const get = (path: string, reach: Parameters<typeof createOutsideFetch>[0]): Promise<Response> =>
  createOutsideFetch(reach, life)(`https://${addressOf(provider)}${path}`, { method: 'GET', headers: {} });

it('a provider is believed whose certificate is of the CA that is set, also through a proxy', async () => {
  assert.equal(await (await get('/', { caBundle: authority.ca })).text(), 'here');
  assert.deepEqual(tunnels, []);
  assert.equal(await (await get('/', { caBundle: authority.ca, proxy: `http://${addressOf(proxy)}` })).text(), 'here');
  assert.deepEqual(tunnels, [addressOf(provider)]);
});

it('a provider of another CA is asked nothing, also through a proxy', async () => {
  const before = asked.length;
  for (const caBundle of [undefined, makeAuthority().ca])
    for (const through of [undefined, `http://${addressOf(proxy)}`])
      await assert.rejects(get('/', { caBundle, proxy: through }), /certificate/);
  assert.equal(asked.length, before);
});

it('a redirect is followed nowhere, and an answer without end is cut', async () => {
  const away = await get('/away', { caBundle: authority.ca });
  assert.equal(away.status, 302);
  assert.ok(!asked.includes('/elsewhere'));
  await assert.rejects(get('/long', { caBundle: authority.ca }), /too long/);
});

it('nothing is asked without TLS', async () => {
  const ask = createOutsideFetch({ caBundle: authority.ca }, life);
  await assert.rejects(ask('http://127.0.0.1:1/', { method: 'GET', headers: {} }), /no https address/);
});
