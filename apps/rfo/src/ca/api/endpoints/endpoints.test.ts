import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { describe, it } from 'node:test';
import { certificateInfo, decodeCrl, decodeOcspResponse, decodePem, decodeRequest, formatName, identity } from '@rfo/pki';
import type { CompatName } from '../../signing/compat.ts';
import { adminKey, authKey, csr, sealed, TestApi } from '../api.testing.ts';

const open: ReadonlySet<CompatName> = new Set(['open-endpoints']);
const subject = identity('www.example.com', ['Example']);

const pemOf = (result: unknown): string => (result as { certificate: string }).certificate;

describe('the dangerous endpoints', () => {
  const names = ['newkey', 'newcert', 'init_ca', 'revoke', 'gencrl', 'ocspsign', 'certadd'];

  it('do nothing for who is not known', async () => {
    await using api = await TestApi.start();
    for (const name of names)
      for (const body of [
        {},
        { token: '', request: 'e30=' },
        sealed('{}', '00'),
        { request: { CN: 'admin', hosts: ['a'] }, profile: 'open' },
      ]) {
        const { status, error, result } = await api.post(name, body);
        assert.ok(status === 400 && error?.code === 400 && result === null, name);
        if (!('request' in body) || typeof body.request === 'string') assert.equal(error.message, 'invalid token');
        const line = api.audit().at(-1);
        assert.deepEqual([line?.act, line?.result], [name, 'refused']);
      }
    assert.equal(api.count(), 0);
  });

  it('take the envelope of authsign with a key that no profile has, and with no other', async () => {
    await using api = await TestApi.start();
    const wish = { request: { CN: 'a.example', hosts: ['a.example'] }, profile: 'open' };
    const { status, result } = await api.post('newcert', sealed(wish, adminKey));
    assert.equal(status, 200);
    assert.equal(formatName(certificateInfo(pemOf(result)).subject), 'CN=a.example');
    // It stands in the user data of every node.
    const { error } = await api.post('newcert', sealed(wish, authKey));
    assert.equal(error?.message, 'invalid token');
    assert.equal(api.count(), 1);
  });

  it('are open to everybody where that is switched on', async () => {
    await using api = await TestApi.start({ compat: open });
    const { status } = await api.post('newcert', { request: { CN: 'a.example', hosts: ['a.example'] }, profile: 'open' });
    assert.equal(status, 200);
  });
});

