import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { certificateInfo, decodePem, encodePem, formatAltName, formatName, identity } from '@rfo/pki';
import { csr, TestApi, testConfig } from '../api.testing.ts';

const subject = identity('www.example.com', ['Example']);

const pemOf = (result: unknown): string => (result as { certificate: string }).certificate;

describe('info', () => {
  it('gives the certificate of the CA and what a profile gives', async () => {
    await using api = await TestApi.start();
    const answer = await api.post('info', { label: 'primary', profile: 'kubelet-client' });
    const usages = ['signing', 'key encipherment', 'client auth'];
    assert.deepEqual(answer.result, { certificate: api.caPem.trimEnd(), usages, expiry: '720h' });
    assert.equal((await api.post('info', '{"LABEL":"x"}')).status, 200);
  });

  it('has no usages where the profile has none', async () => {
    await using api = await TestApi.start({ config: { signing: { default: { expiry: '168h' } } } });
    assert.deepEqual((await api.post('info', '{}')).result, { certificate: api.caPem.trimEnd(), usages: null, expiry: '168h' });
  });

  it('says what is wrong in the words of Go', async () => {
    await using api = await TestApi.start();
    const cases = [
      ['', 'unexpected end of JSON input'],
      ['{"label":123}', 'json: cannot unmarshal number into Go struct field Req.label of type string'],
      ['label=primary', "invalid character 'l' looking for beginning of value"],
      ['[]', 'json: cannot unmarshal array into Go value of type info.Req'],
    ] as const;
    for (const [body, message] of cases) {
      const { status, error } = await api.post('info', body);
      assert.deepEqual([status, error], [400, { code: 400, message }], body);
    }
  });

  it('takes an unknown profile for the default one only where that is switched on', async () => {
    await using strict = await TestApi.start();
    assert.deepEqual((await strict.post('info', { profile: 'x' })).error?.code, 5400);
    await using lenient = await TestApi.start({ compat: new Set(['default-profile']) });
    assert.deepEqual((await lenient.post('info', { profile: 'x' })).result, (await lenient.post('info', {})).result);
  });
});

describe('sign', () => {
  it('takes names from the hosts, or else from the request, and overrides the subject', async () => {
    await using api = await TestApi.start();
    const request = csr(subject, ['csr.example']);
    const cases: readonly (readonly [object, readonly string[], string])[] = [
      [{}, ['DNS:csr.example'], 'CN=www.example.com,O=Example'],
      [{ hosts: null }, ['DNS:csr.example'], 'CN=www.example.com,O=Example'],
      [{ hosts: [] }, [], 'CN=www.example.com,O=Example'],
      [{ hosts: ['a.example'] }, ['DNS:a.example'], 'CN=www.example.com,O=Example'],
      [
        { hosts: ['a.example', '10.0.0.1', 'b.example'] },
        ['DNS:a.example', 'DNS:b.example', 'IP:10.0.0.1'],
        'CN=www.example.com,O=Example',
      ],
      [{ hostname: 'c.example,d.example', hosts: ['a.example'] }, ['DNS:c.example', 'DNS:d.example'], 'CN=www.example.com,O=Example'],
      [{ subject: { CN: 'other' } }, ['DNS:csr.example'], 'CN=other,O=Example'],
      [{ subject: { names: [{ O: 'Other' }] } }, ['DNS:csr.example'], 'CN=www.example.com,O=Other'],
    ];
    for (const [more, names, name] of cases) {
      const answer = await api.post('sign', { certificate_request: request, profile: 'open', ...more });
      assert.equal(answer.status, 200, answer.text);
      const info = certificateInfo(pemOf(answer.result));
      assert.deepEqual(info.altNames.map(formatAltName), names, JSON.stringify(more));
      assert.equal(formatName(info.subject), name);
    }
    assert.equal(api.count(), cases.length);
  });

  it('refuses in the numbers and words of cfssl', async () => {
    await using api = await TestApi.start();
    const request = csr(subject, ['good.example']);
    const [block] = decodePem(request);
    assert.ok(block !== undefined);
    const broken = Buffer.from(block.bytes);
    broken[broken.length - 5] = (broken.at(-5) ?? 0) ^ 1;
    const pem = (label: string, bytes: Uint8Array) => encodePem(label, bytes);
    const cases: readonly (readonly [unknown, number, string | undefined])[] = [
      ['nonsense', 400, 'Unable to parse sign request'],
      ['{"serial":"1"}', 400, 'Unable to parse sign request'],
      ['{"hosts":"a"}', 400, 'Unable to parse sign request'],
      ['{}', 400, "missing parameter 'certificate_request'"],
      [{ hostname: 'a.example' }, 400, "missing parameter 'certificate_request'"],
      [{ certificate_request: request, profile: 'keyed' }, 400, 'authentication required'],
      [{ certificate_request: 'dummy', profile: 'open' }, 9002, undefined],
      [{ certificate_request: pem('CERTIFICATE REQUEST', Buffer.from('nothing')), profile: 'open' }, 9003, undefined],
      [{ certificate_request: pem('CERTIFICATE', block.bytes), profile: 'open' }, 9300, 'not a csr'],
      [{ certificate_request: pem('CERTIFICATE REQUEST', broken), profile: 'open' }, 9300, undefined],
      [{ certificate_request: request, profile: 'strict' }, 5500, undefined],
      [{ certificate_request: request, profile: 'unheard-of' }, 5400, 'Unknown policy profile'],
      [{ certificate_request: csr(identity('x', ['system:masters'])), profile: 'open' }, 5500, undefined],
      [{ certificate_request: csr(identity('system:node:a', ['system:nodes'])), profile: 'open' }, 5500, undefined],
    ];
    for (const [body, code, message] of cases) {
      const { status, error } = await api.post('sign', body as object);
      assert.deepEqual([status, error?.code], [400, code], JSON.stringify(body));
      if (message !== undefined) assert.equal(error?.message, message);
      if (typeof body === 'object') assert.equal(api.audit().at(-1)?.result, 'refused');
    }
    assert.equal(api.count(), 0);
  });

  it('is off where every profile has a key', async () => {
    const { default: usual, profiles } = testConfig.signing;
    const config = { ...testConfig, signing: { default: { ...usual, auth_key: 'key1' }, profiles: { keyed: profiles.keyed } } };
    await using api = await TestApi.start({ config });
    assert.equal((await api.post('sign', {})).status, 404);
    assert.deepEqual(
      api.endpoints.disabled.map(({ name }) => name),
      ['sign'],
    );
  });

  it('keeps every digit of a serial number that the client may choose', async () => {
    const config = { signing: { default: { expiry: '1h', usages: ['signing'], ClientProvidesSerialNumbers: true } } };
    await using api = await TestApi.start({ config });
    const serial = '654321098765432109876543210987654321098765432109';
    const body = `{"certificate_request":${JSON.stringify(csr(subject))},"serial":${serial}}`;
    const { result } = await api.post('sign', body);
    assert.equal(BigInt(`0x${certificateInfo(pemOf(result)).serial}`), BigInt(serial));
    const again = await api.post('sign', body);
    assert.deepEqual([again.status, again.error?.code], [400, 11000]);
    assert.match(again.error?.message ?? '', /UNIQUE constraint failed/);
    assert.deepEqual((await api.post('sign', { certificate_request: csr(subject) })).error?.code, 1400);
  });
});
