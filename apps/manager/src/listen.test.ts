// The listener with real sockets: what comes in reaches the part it is for, and nothing else.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Duplex } from 'node:stream';
import { after, before, describe, it } from 'node:test';
import { connect, type TLSSocket } from 'node:tls';
import { fail, Life, silentLog } from '@rfo/foundation';
import { type Listener, startListener } from './listen.ts';
import { routeRequests } from './route-requests.ts';
import type { ServingCertificate } from './serving/certificate.ts';
import { planServing, type ServingPems } from './serving/plan.ts';

const makePems = (): ServingPems => planServing({ held: undefined, names: ['localhost'], now: Date.now(), where: 'test' }).pems;

/** A part that says its name, and one that never ends its answer. */
const says = (name: string) => (_: IncomingMessage, response: ServerResponse) => void response.end(name);
const upgradeTo = (name: string) => (_: IncomingMessage, socket: Duplex) =>
  void socket.end(`HTTP/1.1 101 Switching Protocols\r\nx-part: ${name}\r\n\r\n`);

type Started = {
  readonly listener: Listener;
  readonly life: Life;
  readonly renew: () => ServingPems;
  readonly held: ServerResponse[];
  readonly ca: () => string;
};
async function start(): Promise<Started> {
  const life = new Life();
  let pems = makePems();
  const listeners = new Set<() => void>();
  const certificate: ServingCertificate = {
    current: () => ({ cert: pems['tls.crt'], key: pems['tls.key'] }),
    ca: () => pems['ca.crt'],
    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  const held: ServerResponse[] = [];
  const entrances = routeRequests(
    {
      frontDoor: {
        handle: (request, response) => {
          if (!request.url?.includes('hold')) return says('front door')(request, response);
          held.push(response);
          response.write('begun ');
        },
        upgrade: upgradeTo('front door'),
      },
      api: says('api'),
      watches: { upgrade: upgradeTo('watches') },
      signIn: () => false,
      connections: {
        handleUpgrade: upgradeTo('connections'),
        handleTunnel: (socket) => void socket.end('tunnel'),
        importManifest: async (token) => {
          if (token !== 'good') throw fail('registration-unknown', {});
          return 'kind: List\n';
        },
      },
      pages: { '/healthz': () => ({ body: 'ok\n' }) },
    },
    silentLog,
  );
  const listener = await startListener({ address: '127.0.0.1', port: 0, certificate, entrances, life });
  const renew = (): ServingPems => {
    pems = makePems();
    for (const each of listeners) each();
    return pems;
  };
  return { listener, life, renew, held, ca: () => pems['ca.crt'] };
}

let manager: Started;
before(async () => {
  manager = await start();
});
after(() => manager.life.end());

type Answer = {
  readonly status: number;
  readonly body: string;
  readonly part: string | undefined;
  readonly connection: string | undefined;
};
const asked = (
  path: string,
  options: { readonly method?: string; readonly upgrade?: string; readonly port?: number } = {},
): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const { method = 'GET', upgrade, port = manager.listener.port } = options;
    const headers = upgrade === undefined ? {} : { connection: 'Upgrade', upgrade };
    const request = httpsRequest({
      host: '127.0.0.1',
      servername: 'localhost',
      port,
      ca: manager.ca(),
      method,
      path,
      headers,
      agent: false,
    });
    const answer = (response: IncomingMessage, body: string): void =>
      resolve({
        status: response.statusCode ?? 0,
        body,
        part: response.headers['x-part'] as string | undefined,
        connection: response.headers.connection,
      });
    request.once('response', (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        body += chunk;
      });
      response.once('end', () => answer(response, body)).once('error', reject);
    });
    request.once('upgrade', (response) => answer(response, ''));
    request.once('error', reject).end();
  });
const codeOf = ({ body }: Answer): string => (JSON.parse(body) as { code: string }).code;

