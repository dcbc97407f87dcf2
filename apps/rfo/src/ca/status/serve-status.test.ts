import assert from 'node:assert/strict';
import { hash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe, it } from 'node:test';
import { Life, silentLog } from '@rfo/foundation';
import { createOcspRequest, decodeOcspRequest, decodeOcspResponse, ocspCertificateId } from '@rfo/pki';
import { serveStatus } from './serve-status.ts';
import { caScene, type ServedScene, servedScene } from './status.testing.ts';
import { createStatus } from './status.ts';

const malformed = '30030a0101';
const unauthorized = '30030a0106';

type Scene = ServedScene & { readonly request: Buffer; readonly path: string; readonly revoke: () => Promise<void> };

/** With one certificate, and the request for its status. */
async function scene(life: Life, change: Parameters<typeof servedScene>[1] = {}): Promise<Scene> {
  const served = await servedScene(life, change);
  const leaf = await served.issue();
  const request = requestFor(served, leaf.serial);
  const revoke = (): Promise<void> => served.store.revoke(leaf.key, { reason: 1, at: Date.now() });
  return { ...served, request, path: `/${encodeURIComponent(request.toString('base64'))}`, revoke };
}

function requestFor({ ca }: Pick<ServedScene, 'ca'>, serial: bigint, nonce?: Buffer): Buffer {
  const id = ocspCertificateId(serial, { name: ca.certificate.rawSubject, publicKey: ca.certificate.publicKey }, 'sha1');
  return createOcspRequest({ certificates: [id], ...(nonce && { nonce }) });
}