describe('newkey, newcert and init_ca', () => {
  it('make keys of every kind with their requests', async () => {
    await using api = await TestApi.start({ compat: open });
    const cases = [
      [undefined, 'EC PRIVATE KEY', 'ECDSA-SHA256'],
      [{ algo: 'ecdsa', size: 384 }, 'EC PRIVATE KEY', 'ECDSA-SHA384'],
      [{ algo: 'rsa', size: 2048 }, 'RSA PRIVATE KEY', 'SHA256-RSA'],
      [{ algo: 'ed25519' }, 'Ed25519 PRIVATE KEY', 'Ed25519'],
    ] as const;
    for (const [key, label, algorithm] of cases) {
      const { result } = await api.post('newkey', { CN: 'a.example', names: [{ O: 'one' }, { O: 'two' }], hosts: ['a.example'], key });
      const { private_key, certificate_request, sums } = result as Record<'private_key' | 'certificate_request', string> & { sums: object };
      assert.equal(decodePem(private_key)[0]?.label, label);
      const [block] = decodePem(certificate_request);
      assert.ok(block !== undefined);
      const request = decodeRequest(block.bytes);
      assert.equal(request.signatureAlgorithm, algorithm);
      assert.equal(formatName(request.subject), 'CN=a.example,O=two,O=one');
      assert.deepEqual(Object.keys(sums), ['certificate_request']);
    }
  });

  it('refuse keys that nobody should have, a CA where none is made, and what is no request', async () => {
    await using api = await TestApi.start({ compat: open });
    const cases: readonly (readonly [string, unknown, number, number, string])[] = [
      ['newkey', '', 400, 400, 'unexpected end of JSON input'],
      ['newkey', { key: { algo: 'dsa', size: 1024 } }, 400, 2400, 'invalid algorithm'],
      ['newkey', { key: { algo: 'rsa', size: 1024 } }, 400, 2400, 'RSA key is too weak'],
      ['newkey', { key: { algo: 'rsa', size: 16384 } }, 400, 2400, 'RSA key size too large'],
      ['newkey', { key: { algo: 'ecdsa', size: 100 } }, 400, 2400, 'invalid curve'],
      ['newkey', { CN: 'x', ca: { expiry: '1h' } }, 400, 400, 'ca section only permitted in initca'],
      ['newcert', { request: { CN: 'x', ca: {} } }, 400, 400, 'ca section only permitted in initca'],
      ['newcert', { request: null }, 400, 400, 'missing request section'],
      ['newcert', '[]', 400, 400, 'json: cannot unmarshal array into Go value of type generator.genSignRequest'],
      ['init_ca', {}, 400, 5300, 'missing subject information'],
      ['init_ca', { CN: 'x', ca: { expiry: '1d' } }, 500, 0, 'time: unknown unit "d" in duration "1d"'],
    ];
    for (const [name, body, status, code, message] of cases) {
      const answer = await api.post(name, body as object);
      assert.deepEqual([answer.status, answer.error], [status, { code, message }], JSON.stringify(body));
    }
  });

  it('tell the sums of what they made, and that hosts are missing', async () => {
    await using api = await TestApi.start({ compat: open });
    const answer = await api.post('newcert', { request: { CN: 'a.example' }, profile: 'open' });
    const { certificate, sums } = answer.result as { certificate: string; sums: { certificate: Record<string, string> } };
    assert.equal(sums.certificate['sha-1'], new X509Certificate(certificate).fingerprint.replaceAll(':', ''));
    assert.equal(sums.certificate['sha-256'], new X509Certificate(certificate).fingerprint256.replaceAll(':', ''));
    const [message] = (JSON.parse(answer.text) as { messages: readonly { code: number; message: string }[] }).messages;
    assert.equal(message?.code, 5300);
    assert.match(message.message, /"hosts"/);
    assert.equal(api.count(), 1);
  });

  it('make a root that signs for itself', async () => {
    await using api = await TestApi.start({ compat: open });
    const { result } = await api.post('init_ca', { CN: 'my root', key: { algo: 'ecdsa', size: 256 }, ca: { expiry: '100h', pathlen: 1 } });
    const root = certificateInfo(pemOf(result));
    assert.ok(root.ca && root.pathLength === 1);
    assert.equal(formatName(root.issuer), 'CN=my root');
  });
});

describe('revoke and crl', () => {
  it('revoke a certificate, and list it', async () => {
    await using api = await TestApi.start({ compat: open });
    const { result } = await api.post('sign', { certificate_request: csr(subject), profile: 'open' });
    const serial = BigInt(`0x${certificateInfo(pemOf(result)).serial}`);
    const key = { serial: serial.toString(), authority_key_id: api.authorityKeyId };
    const revoked = await api.post('revoke', { ...key, reason: 'KeyCompromise' });
    assert.equal(revoked.text, '{"success":true,"result":{},"errors":[],"messages":[]}\n');
    const list = decodeCrl(Buffer.from((await api.get('crl')).result as string, 'base64'));
    assert.deepEqual(
      list.entries.map((entry) => [entry.serial, entry.reason]),
      [[serial, 1]],
    );
    const short = decodeCrl(Buffer.from((await api.get('crl?expiry=2h')).result as string, 'base64'));
    assert.equal((short.nextUpdate ?? 0) - short.thisUpdate, 7_200_000);
    const bad = await api.get('crl?expiry=1d');
    assert.deepEqual([bad.status, bad.error], [500, { code: 0, message: 'time: unknown unit "d" in duration "1d"' }]);
    assert.equal((await api.post('revoke', { ...key, reason: '4' })).status, 200);
    assert.equal(api.store.store.find({ serial: key.serial, authorityKeyId: key.authority_key_id })?.reason, 4);
  });

  it('refuse in the words of cfssl', async () => {
    await using api = await TestApi.start({ compat: open });
    const cases: readonly (readonly [unknown, number, string])[] = [
      ['x', 400, 'Unable to parse revocation request'],
      ['{"serial":1}', 400, 'Unable to parse revocation request'],
      [{}, 400, 'serial number is required but not provided'],
      ...['0', '10', '99', '-1', 'bad', '1.5'].map((reason) => [{ serial: '1', reason }, 400, 'Invalid reason code'] as const),
      [{ serial: '1', authority_key_id: 'ff', reason: '1' }, 11200, 'failed to revoke the certificate: certificate not found'],
      [
        { serial: '1', authority_key_id: api.authorityKeyId.toUpperCase() },
        11200,
        'failed to revoke the certificate: certificate not found',
      ],
    ];
    for (const [body, code, message] of cases) {
      const answer = await api.post('revoke', body as object);
      assert.deepEqual([answer.status, answer.error], [400, { code, message }], JSON.stringify(body));
    }
  });

  it('give the list that is served elsewhere, where there is one', async () => {
    await using api = await TestApi.start({ parts: (parts) => ({ ...parts, crl: async () => Buffer.from('the list') }) });
    assert.equal((await api.get('crl')).result, Buffer.from('the list').toString('base64'));
  });
});

