import assert from 'node:assert/strict';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { describe, it } from 'node:test';
import { RfoError } from '@rfo/foundation';
import fc from 'fast-check';
import type { AltName } from './alt-name.ts';
import { basicConstraintsExtension, keyUsageExtension } from './certificate-extensions.ts';
import { createSigningRequest } from './csr.ts';
import { publicBytes } from './issuing.testing.ts';
import { encodeKey, generateKey, type KeyAlgorithm } from './key.ts';
import { encodeMultiName } from './multi-name.ts';
import { decodeName, encodeName, identity, type Name } from './name.ts';
import { openssl } from './openssl.testing.ts';
import { decodePem, encodePem } from './pem.ts';
import { checkRequestSignature, decodeRequest } from './request.ts';

const keys = new Map<KeyAlgorithm, KeyObject>();
function keyOf(algorithm: KeyAlgorithm): KeyObject {
  const key = keys.get(algorithm) ?? generateKey(algorithm);
  keys.set(algorithm, key);
  return key;
}

/** A request that openssl makes; `config` are further lines of its file. */
function requestOfOpenssl(key: string | KeyObject, args: readonly string[] = [], config = ''): Buffer {
  const files = {
    key: typeof key === 'string' ? key : encodeKey(key),
    cfg: `[req]\ndistinguished_name=dn\n${config.includes('[ext]') ? 'req_extensions=ext\n' : ''}[dn]\n${config}`,
  };
  const pem = openssl(
    ['req', '-new', '-key', 'key', '-config', 'cfg', ...(args.includes('-subj') ? [] : ['-subj', '/CN=a']), ...args],
    files,
  );
  return decodePem(pem)[0]?.bytes ?? Buffer.alloc(0);
}