describe('OCSP over HTTP', () => {
  it('tells caches how long an answer is good, and answers 304 to whoever has it', async () => {
    await using life = new Life();
    const { url, path, revoke } = await scene(life);
    const response = await fetch(url + path);
    const body = Buffer.from(await response.arrayBuffer());
    const answer = decodeOcspResponse(body);
    assert.ok(answer.kind === 'answer');
    const [{ thisUpdate, nextUpdate } = { thisUpdate: 0, nextUpdate: 0 }] = answer.answers;
    const { headers } = response;
    assert.equal(response.status, 200);
    assert.equal(headers.get('content-type'), 'application/ocsp-response');
    assert.equal(headers.get('cache-control'), 'max-age=7200, public, no-transform, must-revalidate');
    const etag = `"${hash('sha256', body).toUpperCase()}"`;
    assert.equal(headers.get('etag'), etag);
    assert.equal(Date.parse(headers.get('last-modified') ?? ''), thisUpdate);
    assert.equal(Date.parse(headers.get('expires') ?? ''), nextUpdate);
    assert.ok(Math.abs(Date.parse(headers.get('date') ?? '') - Date.now()) < 30_000);

    for (const tag of [etag, `W/${etag}`, `"x", ${etag}`]) {
      const again = await fetch(url + path, { headers: { 'if-none-match': tag } });
      assert.deepEqual([again.status, again.headers.get('etag'), (await again.arrayBuffer()).byteLength], [304, etag, 0]);
    }
    await revoke();
    assert.equal((await fetch(url + path, { headers: { 'if-none-match': etag } })).status, 200);
  });

  it('mends what clients make of base64 in a path', async () => {
    await using life = new Life();
    const served = await servedScene(life);
    const leaf = await served.issue();
    // One whose base64 has all characters that suffer.
    let base64 = '';
    for (let more = 1; !(base64.includes('+') && base64.includes('/') && base64.endsWith('=')); more++) {
      base64 = requestFor(served, leaf.serial + BigInt(more) ** 3n * 7n ** 25n).toString('base64');
    }
    const record = served.store.find(leaf.key);
    assert.ok(record);
    const [id] = decodeOcspRequest(Buffer.from(base64, 'base64')).certificates;
    await served.store.insert({ ...record, serial: String(id?.serial) });
    const forms = [
      `/${base64}`,
      `//${base64}`,
      `/${encodeURIComponent(base64)}`,
      `//${encodeURIComponent(base64)}`,
      `/${base64.replaceAll('+', '%20')}`,
      `/${base64.replaceAll('+', '%2B')}`,
      `/${base64}?any=thing`,
    ];
    for (const path of forms)
      assert.match(await raw(served, `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`), /^HTTP\/1.1 200 OK/, path);
    for (const path of forms)
      assert.match(await raw(served, `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`, 1), /^HTTP\/1.1 200 OK[\s\S]*max-age=7200/, path);
  });

  it('answers what is wrong as cfssl does', async () => {
    await using life = new Life();
    const served = await scene(life);
    const { url } = served;
    const outcome = async (path: string, init?: RequestInit): Promise<string> => {
      const response = await fetch(url + path, init);
      return `${response.status} ${Buffer.from(await response.arrayBuffer()).toString('hex')}`.trim();
    };
    assert.equal(await outcome('/%ZZ'), '400');
    assert.equal(await outcome('/no-base64'), '400');
    assert.equal(await outcome('/AAAA'), `400 ${malformed}`);
    assert.equal(await outcome('/'), `400 ${malformed}`);
    assert.equal(await outcome('/', { method: 'POST', body: 'nonsense' }), `400 ${malformed}`);
    assert.equal(await outcome('/', { method: 'POST', body: '' }), `400 ${malformed}`);
    assert.equal(await outcome('/', { method: 'POST', body: requestFor(served, 1n) }), `200 ${unauthorized}`);
    assert.equal(await outcome('/', { method: 'PUT', body: served.request }), '405');
    assert.equal(await outcome('/', { method: 'OPTIONS' }), '405');
    assert.equal(await outcome('/crl', { method: 'POST', body: 'x' }), '405');
    assert.equal(await outcome('/', { method: 'POST', body: randomBytes(20_000) }), '413');
    const many = createOcspRequest({
      certificates: Array.from({ length: 65 }, (_, at) =>
        ocspCertificateId(BigInt(at), { name: served.ca.certificate.rawSubject, publicKey: served.ca.certificate.publicKey }, 'sha1'),
      ),
    });
    assert.equal(await outcome('/', { method: 'POST', body: many }), `400 ${malformed}`);
  });

  it('lets nobody keep an error, or the answer to a nonce', async () => {
    await using life = new Life();
    const served = await scene(life);
    for (const body of [requestFor(served, 1n), requestFor(served, 1n, randomBytes(8))]) {
      const response = await fetch(served.url, { method: 'POST', body });
      assert.equal(response.headers.get('cache-control'), 'max-age=0, no-cache, no-store');
      assert.equal(response.headers.get('etag'), null);
    }
  });

  it('serves the list with a tag, asked for again each time', async () => {
    await using life = new Life();
    const { url, revoke } = await scene(life);
    const response = await fetch(`${url}/crl`);
    const body = Buffer.from(await response.arrayBuffer());
    const etag = `"${hash('sha256', body).toUpperCase()}"`;
    assert.deepEqual(
      ['content-type', 'cache-control', 'etag'].map((name) => response.headers.get(name)),
      ['application/pkix-crl', 'public, no-cache', etag],
    );
    const head = await fetch(`${url}/crl`, { method: 'HEAD' });
    assert.deepEqual([head.status, head.headers.get('content-length')], [200, String(body.length)]);
    assert.equal((await fetch(`${url}/crl`, { headers: { 'if-none-match': etag } })).status, 304);
    await revoke();
    assert.equal((await fetch(`${url}/crl`, { headers: { 'if-none-match': etag } })).status, 200);
  });
});