describe('gencrl', () => {
  it('signs a list with the key that comes along, and refuses as cfssl does', async () => {
    await using api = await TestApi.start({ compat: open });
    const made = (await api.post('init_ca', { CN: 'elsewhere' })).result as { certificate: string; private_key: string };
    const body = {
      certificate: made.certificate,
      issuingKey: made.private_key,
      serialNumber: ['1', '12345678901234567890123'],
      expireTime: '3600',
    };
    const list = decodeCrl(Buffer.from((await api.post('gencrl', body)).result as string, 'base64'));
    assert.equal(formatName(list.issuer), 'CN=elsewhere');
    assert.deepEqual(
      list.entries.map(({ serial }) => serial),
      [1n, 12345678901234567890123n],
    );
    assert.equal((list.nextUpdate ?? 0) - list.thisUpdate, 3_600_000);
    const cases: readonly (readonly [unknown, number, number, string])[] = [
      ['{', 500, 0, 'unexpected end of JSON input'],
      [{ ...body, expireTime: 'x' }, 500, 0, 'strconv.ParseInt: parsing "x": invalid syntax'],
      [{ ...body, expireTime: '99999999999' }, 500, 0, 'strconv.ParseInt: parsing "99999999999": value out of range'],
      [{ ...body, certificate: 'x' }, 400, 400, 'malformed certificate'],
      [{ ...body, issuingKey: 'x' }, 400, 400, 'malformed Private Key'],
    ];
    for (const [bad, status, code, message] of cases) {
      const answer = await api.post('gencrl', bad as object);
      assert.deepEqual([answer.status, answer.error], [status, { code, message }], message);
    }
    assert.ok(!JSON.stringify(api.audit()).includes('PRIVATE'));
  });
});

