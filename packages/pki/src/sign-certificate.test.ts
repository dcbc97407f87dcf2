import assert from 'node:assert/strict';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  altNamesExtension,
  authorityInfoExtension,
  authorityKeyIdExtension,
  basicConstraintsExtension,
  crlPointsExtension,
  extendedUsageExtension,
  keyUsageExtension,
  ocspNoCheckExtension,
  subjectKeyIdExtension,
} from './certificate-extensions.ts';
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

  it('has the bytes that Go gives it', async () => {
    const seed = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), Buffer.alloc(32, 7)]);
    const key = memoryKey(createPrivateKey({ key: seed, format: 'der', type: 'pkcs8' }));
    const name = encodeMultiName([
      { type: 'CN', value: 'ca' },
      { type: 'C', value: 'SE' },
    ]);
    const notBefore = Date.parse('2049-12-31T23:55:00Z');
    const made = await signCertificate(
      {
        serial: Buffer.concat([Buffer.from([0x7f]), Buffer.alloc(19, 0xff)]),
        subject: encodeMultiName(identity('system:node:w1', ['system:nodes', 'b'])),
        publicKey: key.publicKey,
        notBefore,
        notAfter: notBefore + 8760 * 3_600_000,
        extensions: [
          keyUsageExtension(['digitalSignature', 'keyEncipherment', 'decipherOnly']),
          extendedUsageExtension(['serverAuth', 'any', 'microsoftSgc', 'netscapeSgc']),
          basicConstraintsExtension({ pathLength: 0 }),
          subjectKeyIdExtension(Buffer.from([9, 9])),
          authorityKeyIdExtension(Buffer.from([1, 2, 3])),
          authorityInfoExtension({ ocsp: ['http://ca:8889'], issuers: ['http://ca/a', 'http://ca/b'] }),
          altNamesExtension([
            { type: 'dns', value: 'w1' },
            { type: 'email', value: 'a@b' },
            { type: 'ip', value: '10.0.0.1' },
            { type: 'ip', value: 'fd00::1' },
            { type: 'uri', value: 'spiffe://x/y' },
          ]),
          crlPointsExtension(['http://ca:8888/crl']),
          ocspNoCheckExtension(),
        ],
      },
      { name, keyId: Buffer.from([1, 2, 3]), key },
    );
    assert.equal(made.toString('hex'), fromGo.join(''));
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

/** `x509.CreateCertificate` of Go 1.26 with the same fields; an Ed25519 signature depends on nothing else. */
const fromGo = [
  '3082026030820212a00302010202147fffffffffffffffffffffffffffffffffffffff300506032b6570301a310b3009060355040613025345310b3009060355',
  '0403130263613020170d3439313233313233353530305a180f32303530313233313233353530305a303a311f3008060355040a1301623013060355040a130c73',
  '797374656d3a6e6f646573311730150603550403130e73797374656d3a6e6f64653a7731302a300506032b6570032100ea4a6c63e29c520abef5507b132ec5f9',
  '954776aebebe7b92421eea691446d22ca382014630820142300f0603551d0f0101ff0405030307a08030300603551d250429302706082b060105050703010604',
  '551d2500060a2b0601040182370a030306096086480186f842040130120603551d130101ff040830060101ff020100300b0603551d0e040404020909300e0603',
  '551d23040730058003010203305c06082b060105050701010450304e301a06082b06010505073001860e687474703a2f2f63613a38383839301706082b060105',
  '05073002860b687474703a2f2f63612f61301706082b06010505073002860b687474703a2f2f63612f6230380603551d110431302f8202773181036140628704',
  '0a0000018710fd000000000000000000000000000001860c7370696666653a2f2f782f7930230603551d1f041c301a3018a016a0148612687474703a2f2f6361',
  '3a383838382f63726c300f06092b060105050730010504020500300506032b65700341009bcf466902a74425feb2e0767e720d75b11edcab9db7a753e2d3185b',
  '44de273ebc37e5076a4d7af7a908d4aa521d20843b796b3420eb24f45f9cd3aa764c130d',
];