describe('the reader of simple requests', () => {
  it('answers in order whatever is sent at once', async () => {
    await using life = new Life();
    const served = await scene(life);
    const known = post(served.request);
    const unknown = post(requestFor(served, 1n));
    const list = Buffer.from('GET /crl HTTP/1.1\r\nHost: x\r\n\r\n');
    const text = await raw(
      served,
      Buffer.concat([known, unknown, list, known, Buffer.from(`GET ${served.path} HTTP/1.1\r\nHost: x\r\n\r\n`), unknown]),
      6,
    );
    const kinds = text
      .split('HTTP/1.1 200 OK')
      .slice(1)
      .map((part) => (part.includes('pkix-crl') ? 'list' : part.includes('must-revalidate') ? 'known' : 'unknown'));
    assert.deepEqual(kinds, ['known', 'unknown', 'list', 'known', 'known', 'unknown']);
  });

  it('hands on nothing that is simple', async () => {
    await using life = new Life();
    const served = await counted(life);
    const { request, path } = served;
    const socket = await dial(served);
    const answers = collect(socket, 5);
    socket.write(Buffer.concat([post(request), get(path), get(`/${path}`), post(requestFor(served, 1n)), post(Buffer.from('nonsense'))]));
    assert.deepEqual(
      [...(await answers).matchAll(/HTTP\/1.1 (\d+)/g)].map(([, code]) => Number(code)),
      [200, 200, 200, 200, 400],
    );
    assert.equal(served.handedOn(), 0);
    const more = collect(socket, 1);
    socket.write(get('/crl'));
    await more;
    assert.equal(served.handedOn(), 1);
    socket.destroy();
  });

  it('puts together what comes byte by byte', async () => {
    await using life = new Life();
    const served = await scene(life);
    const socket = await dial(served);
    const answer = collect(socket, 2);
    for (const byte of Buffer.concat([post(served.request), Buffer.from(`GET ${served.path} HTTP/1.1\r\nHost: x\r\n\r\n`)])) {
      await new Promise((resolve) => socket.write(Buffer.from([byte]), resolve));
    }
    assert.equal((await answer).match(/HTTP\/1.1 200 OK/g)?.length, 2);
    socket.destroy();
  });

  const unusual: Record<string, (request: Buffer) => { readonly send: Buffer; readonly status: number }> = {
    'a body in chunks': (request) => ({
      send: inChunks(request),
      status: 200,
    }),
    'HTTP/1.0': (request) => ({
      send: Buffer.concat([Buffer.from(`POST / HTTP/1.0\r\nContent-Length: ${request.length}\r\n\r\n`), request]),
      status: 200,
    }),
    'a connection to be closed': (request) => ({ send: post(request, 'Connection: close'), status: 200 }),
    'an expectation': (request) => ({ send: post(request, 'Expect: 100-continue'), status: 100 }),
    'a folded header': (request) => ({ send: post(request, 'X-A: b\r\n c'), status: 400 }),
    'two lengths': (request) => ({ send: post(request, 'Content-Length: 3'), status: 400 }),
    'a length and chunks': (request) => ({ send: post(request, 'Transfer-Encoding: chunked'), status: 400 }),
    'a length that is none': () => ({ send: Buffer.from('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: +3\r\n\r\nabc'), status: 400 }),
    'no host': () => ({ send: Buffer.from('GET /crl HTTP/1.1\r\n\r\n'), status: 400 }),
    'a name with a blank': () => ({ send: Buffer.from('GET /crl HTTP/1.1\r\nHost: x\r\nX : y\r\n\r\n'), status: 400 }),
    'a head without end': () => ({ send: Buffer.from(`GET /crl HTTP/1.1\r\nHost: x\r\nX: ${'y'.repeat(20_000)}`), status: 431 }),
    'something else altogether': () => ({ send: Buffer.from('\x16\x03\x01 hello\r\n\r\n'), status: 400 }),
  };
  for (const [what, make] of Object.entries(unusual)) {
    it(`leaves ${what} to a complete one, after simple requests on the same connection`, async () => {
      await using life = new Life();
      const served = await scene(life);
      const { send, status } = make(served.request);
      const socket = await dial(served);
      const answers = collect(socket, 2);
      socket.write(Buffer.concat([post(served.request), send]));
      const text = await answers;
      assert.deepEqual(
        [...text.matchAll(/HTTP\/1.1 (\d+)/g)].slice(0, 2).map(([, code]) => Number(code)),
        [200, status],
        text,
      );
      socket.destroy();
    });
  }

  it('goes on answering on a connection that the complete one took over', async () => {
    await using life = new Life();
    const served = await scene(life);
    const socket = await dial(served);
    const answers = collect(socket, 3);
    const chunked = inChunks(served.request);
    socket.write(chunked);
    socket.write(post(served.request));
    socket.write(chunked);
    assert.equal((await answers).match(/HTTP\/1.1 200 OK/g)?.length, 3);
    socket.destroy();
  });

  it('answers a client that has said all it wants to, and closes', { timeout: 30_000 }, async () => {
    await using life = new Life();
    const served = await scene(life);
    const socket = connect({ port: served.port, host: '127.0.0.1', allowHalfOpen: true });
    socket.end(post(served.request));
    const parts = await socket.toArray();
    assert.match(Buffer.concat(parts).toString('latin1'), /^HTTP\/1.1 200 OK/);
  });

  it('gives up a connection on which nothing goes on, and one whose request never ends', { timeout: 30_000 }, async () => {
    await using life = new Life();
    const served = await scene(life, { idleMs: 300 });
    const [silent, slow] = await Promise.all([dial(served), dial(served)]);
    slow.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 80\r\n\r\n0');
    silent.resume();
    slow.resume();
    await Promise.all([once(silent, 'close'), once(slow, 'close')]);
  });

  it('waits with reading while the client does not take its answers, and loses none', { timeout: 60_000 }, async () => {
    await using life = new Life();
    const served = await scene(life);
    const socket = await dial(served);
    const count = 20_000;
    const one = post(served.request);
    socket.pause();
    const sent = new Promise((resolve) => socket.write(Buffer.concat(Array.from({ length: count }, () => one)), resolve));
    const answers = collect(socket, count);
    socket.resume();
    await sent;
    assert.equal((await answers).match(/HTTP\/1.1 200 OK/g)?.length, count);
    socket.destroy();
  });

  it('answers what is under way when the life ends', { timeout: 30_000 }, async () => {
    const life = new Life();
    await using after = new Life();
    const scene = await caScene(after);
    const [first, second] = [await scene.issue(), await scene.issue()];
    let signing = 0;
    const [asked, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const { identity } = scene.authority;
    const sign = async (bytes: Uint8Array): Promise<Buffer> => {
      signing++;
      if (signing === 2) asked.resolve();
      await released.promise;
      return identity.key.sign(bytes);
    };
    const authority = { ...scene.authority, identity: { ...identity, key: { ...identity.key, sign } } };
    const { ocsp, handler } = await createStatus({ store: scene.store, authorities: [authority], life: after, log: silentLog });
    const { port } = await serveStatus({ ocsp: () => ocsp, handler, host: '127.0.0.1', port: 0, life });
    const [simple, chunked, idle] = await Promise.all([dial({ port }), dial({ port }), dial({ port })]);
    const answers = Promise.all([collect(simple, 2), collect(chunked, 2), collect(idle, 1)]);
    simple.write(post(requestFor(scene, first.serial)));
    chunked.write(inChunks(requestFor(scene, second.serial)));
    await asked.promise;
    const ended = life.end();
    released.resolve();
    const [one, two, none] = await answers;
    await ended;
    assert.match(one, /^HTTP\/1.1 200 OK/);
    assert.match(two, /^HTTP\/1.1 200 OK/);
    assert.equal(none, '');
  });

  it('ends with the life, whoever is connected', { timeout: 30_000 }, async () => {
    const life = new Life();
    const served = await scene(life);
    const socket = await dial(served);
    socket.resume();
    const closed = once(socket, 'close');
    await life.end();
    await closed;
  });
});

/** Counts what the complete server gets. */
async function counted(life: Life): Promise<Scene & { readonly handedOn: () => number }> {
  const served = await scene(life);
  let count = 0;
  const handler: typeof served.status.handler = (request, response) => {
    count++;
    served.status.handler(request, response);
  };
  const { ocsp } = served.status;
  const { port } = await serveStatus({ ocsp: () => ocsp, handler, host: '127.0.0.1', port: 0, life });
  return { ...served, port, handedOn: () => count };
}

function get(path: string): Buffer {
  return Buffer.from(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
}

function post(request: Buffer, more = ''): Buffer {
  const head = [
    'POST / HTTP/1.1',
    'Host: x',
    'Content-Type: application/ocsp-request',
    `Content-Length: ${request.length}`,
    ...(more === '' ? [] : [more]),
  ];
  return Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), request]);
}

