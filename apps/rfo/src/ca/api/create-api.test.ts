import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, it } from 'node:test';
import { identity } from '@rfo/pki';
import { CfsslError } from '../cfssl-error.ts';
import { csr, sealed, TestApi } from './api.testing.ts';
import { crlPaths } from './create-api.ts';
import type { Endpoint } from './types.ts';

const plain = 'text/plain; charset=utf-8';

function endpoint(name: string, handle: Endpoint['handle']): Endpoint {
  return { name, method: 'POST', handle };
}

describe('the envelope', () => {
  it('is written as Go writes it', async () => {
    const others = [
      endpoint('echo', async ({ body }) => ({ result: { text: body.toString() } })),
      endpoint('told', async () => ({ result: null, messages: [{ code: 5300, message: 'a & b' }] })),
      endpoint('refuse', async () => Promise.reject(new CfsslError(9002, 'Failed to decode "<x>"'))),
      endpoint('break', async () => Promise.reject(new Error('/secret/path'))),
    ];
    await using api = await TestApi.start({ others });
    const good = await api.post('echo', '<a&b>\u2028');
    assert.equal(good.text, '{"success":true,"result":{"text":"\\u003ca\\u0026b\\u003e\\u2028"},"errors":[],"messages":[]}\n');
    assert.equal(good.headers['content-type'], 'application/json');
    const told = await api.post('told', '');
    assert.equal(told.text, '{"success":true,"result":null,"errors":[],"messages":[{"code":5300,"message":"a \\u0026 b"}]}\n');
    const refused = await api.post('refuse', '');
    const message = 'Failed to decode \\"\\u003cx\\u003e\\"';
    assert.equal(refused.text, `{"success":false,"result":null,"errors":[{"code":9002,"message":"${message}"}],"messages":[]}\n`);
    assert.deepEqual([refused.status, refused.headers['content-type'], refused.headers['x-content-type-options']], [400, plain, 'nosniff']);
    const broken = await api.post('break', '');
    assert.deepEqual([broken.status, broken.error?.code], [500, 0]);
    assert.ok(!broken.text.includes('/secret/path'));
    assert.ok(api.lines.some((line) => line.includes('/secret/path')));
  });

  it('answers a wrong verb as cfssl does', async () => {
    await using api = await TestApi.start();
    for (const name of ['info', 'sign', 'authsign', 'newkey', 'newcert', 'init_ca', 'revoke', 'gencrl', 'ocspsign', 'certadd'])
      for (const method of ['GET', 'PUT', 'DELETE']) {
        const answer = await api.ask({ path: `/api/v1/cfssl/${name}`, method });
        assert.deepEqual([answer.status, answer.error], [405, { code: 405, message: `Method is not allowed:"${method}"` }], name);
      }
    for (const name of ['crl', 'health']) assert.equal((await api.post(name, '')).status, 405);
    const head = await api.ask({ path: '/api/v1/cfssl/info', method: 'HEAD' });
    assert.deepEqual([head.status, head.text], [405, '']);
  });

  it('knows nothing at other paths', async () => {
    await using api = await TestApi.start();
    for (const path of [
      '/api/v1/cfssl/',
      '/api/v1/cfssl/info/',
      '/api/v1/cfssl/bad_endpoint',
      '/api/v1/cfssl/authinfo',
      '/x',
      '/api/v1/cfssl/__proto__',
    ]) {
      const answer = await api.ask({ path, method: 'POST' });
      assert.deepEqual([answer.status, answer.text, answer.headers['content-type']], [404, '404 page not found\n', plain], path);
    }
  });

  it('shows people a page, where cfssl has its own', async () => {
    await using api = await TestApi.start();
    for (const path of ['/', '/bundle', '/scan', '/packages']) {
      const answer = await api.ask({ path });
      assert.deepEqual([answer.status, answer.headers['content-type']], [200, 'text/html; charset=utf-8']);
    }
  });

  it('takes any Content-Type for JSON, and an endpoint outside of its own paths', async () => {
    const others = [{ ...endpoint('/api/v1/rfo/renew', async () => ({ result: 'renewed' })) }];
    await using api = await TestApi.start({ others });
    for (const type of ['application/x-www-form-urlencoded', 'text/plain', 'application/json'])
      assert.equal((await api.post('info', '{"label":"primary"}', { headers: { 'content-type': type } })).status, 200);
    assert.equal((await api.ask({ path: '/api/v1/rfo/renew', method: 'POST' })).result, 'renewed');
    assert.equal((await api.ask({ path: '/api/v1/cfssl//api/v1/rfo/renew', method: 'POST' })).status, 404);
  });

  it('hands lists of revoked certificates over to who makes them', async () => {
    const beside = [{ path: crlPaths, handler: (_: unknown, response: { end: (text: string) => void }) => response.end('a list') }];
    await using api = await TestApi.start({ api: { beside } });
    for (const path of ['/crl', '/crl.pem', '/crl/00ff', '/crl/00ff.pem', '/crl?x=1'])
      assert.equal((await api.ask({ path })).text, 'a list', path);
    for (const path of ['/crl/', '/crlx', '/crl/..', '/api/v1/cfssl/crl/00']) assert.equal((await api.ask({ path })).status, 404, path);
  });
});