describe('a request', () => {
  const pss = (digest: string, salt: string): string[] => [
    `-${digest}`,
    '-sigopt',
    'rsa_padding_mode:pss',
    '-sigopt',
    `rsa_pss_saltlen:${salt}`,
  ];
  const kinds: [KeyAlgorithm, args: string[], key: string, signature: string][] = [
    ['RSA-2048', ['-sha1'], 'RSA 2048', 'SHA1-RSA'],
    ['RSA-2048', ['-sha256'], 'RSA 2048', 'SHA256-RSA'],
    ['RSA-2048', ['-sha384'], 'RSA 2048', 'SHA384-RSA'],
    ['RSA-2048', ['-sha512'], 'RSA 2048', 'SHA512-RSA'],
    ['RSA-2048', pss('sha256', '32'), 'RSA 2048', 'SHA256-RSAPSS'],
    ['RSA-2048', pss('sha384', '48'), 'RSA 2048', 'SHA384-RSAPSS'],
    ['RSA-2048', pss('sha512', '64'), 'RSA 2048', 'SHA512-RSAPSS'],
    ['P-256', ['-sha1'], 'ECDSA 256', 'ECDSA-SHA1'],
    ['P-256', ['-sha256'], 'ECDSA 256', 'ECDSA-SHA256'],
    ['P-384', ['-sha384'], 'ECDSA 384', 'ECDSA-SHA384'],
    ['P-521', ['-sha512'], 'ECDSA 521', 'ECDSA-SHA512'],
    ['Ed25519', [], 'Ed25519 256', 'Ed25519'],
  ];
  for (const [algorithm, args, key, signature] of kinds) {
    it(`of openssl, ${signature} by ${key}, is read and genuine`, () => {
      const der = requestOfOpenssl(keyOf(algorithm), args);
      const read = decodeRequest(der);
      assert.deepEqual([`${read.publicKeyAlgorithm} ${read.keyBits}`, read.signatureAlgorithm], [key, signature]);
      assert.deepEqual(read.publicKey, publicBytes(keyOf(algorithm)));
      checkRequestSignature(der);
      const damaged = Buffer.from(der);
      const last = damaged.length - 1;
      damaged[last] = (damaged[last] ?? 0) ^ 1;
      assert.equal(decodeRequest(damaged).signatureAlgorithm, signature);
      assert.throws(() => checkRequestSignature(damaged), { code: 'signing-request-invalid' });
    });
  }

  it('signed by what nobody trusts is read, and not accepted as genuine', () => {
    const refused: [string[], string][] = [
      [['-md5'], 'MD5-RSA'],
      [['-sha224'], '0'],
      [pss('sha256', '20'), '0'],
      [pss('sha1', '20'), '0'],
    ];
    for (const [args, name] of refused) {
      const der = requestOfOpenssl(keyOf('RSA-2048'), args);
      assert.equal(decodeRequest(der).signatureAlgorithm, name);
      assert.throws(() => checkRequestSignature(der), { code: 'signing-request-invalid', message: /is not accepted/ }, name);
    }
    const dsa = encodeKey(generateKeyPairSync('dsa', { modulusLength: 1024, divisorLength: 160 }).privateKey, 'pkcs8');
    const read = decodeRequest(requestOfOpenssl(dsa, ['-sha256']));
    assert.deepEqual([read.publicKeyAlgorithm, read.keyBits, read.signatureAlgorithm], ['DSA', 1024, 'DSA-SHA256']);
    assert.throws(() => checkRequestSignature(requestOfOpenssl(dsa, ['-sha256'])), { code: 'signing-request-invalid' });
  });

  it('tells the bits of a key to the bit', () => {
    for (const bits of [1024, 1025, 1031, 1032]) {
      const made = requestOfOpenssl(openssl(['genrsa', String(bits)]));
      assert.equal(decodeRequest(made).keyBits, bits);
      checkRequestSignature(made);
    }
  });

  it('of openssl gives all that it asks for', () => {
    const config = `[ext]
subjectAltName=DNS:w1,IP:10.1.1.1,email:a@b,URI:spiffe://x/y
basicConstraints=critical,CA:TRUE,pathlen:0
keyUsage=keyCertSign
1.2.3.4=DER:0500
`;
    const der = requestOfOpenssl(keyOf('P-256'), ['-multivalue-rdn', '-subj', '/C=SE/O=a+O=b/emailAddress=m@x/CN=c'], config);
    const read = decodeRequest(der);
    assert.deepEqual(read.subject, [
      { type: 'C', value: 'SE' },
      { type: 'O', value: 'a' },
      { type: 'O', value: 'b' },
      { type: 'emailAddress', value: 'm@x' },
      { type: 'CN', value: 'c' },
    ]);
    assert.deepEqual(decodeName(read.rawSubject), read.subject);
    const altNames: AltName[] = [
      { type: 'dns', value: 'w1' },
      { type: 'ip', value: '10.1.1.1' },
      { type: 'email', value: 'a@b' },
      { type: 'uri', value: 'spiffe://x/y' },
    ];
    assert.deepEqual(read.altNames, altNames);
    assert.deepEqual(read.ca, { pathLength: 0 });
    assert.deepEqual(read.extensions.map(({ oid, critical, content }) => [oid, critical, Buffer.from(content).toString('hex')]).slice(1), [
      ['2.5.29.19', true, '30060101ff020100'],
      ['2.5.29.15', false, '03020204'],
      ['1.2.3.4', false, '0500'],
    ]);
  });

  it('asks to become a CA or not', () => {
    const asked = (constraints: string): unknown =>
      decodeRequest(requestOfOpenssl(keyOf('P-256'), [], `[ext]\nbasicConstraints=${constraints}\n`)).ca;
    assert.deepEqual(asked('CA:TRUE'), {});
    assert.deepEqual(asked('CA:TRUE,pathlen:3'), { pathLength: 3 });
    assert.equal(asked('CA:FALSE'), undefined);
    assert.equal(decodeRequest(requestOfOpenssl(keyOf('P-256'))).ca, undefined);
  });

  it('that we make is verified by openssl, whatever the kind of key', () => {
    for (const algorithm of ['P-521', 'Ed25519', 'RSA-2048'] satisfies KeyAlgorithm[]) {
      const subject = encodeMultiName(identity('c', ['a', 'b']));
      const extensions = [keyUsageExtension(['keyCertSign']), basicConstraintsExtension({ pathLength: 1 })];
      const der = createSigningRequest({ subject, altNames: [{ type: 'dns', value: 'w' }], extensions }, keyOf(algorithm));
      const text = openssl(['req', '-in', 'csr', '-verify', '-noout', '-text'], { csr: encodePem('CERTIFICATE REQUEST', der) });
      assert.match(text, /Subject: O = a \+ O = b, CN = c/);
      assert.match(text, /DNS:w\s+X509v3 Key Usage: critical\s+Certificate Sign\s+X509v3 Basic Constraints: critical\s+CA:TRUE, pathlen:1/);
      assert.deepEqual(decodeRequest(der).ca, { pathLength: 1 });
    }
  });

  it('gives back whatever it was made with', () => {
    const key = generateKey();
    const value = fc.string({ unit: 'binary', minLength: 1, maxLength: 20 }).filter((text) => text.isWellFormed());
    const name = fc.array(fc.record({ type: fc.constantFrom('CN', 'O', 'OU', '1.2.3.4'), value }, { noNullPrototype: true }), {
      maxLength: 4,
    });
    const altName = fc.oneof(
      fc.domain().map((made): AltName => ({ type: 'dns', value: made })),
      fc.ipV4().map((made): AltName => ({ type: 'ip', value: made })),
      fc.webUrl().map((made): AltName => ({ type: 'uri', value: made })),
    );
    const ca = fc.option(fc.record({ pathLength: fc.nat(300) }, { noNullPrototype: true }), { nil: undefined });
    fc.assert(
      fc.property(name, fc.array(altName, { maxLength: 4 }), ca, (made, altNames, wantedCa) => {
        const subject: Name = made as Name;
        const extensions = wantedCa ? [basicConstraintsExtension(wantedCa)] : [];
        const der = createSigningRequest({ subject, altNames, extensions }, key);
        const read = decodeRequest(der);
        assert.deepEqual([read.subject, read.altNames, read.ca, read.rawSubject], [subject, altNames, wantedCa, encodeName(subject)]);
        checkRequestSignature(der);
      }),
    );
  });
});

