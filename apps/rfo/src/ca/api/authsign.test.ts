import assert from 'node:assert/strict';
import { createPublicKey, X509Certificate } from 'node:crypto';
import { Agent } from 'node:https';
import { describe, it } from 'node:test';
import { certificateInfo, formatAltName, formatName, generateKey, identity, publicKeyBytes } from '@rfo/pki';
import { authKey, csr, formerKey, sealed, TestApi, testConfig } from './api.testing.ts';

const subject = identity('www.example.com', ['Example']);

function certificateOf(result: unknown): string {
  const { certificate } = result as { certificate: string };
  return certificate;
}

describe('authsign', () => {
  it('gives a certificate that is in the database before it is answered, with a line in the audit log', async () => {
    await using api = await TestApi.start();
    const answer = await api.post(
      'authsign',
      sealed({ certificate_request: csr(subject, ['www.example.com']), profile: 'keyed', label: 'primary' }),
    );
    assert.equal(answer.status, 200, answer.text);
    const pem = certificateOf(answer.result);
    const issued = new X509Certificate(pem);
    assert.ok(issued.verify(new X509Certificate(api.caPem).publicKey));
    assert.equal(issued.subjectAltName, 'DNS:www.example.com');
    const serial = BigInt(`0x${issued.serialNumber}`).toString();
    const record = api.store.store.find({ serial, authorityKeyId: api.authorityKeyId });
    assert.equal(record?.pem, pem);
    assert.equal(record?.caLabel, 'primary');
    assert.equal(record?.status, 'good');
    assert.deepEqual(record?.sans, ['www.example.com']);
    const [line] = api.audit().slice(-1);
    assert.equal(line?.act, 'authsign');
    assert.equal(line?.result, 'done');
    assert.equal(line?.serial, serial);
    assert.equal(line?.key, 'auth_key');
    assert.equal(line?.profile, 'keyed');
    assert.equal(line?.remote, '127.0.0.1');
    assert.ok(!JSON.stringify(api.audit()).toLowerCase().includes(authKey.toLowerCase()));
  });

  it('takes the former key as well, and no key of another profile or of nobody', async () => {
    await using api = await TestApi.start();
    const inner = { certificate_request: csr(subject, ['a.example']), profile: 'keyed' };
    assert.equal((await api.post('authsign', sealed(inner, formerKey))).status, 200);
    assert.equal(api.audit().at(-1)?.key, 'prev_auth_key');
    const other = { ...inner, profile: 'kubelet-client' };
    for (const request of [sealed(other, formerKey), sealed(inner, '00'.repeat(16)), sealed(inner, 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa')]) {
      const refused = await api.post('authsign', request);
      assert.deepEqual([refused.status, refused.error], [400, { code: 400, message: 'invalid token' }]);
    }
    assert.equal(api.count(), 1);
    assert.equal(api.audit().at(-1)?.result, 'refused');
  });

  it('refuses in the order and the words of cfssl', async () => {
    await using api = await TestApi.start();
    const good = sealed({ certificate_request: csr(subject), profile: 'keyed' });
    const request = (inner: string) => ({ ...sealed(inner), request: Buffer.from(inner).toString('base64') });
    const cases: readonly (readonly [string | object, string])[] = [
      ['', 'unexpected end of JSON input'],
      ['{', 'unexpected end of JSON input'],
      ['hello', "invalid character 'h' looking for beginning of value"],
      ['[]', 'json: cannot unmarshal array into Go value of type auth.AuthenticatedRequest'],
      ['{"token":"x"}', 'illegal base64 data at input byte 0'],
      ['{"timestamp":"now"}', 'json: cannot unmarshal string into Go struct field AuthenticatedRequest.timestamp of type int64'],
      ['{}', 'Unable to parse authenticated sign request'],
      [request('nonsense'), 'Unable to parse authenticated sign request'],
      [request('{"serial":"1"}'), 'Unable to parse authenticated sign request'],
      [{ ...good, token: '' }, 'invalid token'],
      [{ ...good, token: Buffer.alloc(31).toString('base64') }, 'invalid token'],
      [{ ...good, token: Buffer.alloc(32).toString('base64') }, 'invalid token'],
      [{ request: good.request }, 'invalid token'],
      [
        { token: good.token, request: Buffer.from(`${Buffer.from(good.request, 'base64').toString()} `).toString('base64') },
        'invalid token',
      ],
      [sealed({ profile: 'open' }), 'no authentication provider'],
      [sealed({ profile: 'keyed' }), "missing parameter 'certificate_request'"],
    ];
    for (const [body, message] of cases) {
      const refused = await api.post('authsign', body);
      assert.deepEqual([refused.status, refused.error], [400, { code: 400, message }], JSON.stringify(body));
      assert.equal(refused.headers['content-type'], 'text/plain; charset=utf-8');
    }
    const unknown = await api.post('authsign', sealed({ certificate_request: csr(subject), profile: 'unheard-of' }));
    assert.deepEqual([unknown.status, unknown.error?.code], [400, 5400]);
    assert.equal(api.count(), 0);
  });

  it('verifies the bytes that came, not what they mean', async () => {
    await using api = await TestApi.start();
    const text = `{ "PROFILE":"keyed",\n\t"certificate_request" : ${JSON.stringify(csr(subject, ['b.example']))}, "hosts":null, "NotBefore":"0001-01-01T00:00:00Z"}\n\n`;
    assert.equal((await api.post('authsign', sealed(text))).status, 200);
  });

  it('serves 64 connections at once, each serial number once, all of them in the database', async () => {
    await using api = await TestApi.start();
    const request = csr(subject, ['many.example']);
    const agent = new Agent({ keepAlive: true, maxSockets: 64 });
    const body = sealed({ certificate_request: request, profile: 'keyed' });
    const answers = await Promise.all(Array.from({ length: 256 }, () => api.post('authsign', body, { agent })));
    agent.destroy();
    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
    const serials = new Set(answers.map(({ result }) => certificateInfo(certificateOf(result)).serial));
    assert.equal(serials.size, 256);
    assert.equal(api.count(), 256);
  });

  it('does not let strangers fill the log', async () => {
    await using api = await TestApi.start();
    const request = sealed({ certificate_request: csr(subject), profile: 'keyed' }, '00');
    const answers = await Promise.all(Array.from({ length: 30 }, () => api.post('authsign', request)));
    assert.ok(answers.every(({ error }) => error?.message === 'invalid token'));
    assert.equal(api.audit().filter(({ result }) => result === 'refused').length, 30);
    assert.equal(api.lines.filter((line) => line.includes('a request was refused')).length, 20);
  });

  it('signs nothing that cannot be written down', async () => {
    await using api = await TestApi.start({
      parts: (parts) => {
        const { records } = parts;
        assert.ok(records !== undefined);
        const insert = () => Promise.reject(new Error('the disk is gone'));
        return { ...parts, records: { ...records, store: { ...records.store, insert } } };
      },
    });
    const answer = await api.post('authsign', sealed({ certificate_request: csr(subject), profile: 'keyed' }));
    assert.deepEqual([answer.status, answer.error?.code], [500, 0]);
    assert.ok(!answer.text.includes('BEGIN CERTIFICATE') && !answer.text.includes('the disk is gone'));
    assert.ok(api.lines.some((line) => line.includes('the disk is gone')));
  });

  it('says by a message that there is no bundler, and bundles where there is one', async () => {
    const inner = { certificate_request: csr(subject, ['c.example']), profile: 'keyed', bundle: true };
    await using without = await TestApi.start();
    const answer = await without.post('authsign', sealed(inner));
    const message = 'This request requires a bundler, but one is not initialized for the API server.';
    assert.equal(answer.status, 200);
    assert.deepEqual((JSON.parse(answer.text) as { messages: unknown }).messages, [{ code: 5300, message }]);
    await using bundling = await TestApi.start({ parts: (parts) => ({ ...parts, bundle: async (pem) => ({ crt: pem }) }) });
    const { result } = await bundling.post('authsign', sealed(inner));
    assert.deepEqual((result as { bundle: unknown }).bundle, { crt: certificateOf(result) });
  });
});

describe('a join token', () => {
  const wish = {
    node: 'worker-1',
    profiles: ['kubelet-client', 'kubelet-serving'],
    addresses: ['10.0.0.0/8'],
    maxNodes: 1,
    description: '',
    expiresAt: undefined,
  };

  it('works as the auth key of an unmodified client, and forces the identity of its node', async () => {
    await using api = await TestApi.start();
    const { key, token } = await api.store.tokens.create(wish);
    const names = ['worker-1', 'worker-1.example', '10.1.2.3'];
    const request = csr(identity('system:node:worker-1', ['system:masters']), names);
    for (const profile of ['kubelet-client', 'kubelet-serving']) {
      const answer = await api.post('authsign', sealed({ certificate_request: request, profile }, key));
      assert.equal(answer.status, 200, answer.text);
      const info = certificateInfo(certificateOf(answer.result));
      assert.equal(formatName(info.subject), 'CN=system:node:worker-1,O=system:nodes');
      const expected = profile === 'kubelet-client' ? [] : ['DNS:worker-1', 'DNS:worker-1.example', 'IP:10.1.2.3'];
      assert.deepEqual(info.altNames.map(formatAltName), expected);
      const line = api.audit().at(-1);
      assert.deepEqual([line?.token, line?.node, line?.result], [token.id, 'worker-1', 'done']);
    }
    assert.ok(!JSON.stringify(api.audit()).includes(key));
  });

  it('gives the same certificate to the same key again, and nothing to another', async () => {
    await using api = await TestApi.start();
    const { key } = await api.store.tokens.create(wish);
    const own = generateKey();
    const inner = { certificate_request: csr(identity('system:node:worker-1'), [], own), profile: 'kubelet-client' };
    const first = await api.post('authsign', sealed(inner, key));
    const second = await api.post('authsign', sealed({ ...inner, certificate_request: csr(identity('worker-1'), [], own) }, key));
    assert.equal(second.status, 200, second.text);
    assert.equal(certificateOf(second.result), certificateOf(first.result));
    const publicKey = publicKeyBytes(createPublicKey(own));
    assert.ok(certificateInfo(certificateOf(first.result)).publicKey.equals(publicKey));
    const thief = await api.post('authsign', sealed({ ...inner, certificate_request: csr(identity('system:node:worker-1')) }, key));
    assert.deepEqual([thief.status, thief.error?.message], [400, 'invalid token']);
    assert.equal(api.audit().at(-1)?.code, 'ca-token-used-up');
    assert.equal(api.count(), 1);
  });

  it('gives one certificate to a node that asks eight times at once', async () => {
    await using api = await TestApi.start();
    const { key } = await api.store.tokens.create(wish);
    const body = sealed({ certificate_request: csr(identity('system:node:worker-1')), profile: 'kubelet-client' }, key);
    const answers = await Promise.all(Array.from({ length: 8 }, () => api.post('authsign', body)));
    assert.deepEqual(
      answers.map(({ status }) => status),
      Array(8).fill(200),
    );
    assert.equal(new Set(answers.map(({ result }) => certificateOf(result))).size, 1);
    assert.equal(api.count(), 1);
  });

  it('gives nothing to a node that was shut out', async () => {
    await using api = await TestApi.start();
    const { key } = await api.store.tokens.create(wish);
    const body = sealed({ certificate_request: csr(identity('system:node:worker-1')), profile: 'kubelet-client' }, key);
    await api.post('authsign', body);
    const [record] = api.store.store.list({ node: 'worker-1' });
    assert.ok(record !== undefined);
    await api.store.store.revoke(record, { reason: 1, at: Date.now() });
    assert.equal((await api.post('authsign', body)).error?.message, 'invalid token');
  });

  it('is refused for another name, another profile, foreign names and addresses, and when it has expired', async () => {
    let now = Date.now();
    await using api = await TestApi.start({ clock: { now: () => now } });
    const { key } = await api.store.tokens.create({ ...wish, expiresAt: now + 1000 });
    const refusal = async (inner: object) => {
      const { status, error } = await api.post('authsign', sealed(inner, key));
      return [status, error?.code, api.audit().at(-1)?.result];
    };
    const node = identity('system:node:worker-1', ['system:nodes']);
    const serving = { certificate_request: csr(node), profile: 'kubelet-serving' };
    assert.deepEqual(await refusal({ ...serving, certificate_request: csr(identity('system:node:worker-2')) }), [400, 5500, 'refused']);
    assert.deepEqual(await refusal({ ...serving, subject: { CN: 'system:node:worker-2' } }), [400, 5500, 'refused']);
    assert.deepEqual(await refusal({ ...serving, hosts: ['kubernetes'] }), [400, 5500, 'refused']);
    assert.deepEqual(await refusal({ ...serving, hosts: ['192.0.2.1'] }), [400, 5500, 'refused']);
    assert.deepEqual(await refusal({ ...serving, profile: 'keyed' }), [400, 400, 'refused']);
    assert.equal(api.audit().at(-1)?.code, 'ca-token-wrong-profile');
    now += 2000;
    assert.deepEqual(await refusal(serving), [400, 400, 'refused']);
    assert.equal(api.audit().at(-1)?.code, 'ca-token-expired');
    assert.equal(api.count(), 0);
  });

  it('opens nothing but authsign', async () => {
    await using api = await TestApi.start();
    const { key } = await api.store.tokens.create(wish);
    const refused = await api.post('newcert', sealed({ request: { CN: 'x', hosts: ['x'] } }, key));
    assert.deepEqual([refused.status, refused.error], [400, { code: 400, message: 'invalid token' }]);
  });
});

it('is off where no profile has a key', async () => {
  const { signing } = testConfig;
  const config = { signing: { default: signing.default, profiles: { open: signing.profiles.open } } };
  await using api = await TestApi.start({ config });
  assert.equal((await api.post('authsign', {})).status, 404);
  const why = '{"code":5200,"message":"Invalid or unknown policy"}';
  assert.deepEqual(api.endpoints.disabled, [{ name: 'authsign', why }]);
});