describe('what strangers may cost', () => {
  it('is a body of a megabyte and no more', async () => {
    const others = [endpoint('size', async ({ body }) => ({ result: body.length }))];
    await using api = await TestApi.start({ others });
    assert.equal((await api.post('size', Buffer.alloc(1024 * 1024))).result, 1024 * 1024);
    const refused = await api.post('size', Buffer.alloc(1024 * 1024 + 1));
    assert.deepEqual([refused.status, refused.error?.code], [413, 413]);
    const chunked = await api.post('size', Buffer.alloc(2 * 1024 * 1024), { headers: { 'transfer-encoding': 'chunked' } });
    assert.equal(chunked.status, 413);
  });

  it('is no body that never ends', async () => {
    await using api = await TestApi.start({ tls: false, api: { bounds: { bodyTime: 50 } } });
    const socket = connect(api.port, '127.0.0.1');
    socket.write('POST /api/v1/cfssl/info HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n\r\n{"label":');
    const [data] = (await once(socket, 'data', { signal: AbortSignal.timeout(90_000) })) as [Buffer];
    assert.match(data.toString(), /^HTTP\/1\.1 408 /);
    socket.destroy();
  });

  it('is no request that never begins', async () => {
    await using api = await TestApi.start({ tls: false, bounds: { headersTime: 100 } });
    const socket = connect(api.port, '127.0.0.1');
    socket.write('POST /api/v1/cfssl/info HTTP/1.1\r\nhost: a\r\n');
    const [data] = (await once(socket, 'data', { signal: AbortSignal.timeout(90_000) })) as [Buffer];
    assert.match(data.toString(), /^HTTP\/1\.1 408 /);
    socket.destroy();
  });

  it('is a number of requests at once: who comes on top waits, and is sent away when too many wait', async () => {
    const open = Promise.withResolvers<void>();
    let inside = 0;
    const full = Promise.withResolvers<void>();
    const others = [
      endpoint('slow', async () => {
        if (++inside === 2) full.resolve();
        await open.promise;
        return { result: 'done' };
      }),
    ];
    await using api = await TestApi.start({ others, api: { bounds: { inFlight: 2, waiting: 1 } } });
    const first = [api.post('slow', ''), api.post('slow', '')];
    await full.promise;
    const third = api.post('slow', '');
    const fourth = api.post('slow', '');
    const refused = await Promise.race([third, fourth]);
    assert.deepEqual([refused.status, refused.error?.code, refused.headers['retry-after']], [503, 503, '2']);
    open.resolve();
    const rest = await Promise.all([...first, third, fourth]);
    assert.deepEqual(rest.map(({ status }) => status).sort(), [200, 200, 200, 503]);
  });

  it('is nothing but an answer to what is no HTTP', async () => {
    await using api = await TestApi.start({ tls: false });
    const socket = connect(api.port, '127.0.0.1');
    socket.write('hello\r\n\r\n');
    const [data] = (await once(socket, 'data', { signal: AbortSignal.timeout(90_000) })) as [Buffer];
    assert.match(data.toString(), /^HTTP\/1\.1 400 Bad Request\r\ncontent-type: text\/plain; charset=utf-8\r\n/);
    socket.destroy();
  });

  it('tells an endpoint when its client goes away', async () => {
    const begun = Promise.withResolvers<void>();
    const gone = Promise.withResolvers<void>();
    const others = [
      endpoint('wait', async ({ signal }) => {
        begun.resolve();
        await once(signal, 'abort');
        gone.resolve();
        return { result: null };
      }),
    ];
    await using api = await TestApi.start({ others, tls: false });
    const socket = connect(api.port, '127.0.0.1');
    socket.write('POST /api/v1/cfssl/wait HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n');
    await begun.promise;
    socket.destroy();
    await gone.promise;
    assert.equal((await api.post('info', '{}')).status, 200);
  });
});

