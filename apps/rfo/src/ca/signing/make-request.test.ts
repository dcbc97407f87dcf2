import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decodeKey, decodeRequest } from '@rfo/pki';
import { CfsslError } from '../cfssl-error.ts';
import { openssl, plainWish } from './authority.testing.ts';
import { readCsrJson } from './csr-json.ts';
import { makeRequest } from './make-request.ts';

const read = (json: unknown): ReturnType<typeof readCsrJson> => readCsrJson(Buffer.from(JSON.stringify(json)));

describe('CSR JSON', () => {
  it('is read whole, in any case of its names', () => {
    const wish = read({
      cn: 'a',
      names: [{ C: 'SE', ST: '.', L: 'Stockholm', O: 'o', OU: 'ou', E: 'a@b.c', OID: { '1.2.3': 'x' } }],
      HOSTS: ['a', '10.0.0.1'],
      key: { algo: 'rsa', size: 2048 },
      ca: { expiry: '1h', backdate: '2h', pathlen: 1 },
      serialnumber: '5',
      delegation_enabled: true,
      extensions: [{ Id: [1, 2, 3], Critical: true, Value: 'BQA=' }],
      crl_url: 'http://crl',
      unknown: 1,
    });
    assert.deepEqual(wish, {
      commonName: 'a',
      names: [{ C: 'SE', ST: '.', L: 'Stockholm', O: 'o', OU: 'ou', E: 'a@b.c', SerialNumber: '', OID: { '1.2.3': 'x' } }],
      serialNumber: '5',
      hosts: ['a', '10.0.0.1'],
      key: { algorithm: 'rsa', size: 2048 },
      ca: { expiry: '1h', backdate: '2h', pathLength: 1 },
      delegation: true,
      extensions: [{ oid: '1.2.3', critical: true, content: Buffer.from('0500', 'hex') }],
      crlUrl: 'http://crl',
    });
  });

  it('asks for P-256 where it does not say', () => {
    for (const json of [{}, { key: null }, { key: {} }]) assert.deepEqual(read(json).key, { algorithm: 'ecdsa', size: 256 });
    assert.deepEqual(read({ key: { size: 384 } }).key, { algorithm: 'ecdsa', size: 384 });
  });

  it('means no path length by zero, unless it says so', () => {
    assert.deepEqual(read({ ca: {} }).ca, { expiry: '', backdate: '' });
    assert.deepEqual(read({ ca: { pathlenzero: true } }).ca, { expiry: '', backdate: '', pathLength: 0 });
    assert.deepEqual(read({ ca: { pathlen: 2, pathlenzero: true } }).ca, { expiry: '', backdate: '', pathLength: 2 });
  });

  it('that is none is refused in the words of Go', () => {
    assert.throws(() => readCsrJson(Buffer.from('')), new CfsslError(400, 'unexpected end of JSON input'));
    const wrong = new CfsslError(400, 'json: cannot unmarshal number into Go struct field CertificateRequest.CN of type string');
    assert.throws(() => read({ CN: 1 }), wrong);
  });
});

describe('makeRequest', () => {
  for (const [algorithm, size, label, kind] of [
    ['rsa', 2048, 'RSA PRIVATE KEY', /Public-Key: \(2048 bit\)[\s\S]*sha256WithRSAEncryption/],
    ['rsa', 3072, 'RSA PRIVATE KEY', /Public-Key: \(3072 bit\)[\s\S]*sha384WithRSAEncryption/],
    ['ecdsa', 256, 'EC PRIVATE KEY', /prime256v1[\s\S]*ecdsa-with-SHA256/],
    ['ecdsa', 384, 'EC PRIVATE KEY', /secp384r1[\s\S]*ecdsa-with-SHA384/],
    ['ecdsa', 521, 'EC PRIVATE KEY', /secp521r1[\s\S]*ecdsa-with-SHA512/],
    ['ed25519', 0, 'Ed25519 PRIVATE KEY', /ED25519/],
  ] as const)
    it(`makes a key of ${algorithm} ${size} under the label ${label}, and a request that OpenSSL verifies`, async () => {
      const { keyPem, requestPem } = await makeRequest({ ...plainWish, commonName: 'a', key: { algorithm, size } });
      assert.ok(keyPem.startsWith(`-----BEGIN ${label}-----\n`), keyPem);
      assert.ok(requestPem.startsWith('-----BEGIN CERTIFICATE REQUEST-----\n'));
      assert.match(openssl(['req', '-noout', '-text', '-verify'], requestPem), kind);
      assert.equal(decodeKey(keyPem, 'the key').type, 'private');
    });

  for (const [algorithm, size, text] of [
    ['rsa', 1024, 'RSA key is too weak'],
    ['rsa', 16_384, 'RSA key size too large'],
    ['ecdsa', 224, 'invalid curve'],
    ['dsa', 2048, 'invalid algorithm'],
    ['', 256, 'invalid algorithm'],
  ] as const)
    it(`refuses a key of "${algorithm}" ${size}: ${text}`, async () => {
      await assert.rejects(makeRequest({ ...plainWish, key: { algorithm, size } }), new CfsslError(2400, text));
    });

  it('asks for names, for being a CA, for delegated credentials and for further extensions', async () => {
    const { requestPem, requestDer } = await makeRequest({
      ...plainWish,
      commonName: 'a',
      names: [{ O: 'one' }, { O: 'two', OID: { '1.2.3.4': 'x' } }],
      serialNumber: '7',
      hosts: ['a.example', '10.0.0.1', 'a@b.c', 'http://u/v'],
      ca: { expiry: '', backdate: '', pathLength: 0 },
      delegation: true,
      extensions: [{ oid: '1.2.3.5', critical: true, content: Buffer.from('0500', 'hex') }],
    });
    const { ca, altNames, extensions } = decodeRequest(requestDer);
    assert.deepEqual(ca, { pathLength: 0 });
    assert.deepEqual(
      altNames.map(({ type }) => type),
      ['dns', 'email', 'ip', 'uri'],
    );
    assert.deepEqual(
      extensions.map(({ oid, critical }) => [oid, critical]),
      [
        ['2.5.29.17', false],
        ['2.5.29.19', true],
        ['1.3.6.1.4.1.44363.44', false],
        ['1.2.3.5', true],
      ],
    );
    const subject = openssl(['req', '-noout', '-subject', '-nameopt', 'RFC2253,-dn_rev,sname'], requestPem).trim();
    assert.match(subject, /^subject=O=one\+O=two,CN=a,serialNumber=7,1\.2\.3\.4=/);
  });

  it('refuses what cannot be written: 9300', async () => {
    const code = (error: unknown): boolean => error instanceof CfsslError && error.code === 9300;
    await assert.rejects(makeRequest({ ...plainWish, names: [{ OID: { 'abc': 'x' } }] }), code);
    await assert.rejects(makeRequest({ ...plainWish, hosts: ['not a name'] }), code);
    await assert.rejects(makeRequest({ ...plainWish, extensions: [{ oid: '', critical: false, content: Buffer.alloc(0) }] }), code);
  });
});
