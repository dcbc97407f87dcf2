import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { connect, type SecureVersion, type TLSSocket } from 'node:tls';
import { certificateInfo, decodeKey, generateKey, identity } from '@rfo/pki';
import { compileGoRegexp } from '../config/go-regexp.ts';
import { clientCertificate, selfSigned, TestApi } from './api.testing.ts';
import type { Endpoint } from './types.ts';

const who: Endpoint = {
  name: '/api/v1/rfo/who',
  method: 'POST',
  handle: async ({ client }) => ({
    result: client === undefined ? null : { name: client.commonName, groups: client.organizations, operator: client.operator },
  }),
};
const asking = { path: who.name, method: 'POST' };

async function shown(
  port: number,
  options: { readonly maxVersion?: SecureVersion } = {},
): Promise<{ readonly name: string; readonly socket: TLSSocket }> {
  const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ...options });
  await once(socket, 'secureConnect', { signal: AbortSignal.timeout(90_000) });
  return { name: new X509Certificate(socket.getPeerCertificate().raw).subject, socket };
}

describe('the certificate of the port', () => {
  it('is the renewed one from the next connection on, and open connections stay', async () => {
    await using api = await TestApi.start();
    const before = await shown(api.port);
    assert.equal(before.name, 'CN=localhost');
    api.writeServing('tls', 'renewed');
    const after = await shown(api.port);
    assert.equal(after.name, 'CN=renewed');
    before.socket.write('GET /api/v1/cfssl/health HTTP/1.1\r\nhost: a\r\n\r\n');
    const [data] = (await once(before.socket, 'data', { signal: AbortSignal.timeout(90_000) })) as [Buffer];
    assert.match(data.toString(), /^HTTP\/1\.1 200 /);
    before.socket.destroy();
    after.socket.destroy();
  });

  it('stays as it is while the new one and its key do not belong together, and says so once', async () => {
    await using api = await TestApi.start();
    const next = selfSigned('next');
    const shows = async () => {
      const { name, socket } = await shown(api.port);
      socket.destroy();
      return name;
    };
    writeFileSync(api.file('tls.pem'), next.cert);
    assert.deepEqual([await shows(), await shows()], ['CN=localhost', 'CN=localhost']);
    assert.equal(api.lines.filter((line) => line.includes('cannot be used yet')).length, 1);
    writeFileSync(api.file('tls-key.pem'), next.key);
    assert.equal(await shows(), 'CN=next');
  });

  it('is nothing without a key that fits', async () => {
    await assert.rejects(TestApi.start({ tls: { keyFile: '/nowhere/tls-key.pem' } }), /ENOENT/);
  });
});

it('speaks no TLS below the least version', async () => {
  await using usual = await TestApi.start();
  await assert.rejects(shown(usual.port, { maxVersion: 'TLSv1.1' }));
  (await shown(usual.port, { maxVersion: 'TLSv1.2' })).socket.destroy();
  await using newest = await TestApi.start({ tls: { minVersion: 'TLSv1.3' } });
  await assert.rejects(shown(newest.port, { maxVersion: 'TLSv1.2' }));
});