describe('a request', () => {
  it('reaches the part that its path begins with', async () => {
    assert.equal((await asked('/k8s/clusters/local/api')).body, 'front door');
    assert.equal((await asked('/api/v1/clusters', { method: 'POST' })).body, 'api');
    assert.equal((await asked('/healthz?verbose')).body, 'ok\n');
    assert.equal((await asked('/import/good.yaml')).body, 'kind: List\n');
  });

  it('for another protocol reaches the part of its path, and no other path', async () => {
    assert.equal((await asked('/connect', { upgrade: 'websocket' })).part, 'connections');
    assert.equal((await asked('/k8s/clusters/local/api/v1/x/exec', { upgrade: 'SPDY/3.1' })).part, 'front door');
    assert.equal((await asked('/api/v1/clusters', { upgrade: 'websocket' })).status, 404);
    assert.equal((await asked('/connect/../k8s/', { upgrade: 'websocket' })).status, 404);
  });

  it('by a way round reaches nothing', async () => {
    for (const path of [
      '//k8s/clusters/local',
      '/%6b8s/clusters/local',
      '/./k8s/',
      '/healthz/',
      '/healthz/../api/',
      '/import/good',
      '/import/a/b.yaml',
      '/console',
      '/',
      '*',
    ]) {
      const answer = await asked(path);
      assert.equal(answer.status, 404, path);
      assert.equal(codeOf(answer), 'manager-path-unknown');
    }
    assert.equal((await asked(`https://localhost/healthz`)).status, 404);
  });

  it('that cannot be answered is told why, with a code of the table', async () => {
    assert.equal(codeOf(await asked('/import/bad.yaml')), 'registration-unknown');
    assert.equal((await asked('/import/bad.yaml')).status, 404);
    const plain = await asked('/connect');
    assert.equal(plain.status, 426);
    assert.equal(codeOf(plain), 'manager-upgrade-needed');
    assert.equal((await asked('/healthz', { method: 'DELETE' })).status, 405);
  });

  it('that is none is refused and its connection closed', async () => {
    const socket = tls(manager.listener.port);
    await once(socket, 'secureConnect');
    socket.write('GET nonsense\r\n\r\n');
    assert.match(await readAll(socket), /^HTTP\/1\.1 400 Bad Request\r\n.*"code":"request-invalid"/s);
  });
});

describe('a connection', () => {
  it('on which ALPN chose the tunnel is handed over as it is', async () => {
    const socket = tls(manager.listener.port, ['rfo-tunnel']);
    await once(socket, 'secureConnect');
    assert.equal(socket.alpnProtocol, 'rfo-tunnel');
    assert.equal(await readAll(socket), 'tunnel');
  });

  it('with neither of the two protocols does not come about', async () => {
    const socket = tls(manager.listener.port, ['h2']);
    await assert.rejects(once(socket, 'secureConnect'), /alert|no application protocol/i);
  });

  it('gets the new certificate from the moment it was replaced', async () => {
    manager.renew();
    assert.equal((await asked('/healthz')).status, 200);
  });
});

describe('the end', () => {
  it('lets requests that have begun be answered, and takes no new connection', async () => {
    const ending = await start();
    const { port } = ending.listener;
    const old = manager;
    manager = ending;
    const answer = asked('/k8s/hold');
    const watching = asked('/k8s/hold?watch=true').catch((error: Error) => error);
    await until(() => ending.held.length === 2);
    const drained = ending.listener.drain(30_000);
    await assert.rejects(asked('/healthz', { port }), /ECONNREFUSED/);
    for (const response of ending.held) if (response.req.url === '/k8s/hold') response.end('and ended');
    assert.equal((await answer).body, 'begun and ended');
    // The watch does not hold it up.
    await drained;
    await ending.life.end();
    assert.ok((await watching) instanceof Error);
    manager = old;
  });

  it('is told to connections with their next answer, and new ones are taken still', async () => {
    const ending = await start();
    const old = manager;
    manager = ending;
    const socket = tls(ending.listener.port);
    const question = 'GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n';
    socket.write(question);
    assert.match(String((await once(socket, 'data'))[0]), /\r\nConnection: keep-alive\r\n/);
    ending.listener.retire();
    socket.write(question);
    // Reads until the server ends it.
    assert.match(await readAll(socket), /\r\nconnection: close\r\n/i);
    assert.equal((await asked('/healthz', { port: ending.listener.port })).status, 200);
    await ending.life.end();
    manager = old;
  });

  it('waits no longer than it is told to', async () => {
    const ending = await start();
    const old = manager;
    manager = ending;
    const answer = asked('/k8s/hold').catch((error: Error) => error);
    await until(() => ending.held.length === 1);
    await ending.listener.drain(50);
    await ending.life.end();
    assert.ok((await answer) instanceof Error);
    manager = old;
  });
});

function tls(port: number, ALPNProtocols?: string[]): TLSSocket {
  const socket = connect({ host: '127.0.0.1', port, servername: 'localhost', ca: manager.ca(), ...(ALPNProtocols && { ALPNProtocols }) });
  socket.on('error', () => undefined);
  return socket;
}

async function readAll(socket: TLSSocket): Promise<string> {
  let text = '';
  for await (const chunk of socket.setEncoding('utf8')) text += chunk;
  return text;
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}