function inChunks(request: Buffer): Buffer {
  const head = `POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n${request.length.toString(16)}\r\n`;
  return Buffer.concat([Buffer.from(head), request, Buffer.from('\r\n0\r\n\r\n')]);
}

async function dial({ port }: Pick<ServedScene, 'port'>): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

/** Sends and gives what came back: so many answers, or everything until the server closes. */
async function raw(served: ServedScene, bytes: string | Buffer, answers = Number.POSITIVE_INFINITY): Promise<string> {
  const socket = await dial(served);
  const text = collect(socket, answers);
  socket.write(bytes);
  const all = await text;
  socket.destroy();
  return all;
}

/** Everything up to the end of that many answers, or until the server closes. */
function collect(socket: Socket, answers: number): Promise<string> {
  return new Promise((resolve) => {
    let told = '';
    let rest = '';
    let left = answers;
    socket.on('data', (data: Buffer) => {
      rest += data.toString('latin1');
      for (let size = firstAnswer(rest); size > 0 && left > 0; size = firstAnswer(rest)) {
        told += rest.slice(0, size);
        rest = rest.slice(size);
        left--;
      }
      if (left === 0) resolve(told);
    });
    socket.on('close', () => resolve(told + rest));
  });
}

/** How long the first answer is with its body; 0 while it is not all there. */
function firstAnswer(text: string): number {
  const end = text.indexOf('\r\n\r\n');
  if (end < 0) return 0;
  const length = Number(/content-length: (\d+)/i.exec(text.slice(0, end))?.[1] ?? 0);
  return text.length < end + 4 + length ? 0 : end + 4 + length;
}