describe('ocspsign', () => {
  it('says of a certificate what it is told to say', async () => {
    await using api = await TestApi.start({ compat: open });
    const { result } = await api.post('sign', { certificate_request: csr(subject), profile: 'open' });
    const certificate = pemOf(result);
    const cases = [
      [{}, { kind: 'good' }],
      [{ status: 'unknown' }, { kind: 'unknown' }],
      [
        { status: 'revoked', reason: 4, revoked_at: '2020-01-02' },
        { kind: 'revoked', at: Date.UTC(2020, 0, 2), reason: 4 },
      ],
    ] as const;
    for (const [more, expected] of cases) {
      const answer = await api.post('ocspsign', { certificate, ...more });
      const { ocspResponse } = answer.result as { ocspResponse: string };
      const response = decodeOcspResponse(Buffer.from(ocspResponse, 'base64'));
      assert.ok(response.kind === 'answer');
      const [told] = response.answers;
      assert.deepEqual(told?.status, expected, answer.text);
      assert.equal(told?.id.serial, BigInt(`0x${certificateInfo(certificate).serial}`));
    }
  });

  it('refuses as cfssl does', async () => {
    await using api = await TestApi.start({ compat: open });
    const certificate = pemOf((await api.post('sign', { certificate_request: csr(subject), profile: 'open' })).result);
    const foreign = pemOf((await api.post('init_ca', { CN: 'test CA' })).result);
    const cases: readonly (readonly [unknown, number, string])[] = [
      ['x', 400, 'Unable to parse sign request'],
      [{ certificate: 'x' }, 400, 'Malformed certificate'],
      [{ certificate, status: 'lost' }, 8200, 'Invalid revocation status'],
      [{ certificate, status: '' }, 8200, 'Invalid revocation status'],
      [{ certificate: foreign, status: 'lost' }, 8100, 'Certificate not issued by this issuer'],
      [{ certificate, status: 'revoked', revoked_at: 'yesterday' }, 400, 'Malformed revocation time'],
      [{ certificate, issuer_hash: 'SHA3' }, 400, 'Unsupported hash algorithm in request'],
      [{ certificate: foreign }, 8100, 'Certificate not issued by this issuer'],
    ];
    for (const [body, code, message] of cases) {
      const answer = await api.post('ocspsign', body as object);
      assert.deepEqual([answer.status, answer.error], [400, { code, message }], message);
    }
  });
});

describe('certadd', () => {
  it('takes a certificate that was issued elsewhere, and believes only the certificate', async () => {
    await using home = await TestApi.start();
    await using api = await TestApi.start({ compat: open });
    const pem = pemOf((await home.post('sign', { certificate_request: csr(subject, ['a.example']), profile: 'open' })).result);
    const info = certificateInfo(pem);
    const serial = BigInt(`0x${info.serial}`).toString();
    const good = {
      serial_number: serial,
      authority_key_identifier: home.authorityKeyId,
      status: 'good',
      expiry: new Date(info.notAfter).toISOString(),
      pem,
      sans: ['a.example'],
      metadata: { owner: 'me' },
    };
    const cases: readonly (readonly [object | string, string])[] = [
      ['x', 'Unable to parse certificate addition request'],
      [{ ...good, expiry: 'tomorrow' }, 'Unable to parse certificate addition request'],
      [{ ...good, serial_number: '' }, 'Serial number is required but not provided'],
      [{ ...good, authority_key_identifier: '' }, 'Authority key identifier is required but not provided'],
      [{ ...good, status: '' }, 'Invalid certificate status'],
      [{ ...good, status: 'revoked' }, 'Revoked certificate should specify when it was revoked'],
      [{ ...good, status: 'revoked', revoked_at: '2020-01-01T00:00:00Z', reason: 7 }, 'Invalid certificate status reason code'],
      [{ ...good, pem: '' }, 'The provided certificate is empty'],
      [{ ...good, expiry: undefined }, 'Expiry is required but not provided'],
      [{ ...good, pem: 'x' }, 'Unable to parse PEM encoded certificates'],
      [{ ...good, serial_number: 'ff' }, 'Unable to parse serial key of request'],
      [{ ...good, serial_number: '1' }, 'Serial key of request and certificate do not match'],
      [{ ...good, authority_key_identifier: 'f' }, 'Unable to decode authority key identifier'],
      [{ ...good, authority_key_identifier: 'ff' }, 'Authority key identifier of request and certificate do not match'],
      [{ ...good, expiry: '2040-01-01T00:00:00Z' }, 'Expiry of request and certificate do not match'],
    ];
    for (const [body, message] of cases) {
      const answer = await api.post('certadd', body);
      assert.deepEqual([answer.status, answer.error], [400, { code: 400, message }], message);
    }
    assert.equal(api.count(), 0);
    assert.equal((await api.post('certadd', good)).status, 200);
    const record = api.store.store.find({ serial, authorityKeyId: home.authorityKeyId });
    assert.deepEqual([record?.pem, record?.sans, record?.metadata, record?.status], [pem, ['a.example'], { owner: 'me' }, 'good']);
    assert.deepEqual((await api.post('certadd', good)).error?.code, 11000);
  });
});

it('health is healthy', async () => {
  await using api = await TestApi.start();
  assert.deepEqual((await api.get('health')).result, { healthy: true });
});
