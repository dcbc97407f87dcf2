import assert from 'node:assert/strict';
import { createPublicKey, X509Certificate } from 'node:crypto';
import { describe, it } from 'node:test';
import { RfoError } from '@rfo/foundation';
import {
  decodeCertificate,
  encodePem,
  generateKey,
  identity,
  issueCertificate,
  issueSelfSigned,
  publicKeyBytes,
  type Signer,
} from '@rfo/pki';
import fc from 'fast-check';
import { caHash, makeIdCredential, type ParsedToken, parseToken, renderToken } from './token-format.ts';

const hash = fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: 64, maxLength: 64 });
const letters = (length: number) =>
  fc.string({ unit: fc.constantFrom(...'abcdefghijklmnopqrstuvwxyz0123456789'), minLength: length, maxLength: length });
/** What a file or a flag can hold: one line, without space around it. */
const password = fc.string({ unit: 'grapheme', minLength: 1 }).filter((text) => text.trim() === text && !/\p{Cc}/u.test(text));
const plain = { noNullPrototype: true } as const;
const idCredential = fc.record({ kind: fc.constant('id' as const), id: letters(6), secret: letters(16) }, plain);
const passwordCredential = fc.record({ kind: fc.constant('password' as const), user: fc.constantFrom('server', 'node'), password }, plain);

describe('a join token', () => {
  it('comes back as it was written, in the full form and in the short one', () => {
    const token: fc.Arbitrary<ParsedToken> = fc.record(
      { caHash: hash, credential: fc.oneof(idCredential, passwordCredential) },
      { requiredKeys: ['credential'], ...plain },
    );
    fc.assert(fc.property(token, (parsed) => assert.deepEqual(parseToken(` ${renderToken(parsed)}\n`), parsed)));
  });

  it('is a bare password where it has none of the forms', () => {
    fc.assert(
      fc.property(password, (text) => {
        fc.pre(!/^(K10|server:|node:)|^[a-z0-9]{6}\.[a-z0-9]{16}$/.test(text));
        const parsed: ParsedToken = { credential: { kind: 'password', password: text } };
        assert.deepEqual(parseToken(text), parsed);
        assert.equal(renderToken(parsed), text);
      }),
    );
  });

  it('is written as everybody else writes it', () => {
    const credential = { kind: 'password', user: 'server', password: 'a:b' } as const;
    const token = renderToken({ caHash: caHash('pem\n'), credential });
    assert.equal(token, 'K1070278335ab7cb0d139f9ebcaacbf93ea8ad5f614826f81f1454481f40abfac7a::server:a:b');
  });

  it('that is damaged is refused without a word of it', () => {
    const [digits, secret] = ['0'.repeat(64), 'q7Zkw9xV'];
    const damaged: readonly (readonly [string, RegExp])[] = [
      ['', /it is empty/],
      [' \n', /it is empty/],
      [`${secret}\n${secret}`, /more than one line/],
      [`${secret}\u0000`, /control characters/],
      [`K10${secret}`, /64 hexadecimal digits/],
      [`K10${digits.slice(1)}::server:${secret}`, /64 hexadecimal digits/],
      [`K10${digits.slice(1)}G::server:${secret}`, /64 hexadecimal digits/],
      [`K10${digits}::`, /64 hexadecimal digits/],
      [`K10${digits}:server:${secret}`, /64 hexadecimal digits/],
      [`K10${digits}::${secret}`, /after "::" comes neither/],
      [`K10${digits}::root:${secret}`, /after "::" comes neither/],
      [`K10${digits}::node:`, /after "::" comes neither/],
      [`K10${digits}::abcdef.${secret}`, /after "::" comes neither/],
    ];
    for (const [text, message] of damaged) {
      assert.throws(
        () => parseToken(text, 'token-file'),
        (error) => {
          assert.ok(error instanceof RfoError && error.code === 'token-malformed');
          assert.match(error.message, message);
          assert.match(error.message, /^token-file is not a token: /);
          for (const part of [secret, digits.slice(1)]) assert.ok(!error.message.includes(part), error.message);
          return true;
        },
        text,
      );
    }
  });

  it('that is made has an id and a secret of their own', () => {
    const made = Array.from({ length: 200 }, makeIdCredential);
    for (const credential of made) assert.deepEqual(parseToken(renderToken({ credential })), { credential });
    assert.equal(new Set(made.map(({ secret }) => secret)).size, 200);
    assert.equal(new Set(made.flatMap(({ secret }) => [...secret])).size, 36);
  });
});

describe('the hash of a CA', () => {
  const now = Date.parse('2026-11-21T10:00:00Z');
  const authority = (name: string, under?: Signer): Signer => {
    const key = generateKey();
    const dates = { notBefore: now, notAfter: now + 86_400_000 };
    const request = { subject: identity(name), publicKey: publicKeyBytes(createPublicKey(key)), ...dates, ca: {} };
    return { certificate: decodeCertificate(under ? issueCertificate(request, under) : issueSelfSigned(request, key)), key };
  };
  const pem = (...signers: Signer[]): string => signers.map(({ certificate }) => encodePem('CERTIFICATE', certificate.der)).join('');
  const fingerprint = (signer: Signer): string => new X509Certificate(pem(signer)).fingerprint256.replaceAll(':', '').toLowerCase();
  const root = authority('root');
  const middle = authority('middle', root);
  const low = authority('low', middle);

  it('of one certificate is that of its text: another line end is another hash', () => {
    assert.match(caHash(pem(root)), /^[0-9a-f]{64}$/);
    assert.notEqual(caHash(pem(root)), fingerprint(root));
    assert.notEqual(caHash(pem(root)), caHash(pem(root).replaceAll('\n', '\r\n')));
  });

  it('of a bundle is that of the root above the first one, wherever it stands', () => {
    assert.equal(caHash(pem(low, middle, root)), fingerprint(root));
    assert.equal(caHash(pem(middle, authority('other'), root, low)), fingerprint(root));
    assert.equal(caHash(pem(root, authority('other'))), fingerprint(root));
  });

  it('of a bundle without its root is refused', () => {
    const unrelated = authority('root');
    assert.throws(() => caHash(pem(low, middle)), { code: 'certificate-untrusted' });
    assert.throws(() => caHash(pem(low, middle, unrelated)), { code: 'certificate-untrusted' });
  });
});