describe('certificates of clients', () => {
  /** A CA of operators in a file. */
  function operators(api: { readonly file: (name: string) => string }): {
    readonly by: Parameters<typeof clientCertificate>[1];
    readonly file: string;
  } {
    const files = ['operators-key.pem', 'operators.pem'].map((name) => api.file(name)) as [string, string];
    const [key, certificate] = files;
    const subject = ['-subj', '/CN=operators', '-addext', 'basicConstraints=critical,CA:TRUE', '-addext', 'keyUsage=critical,keyCertSign'];
    const make = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '1', ...subject];
    execFileSync('openssl', [...make, '-keyout', key, '-out', certificate], { stdio: 'pipe', timeout: 30_000 });
    return {
      by: { key: decodeKey(readFileSync(key, 'utf8'), key), certificate: certificateInfo(readFileSync(certificate, 'utf8')) },
      file: certificate,
    };
  }

  it('of this CA are known where one asks for them, and nobody needs one', async () => {
    await using home = await TestApi.start();
    await using api = await TestApi.start({ others: [who], tls: { ownFile: home.file('ca.pem') } });
    const node = home.clientOf(identity('system:node:worker-1', ['system:nodes']));
    assert.deepEqual((await api.ask({ ...asking, as: node })).result, {
      name: 'system:node:worker-1',
      groups: ['system:nodes'],
      operator: false,
    });
    assert.equal((await api.ask(asking)).result, null);
    assert.equal((await api.ask({ ...asking, as: selfSigned('system:node:worker-1') })).result, null);
  });

  it('of operators are needed by everybody, with a name that fits, once their CA is named', async () => {
    await using home = await TestApi.start();
    const { by, file } = operators(home);
    const names = compileGoRegexp('^admin-');
    const tls = { ownFile: home.file('ca.pem'), operatorsFile: file };
    await using api = await TestApi.start({ others: [who], tls, api: { operatorsOnly: { names } } });
    const admin = clientCertificate(identity('admin-1'), by);
    assert.equal((await api.post('info', '{}', { as: admin })).status, 200);
    assert.deepEqual((await api.ask({ ...asking, as: admin })).result, { name: 'admin-1', groups: [], operator: true });
    const other = await api.post('info', '{}', { as: clientCertificate(identity('somebody'), by) });
    assert.deepEqual([other.status, other.text, other.headers['content-type']], [403, 'Invalid CN\n', 'text/plain; charset=utf-8']);
    await assert.rejects(api.post('info', '{}'));
    await assert.rejects(api.post('info', '{}', { as: selfSigned('admin-1') }));
    const node = home.clientOf(identity('admin-2', ['system:nodes']));
    assert.equal((await api.post('info', '{}', { as: node })).status, 403);
    assert.deepEqual((await api.ask({ ...asking, as: node })).result, { name: 'admin-2', groups: ['system:nodes'], operator: false });
  });

  it('that only claim to come from the CA of operators make no operator', async () => {
    await using home = await TestApi.start();
    const { by, file } = operators(home);
    assert.ok(by !== undefined);
    await using api = await TestApi.start({ others: [who], tls: { ownFile: home.file('ca.pem'), operatorsFile: file } });
    const own = home.clientOf(identity('system:node:worker-1', ['system:nodes']));
    // Sends along a certificate of the same name as this CA's that says it was issued by the operators, and their certificate.
    const forged = clientCertificate(identity('test CA'), { ...by, key: generateKey() }).cert + readFileSync(file, 'utf8');
    const answer = await api.ask({ ...asking, as: { cert: own.cert + forged, key: own.key } });
    assert.deepEqual(answer.result, { name: 'system:node:worker-1', groups: ['system:nodes'], operator: false });
  });

  it('open the dangerous endpoints to operators, and to no node', async () => {
    await using home = await TestApi.start();
    const { by, file } = operators(home);
    await using api = await TestApi.start({ tls: { ownFile: home.file('ca.pem'), operatorsFile: file } });
    const wish = { CN: 'x', hosts: ['x.example'] };
    assert.equal((await api.post('newkey', wish, { as: clientCertificate(identity('admin'), by) })).status, 200);
    assert.equal(api.audit().at(-1)?.client, 'CN=admin');
    for (const subject of [identity('system:node:a'), identity('a', ['system:nodes'])]) {
      const refused = await api.post('newkey', wish, { as: clientCertificate(subject, by) });
      assert.deepEqual([refused.status, refused.error?.message], [400, 'invalid token']);
    }
    const own = await api.post('newkey', wish, { as: home.clientOf(identity('admin')) });
    assert.deepEqual([own.status, own.error?.message], [400, 'invalid token']);
  });
});

it('is plain HTTP where it is told so', async () => {
  await using api = await TestApi.start({ tls: false });
  assert.deepEqual((await api.get('health')).result, { healthy: true });
});

it('says who has its port', async () => {
  await using api = await TestApi.start({ tls: false });
  const { startApi } = await import('./start-api.ts');
  const again = startApi({
    handler: () => undefined,
    host: '127.0.0.1',
    port: api.port,
    tls: undefined,
    life: api.life,
    log: api.parts.log,
  });
  await assert.rejects(again, { code: 'port-taken' });
});
