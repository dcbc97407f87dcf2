import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { authorityKeyIdExtension, basicConstraintsExtension, keyUsageExtension, subjectKeyIdExtension } from './certificate-extensions.ts';
import { decodeCertificate } from './certificate-info.ts';
import { isSignedBy } from './chain.ts';
import { now, publicBytes, signedCertificate } from './issuing.testing.ts';
import { generateKey, type KeyAlgorithm, sha1KeyId } from './key.ts';
import { encodeMultiName } from './multi-name.ts';
import { identity } from './name.ts';
import { openssl } from './openssl.testing.ts';
import { encodePem } from './pem.ts';
import { signCertificate } from './sign-certificate.ts';
import { signatureAlgorithmName } from './signature-scheme.ts';
import { type IssuerIdentity, memoryKey } from './signing-key.ts';

const pem = (der: Buffer): string => encodePem('CERTIFICATE', der);

function authority(algorithm: KeyAlgorithm): IssuerIdentity {
  const key = memoryKey(generateKey(algorithm));
  return { name: encodeMultiName(identity('ca', ['a', 'b'])), keyId: sha1KeyId(key.publicKey), key };
}

describe('a certificate that a CA dictates', () => {
  const kinds: [KeyAlgorithm, string, string][] = [
    ['P-256', 'ecdsa-with-SHA256', 'ECDSA-SHA256'],
    ['P-384', 'ecdsa-with-SHA384', 'ECDSA-SHA384'],
    ['P-521', 'ecdsa-with-SHA512', 'ECDSA-SHA512'],
    ['Ed25519', 'ED25519', 'Ed25519'],
    ['RSA-2048', 'sha256WithRSAEncryption', 'SHA256-RSA'],
    ['RSA-3072', 'sha384WithRSAEncryption', 'SHA384-RSA'],
    ['RSA-4096', 'sha512WithRSAEncryption', 'SHA512-RSA'],
  ];
  for (const [algorithm, shown, name] of kinds) {
    it(`by a ${algorithm} key is verified by openssl, node and ourselves`, async () => {
      const ca = authority(algorithm);
      const root = await signedCertificate({
        subject: ca.name,
        publicKey: ca.key.publicKey,
        issuer: ca,
        extensions: [keyUsageExtension(['keyCertSign', 'cRLSign']), basicConstraintsExtension({}), subjectKeyIdExtension(ca.keyId)],
      });
      const leaf = await signedCertificate({ issuer: ca, extensions: [authorityKeyIdExtension(ca.keyId)] });
      const args = ['verify', '-attime', String(now / 1000), '-CAfile', 'ca', 'crt'];
      assert.match(openssl(args, { ca: pem(root), crt: pem(leaf) }), /crt: OK/);
      assert.match(openssl(['x509', '-in', 'crt', '-noout', '-text'], { crt: pem(leaf) }), new RegExp(`Signature Algorithm: ${shown}\n`));
      assert.ok(new X509Certificate(leaf).verify(new X509Certificate(root).publicKey));
      assert.ok(isSignedBy(decodeCertificate(leaf), decodeCertificate(root)));
      assert.equal(signatureAlgorithmName(decodeCertificate(leaf).signatureAlgorithm), name);
    });
  }

  it('says what it was told and nothing else', async () => {
    const ca = authority('P-256');
    const publicKey = publicBytes(generateKey());
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ minLength: 1, maxLength: 20 }).filter((bytes) => bytes.some((byte) => byte !== 0)),
        fc.date({ min: new Date('1950-01-01'), max: new Date('9999-12-31'), noInvalidDate: true }),
        fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 }).filter((text) => text.isWellFormed()),
        async (serial, date, commonName) => {
          const time = Math.floor(date.getTime() / 1000) * 1000;
          const subject = encodeMultiName(identity(commonName, ['x', 'y']));
          const body = { serial, subject, publicKey, notBefore: time, notAfter: time + 999, extensions: [subjectKeyIdExtension(serial)] };
          const read = decodeCertificate(await signCertificate(body, ca));
          assert.equal(BigInt(`0x${read.serial}`), BigInt(`0x${Buffer.from(serial).toString('hex')}`));
          assert.deepEqual([read.rawSubject, read.rawIssuer, read.publicKey], [subject, ca.name, publicKey]);
          assert.deepEqual([read.notBefore, read.notAfter], [time, time]);
          assert.deepEqual(
            read.extensions.map(({ oid }) => oid),
            ['2.5.29.14'],
          );
        },
      ),
    );
  });

  it('cannot end beyond the year 9999', async () => {
    const notAfter = Date.parse('9999-12-31T23:59:59Z');
    assert.equal(decodeCertificate(await signedCertificate({ notAfter })).notAfter, notAfter);
    await assert.rejects(signedCertificate({ notAfter: notAfter + 1000 }), RangeError);
  });
});

describe("a CA's id of its key", () => {
  it('by SHA-1 is the one that openssl computes', () => {
    const key = generateKey('P-384');
    const config = '[req]\ndistinguished_name=dn\nx509_extensions=ext\nprompt=no\n[dn]\nCN=a\n[ext]\nsubjectKeyIdentifier=hash\n';
    const files = { cfg: config, key: key.export({ type: 'pkcs8', format: 'pem' }) };
    const text = openssl(['x509', '-noout', '-ext', 'subjectKeyIdentifier', '-in', 'crt'], {
      crt: openssl(['req', '-x509', '-new', '-key', 'key', '-config', 'cfg'], files),
    });
    assert.equal(/([0-9A-F:]{59})/.exec(text)?.[1], sha1KeyId(publicBytes(key)).toString('hex').toUpperCase().match(/../g)?.join(':'));
  });
});
