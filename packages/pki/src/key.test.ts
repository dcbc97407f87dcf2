import assert from 'node:assert/strict';
import type { KeyObject } from 'node:crypto';
import { describe, it } from 'node:test';
import { decodeKey, encodeKey, generateKey, generateKeyAside, type KeyAlgorithm } from './key.ts';
import { openssl } from './openssl.testing.ts';

const pkcs8 = (key: KeyObject): string => encodeKey(key, 'pkcs8');

describe('a key', () => {
  const forms: [KeyAlgorithm, cfssl: string, described: RegExp][] = [
    ['P-256', 'EC PRIVATE KEY', /ASN1 OID: prime256v1/],
    ['P-384', 'EC PRIVATE KEY', /ASN1 OID: secp384r1/],
    ['P-521', 'EC PRIVATE KEY', /ASN1 OID: secp521r1/],
    ['RSA-2048', 'RSA PRIVATE KEY', /Private-Key: \(2048 bit/],
    ['RSA-2056', 'RSA PRIVATE KEY', /Private-Key: \(2056 bit/],
    ['Ed25519', 'Ed25519 PRIVATE KEY', /ED25519 Private-Key/],
  ];
  for (const [algorithm, label, described] of forms) {
    it(`of the kind ${algorithm} is read back from every form, and openssl finds it right`, async () => {
      for (const key of [generateKey(algorithm), await generateKeyAside(algorithm)]) {
        assert.match(encodeKey(key, 'cfssl'), new RegExp(`^-----BEGIN ${label}-----`));
        assert.match(pkcs8(key), /^-----BEGIN PRIVATE KEY-----/);
        for (const form of ['sec1', 'pkcs8', 'cfssl'] as const) assert.equal(pkcs8(decodeKey(encodeKey(key, form), 'it')), pkcs8(key));
        assert.match(openssl(['pkey', '-in', 'key', '-noout', '-text'], { key: encodeKey(key) }), described);
      }
    });
  }

  it('of RSA has 2048 to 8192 bits', async () => {
    for (const algorithm of ['RSA-1024', 'RSA-2047', 'RSA-8193', 'RSA-16384', 'RSA-2e3', 'RSA-'] as KeyAlgorithm[]) {
      assert.throws(() => generateKey(algorithm), { code: 'key-unsupported' }, algorithm);
      await assert.rejects(generateKeyAside(algorithm), { code: 'key-unsupported' }, algorithm);
    }
  });

  const encrypted: [what: string, args: string[]][] = [
    ['PKCS8', ['pkcs8', '-topk8', '-v2', 'aes-256-cbc']],
    ['the older form', ['ec', '-aes256']],
  ];
  for (const [what, args] of encrypted) {
    it(`that openssl encrypted as ${what} is read with its passphrase alone`, () => {
      const key = generateKey();
      const pem = openssl([...args, '-in', 'key', '-passout', 'pass:sesame'], { key: encodeKey(key) });
      assert.match(pem, /ENCRYPTED/);
      assert.equal(pkcs8(decodeKey(pem, 'it', 'sesame')), pkcs8(key));
      assert.throws(() => decodeKey(pem, '/ca-key.pem'), {
        code: 'key-unreadable',
        message: /\/ca-key\.pem: it is encrypted, and no passphrase was given/,
      });
      assert.throws(() => decodeKey(pem, '/ca-key.pem', 'wrong'), { code: 'key-unreadable' });
    });
  }

  it('that needs no passphrase is read with one, too', () => {
    const key = generateKey();
    assert.equal(pkcs8(decodeKey(encodeKey(key), 'it', 'unused')), pkcs8(key));
  });

  it('is found behind the parameters that openssl writes first', () => {
    const pem = openssl(['ecparam', '-name', 'prime256v1', '-genkey']);
    assert.match(pem, /^-----BEGIN EC PARAMETERS-----/);
    assert.equal(decodeKey(pem, 'it').asymmetricKeyDetails?.namedCurve, 'prime256v1');
  });

  it('that is none is refused', () => {
    for (const text of [
      '',
      'x',
      encodeKey(generateKey()).slice(0, 90),
      '-----BEGIN Ed25519 PRIVATE KEY-----\nAAAA\n-----END Ed25519 PRIVATE KEY-----\n',
    ])
      assert.throws(() => decodeKey(text, 'it'), { code: 'key-unreadable' });
  });
});