describe('what is no request', () => {
  const der = createSigningRequest(
    {
      subject: identity('node', ['a']),
      altNames: [{ type: 'dns', value: 'a' }],
      extensions: [basicConstraintsExtension({ pathLength: 1 })],
    },
    generateKey(),
  );
  /** Whether it was refused; anything but our one error fails the test. */
  function isRefused(act: () => unknown): boolean {
    try {
      act();
      return false;
    } catch (error) {
      assert.ok(error instanceof RfoError && error.code === 'signing-request-invalid', String(error));
      return true;
    }
  }

  it('is refused whatever the bytes are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        assert.ok(isRefused(() => decodeRequest(bytes)) && isRefused(() => checkRequestSignature(bytes)));
      }),
    );
  });

  it('is refused, or is a request that is not genuine, when bytes of one were changed', () => {
    const change = fc.record({ at: fc.nat(der.length - 1), bytes: fc.uint8Array({ minLength: 1, maxLength: 8 }), remove: fc.nat(8) });
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
        const mutated = changes.reduce(
          (bytes, { at, bytes: more, remove }) => Buffer.concat([bytes.subarray(0, at), more, bytes.subarray(at + remove)]),
          der,
        );
        isRefused(() => decodeRequest(mutated));
        assert.ok(mutated.equals(der) || isRefused(() => checkRequestSignature(mutated)));
      }),
      { numRuns: 2000 },
    );
  });

  it('is refused when a single byte of one was changed in any way, where it is read or where it is checked', () => {
    for (let at = 0; at < der.length; at++) {
      for (const flip of [0x01, 0x02, 0x20, 0x80, 0xff]) {
        const changed = Buffer.from(der);
        changed[at] = (changed[at] ?? 0) ^ flip;
        isRefused(() => decodeRequest(changed));
        assert.ok(
          isRefused(() => checkRequestSignature(changed)),
          `byte ${at} ^ ${flip}`,
        );
      }
    }
  });

  it('is not one that asks for very much', () => {
    const extensions = Array.from({ length: 150_000 }, (_, index) => ({ oid: `1.2.${index}`, critical: false, content: Buffer.alloc(0) }));
    const subject = Array.from({ length: 150_000 }, (_, index) => ({ type: 'O', value: String(index) }) as const);
    const much = createSigningRequest({ subject: encodeMultiName(subject), extensions }, generateKey());
    const read = decodeRequest(much);
    assert.deepEqual([read.extensions.length, read.subject.length], [150_000, 150_000]);
    checkRequestSignature(much);
  });

  it('is one that asks for something twice', () => {
    const twice = [keyUsageExtension(['keyCertSign']), keyUsageExtension(['cRLSign'])];
    const made = createSigningRequest({ subject: identity('a'), extensions: twice }, generateKey());
    assert.throws(() => decodeRequest(made), { code: 'signing-request-invalid', message: /extension 2\.5\.29\.15 twice/ });
  });

  it('is one whose key is of a curve or a kind that nobody here knows', () => {
    for (const args of [
      ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:secp256k1'],
      ['-algorithm', 'ED448'],
    ]) {
      const made = requestOfOpenssl(openssl(['genpkey', ...args]));
      assert.throws(() => decodeRequest(made), { code: 'signing-request-invalid' });
    }
  });

  it('is one whose key is no point of its curve', () => {
    const key = generateKey();
    const made = createSigningRequest({ subject: identity('a') }, key);
    const broken = Buffer.from(made);
    const at = broken.indexOf(publicBytes(key)) + publicBytes(key).length - 1;
    broken[at] = (broken[at] ?? 0) ^ 1;
    assert.throws(() => checkRequestSignature(broken), { code: 'signing-request-invalid', message: /public key cannot be used/ });
  });
});