it('answers what is under way when its life ends, and lets nobody new in', async () => {
  const begun = Promise.withResolvers<void>();
  const open = Promise.withResolvers<void>();
  const others = [
    endpoint('slow', async () => {
      begun.resolve();
      await open.promise;
      return { result: 'done' };
    }),
  ];
  await using api = await TestApi.start({ others });
  const answer = api.post('slow', '');
  await begun.promise;
  const ended = api.life.end();
  await assert.rejects(api.post('info', '{}'), /ECONNREFUSED/);
  open.resolve();
  assert.equal((await answer).result, 'done');
  await ended;
});

it('does not wait for ever for what is under way', async () => {
  const begun = Promise.withResolvers<void>();
  const others = [
    endpoint('stuck', async () => {
      begun.resolve();
      return await new Promise<never>(() => undefined);
    }),
  ];
  await using api = await TestApi.start({ others, bounds: { grace: 20 } });
  const answer = assert.rejects(api.post('stuck', ''), /socket hang up|ECONNRESET/);
  await begun.promise;
  await api.life.end();
  await answer;
});

it('leaves nothing listening that -disable names, and says why an endpoint is off', async () => {
  const disable = ['sign', 'revoke', 'nonsense'];
  await using api = await TestApi.start({ disable, parts: (parts) => ({ ...parts, responder: undefined }) });
  const request = sealed({ certificate_request: csr(identity('a')), profile: 'keyed' });
  assert.equal((await api.post('authsign', request)).status, 200);
  for (const name of ['sign', 'revoke', 'ocspsign']) assert.equal((await api.post(name, '{}')).status, 404, name);
  assert.deepEqual(api.endpoints.disabled, [
    { name: 'sign', why: 'explicitly disabled' },
    { name: 'revoke', why: 'explicitly disabled' },
    { name: 'ocspsign', why: 'signer not initialized' },
    { name: 'nonsense', why: 'there is no endpoint of this name' },
  ]);
});

it('has without a CA and a database only what needs neither, as cfssl', async () => {
  await using api = await TestApi.start({
    parts: (parts) => ({ ...parts, authority: undefined, records: undefined, responder: undefined }),
  });
  for (const name of ['sign', 'authsign', 'newcert', 'info', 'ocspsign', 'crl', 'gencrl', 'revoke', 'certadd'])
    assert.equal((await api.ask({ path: `/api/v1/cfssl/${name}` })).status, 404, name);
  for (const name of ['init_ca', 'newkey']) assert.equal((await api.ask({ path: `/api/v1/cfssl/${name}` })).status, 405, name);
  assert.equal((await api.get('health')).status, 200);
});
