import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  altNamesExtension,
  authorityInfoExtension,
  authorityKeyIdExtension,
  basicConstraintsExtension,
  crlPointsExtension,
  encodeExtensions,
  extendedUsageExtension,
  keyUsageExtension,
  ocspNoCheckExtension,
  policiesExtension,
  type RawExtension,
  subjectKeyIdExtension,
} from './certificate-extensions.ts';
import { decodeExtensions, decodeRawExtensions } from './extensions.ts';
import { signedCertificate } from './issuing.testing.ts';
import { keyUsageBits, type Usage } from './oids.ts';
import { openssl } from './openssl.testing.ts';
import { encodePem } from './pem.ts';

/** How openssl prints a certificate with these extensions, from the first one on. */
async function printed(extensions: readonly RawExtension[]): Promise<string> {
  const crt = encodePem('CERTIFICATE', await signedCertificate({ extensions }));
  const text = openssl(['x509', '-in', 'crt', '-noout', '-text', '-certopt', 'no_sigdump'], { crt });
  return text.slice(text.indexOf('X509v3 extensions:')).replace(/ +$/gm, '').replace(/^ +/gm, '').replace(/\n+/g, '\n').trim();
}

const allUsages: Usage[] = [
  'netscapeSgc',
  'any',
  'serverAuth',
  'clientAuth',
  'codeSigning',
  'emailProtection',
  'ipsecEndSystem',
  'ipsecTunnel',
  'ipsecUser',
  'timeStamping',
  'ocspSigning',
  'microsoftSgc',
  '1.2.3.4',
];

describe('the extensions of a certificate', () => {
  it('are read by openssl in the order in which they were given', async () => {
    const extensions = [
      keyUsageExtension(['digitalSignature', 'keyEncipherment']),
      extendedUsageExtension(['clientAuth', 'serverAuth']),
      basicConstraintsExtension(undefined),
      subjectKeyIdExtension(Buffer.from('aabb', 'hex')),
      authorityKeyIdExtension(Buffer.from('ccdd', 'hex')),
      authorityInfoExtension({ ocsp: ['http://ca:8889'], issuers: ['http://ca/a.crt', 'http://ca/b.crt'] }),
      altNamesExtension([
        { type: 'dns', value: 'a.example' },
        { type: 'email', value: 'ops@example' },
        { type: 'ip', value: '10.0.0.1' },
        { type: 'uri', value: 'spiffe://x/y' },
      ]),
      policiesExtension([
        {
          oid: '1.2.3',
          qualifiers: [
            { type: 'cps', value: 'https://ca/cps' },
            { type: 'userNotice', value: 'read it' },
          ],
        },
        { oid: '2.23.140.1.2.1' },
      ]),
      crlPointsExtension(['http://ca:8888/crl', 'http://cb:8888/crl']),
      ocspNoCheckExtension(),
    ];
    assert.equal(
      await printed(extensions),
      `X509v3 extensions:
X509v3 Key Usage: critical
Digital Signature, Key Encipherment
X509v3 Extended Key Usage:
TLS Web Client Authentication, TLS Web Server Authentication
X509v3 Basic Constraints: critical
CA:FALSE
X509v3 Subject Key Identifier:
AA:BB
X509v3 Authority Key Identifier:
CC:DD
Authority Information Access:
OCSP - URI:http://ca:8889
CA Issuers - URI:http://ca/a.crt
CA Issuers - URI:http://ca/b.crt
X509v3 Subject Alternative Name:
DNS:a.example, email:ops@example, IP Address:10.0.0.1, URI:spiffe://x/y
X509v3 Certificate Policies:
Policy: 1.2.3
CPS: https://ca/cps
User Notice:
Explicit Text: read it
Policy: 2.23.140.1.2.1
X509v3 CRL Distribution Points:
Full Name:
URI:http://ca:8888/crl
Full Name:
URI:http://cb:8888/crl
OCSP No Check:`,
    );
  });

  it('tell every usage that CFSSL has a name for, in the given order', async () => {
    const text = await printed([extendedUsageExtension(allUsages)]);
    const names = [
      'Netscape Server Gated Crypto',
      'Any Extended Key Usage',
      'TLS Web Server Authentication',
      'TLS Web Client Authentication',
      'Code Signing',
      'E-mail Protection',
      'IPSec End System',
      'IPSec Tunnel',
      'IPSec User',
      'Time Stamping',
      'OCSP Signing',
      'Microsoft Server Gated Crypto',
      '1.2.3.4',
    ];
    assert.equal(text.split('\n')[2], names.join(', '));
    assert.deepEqual(decodeExtensions(encodeExtensions([extendedUsageExtension(allUsages)])).usages, allUsages);
    assert.throws(() => extendedUsageExtension(['1.x' as Usage]), RangeError);
  });

  it('keep a path length of 0 apart from none', async () => {
    assert.match(await printed([basicConstraintsExtension({})]), /CA:TRUE$/);
    assert.match(await printed([basicConstraintsExtension({ pathLength: 0 })]), /CA:TRUE, pathlen:0$/);
    assert.match(await printed([basicConstraintsExtension({ pathLength: 200 })]), /CA:TRUE, pathlen:200$/);
  });

  it('make the alternative names critical when the subject is empty', async () => {
    assert.match(
      await printed([altNamesExtension([{ type: 'dns', value: 'a' }], { critical: true })]),
      /Alternative Name: critical\nDNS:a$/,
    );
  });

  it('are left out together when there are none', async () => {
    const crt = encodePem('CERTIFICATE', await signedCertificate({ extensions: [] }));
    assert.doesNotMatch(openssl(['x509', '-in', 'crt', '-noout', '-text'], { crt }), /extensions/);
  });

  it('mean the same when they are read again', () => {
    const wish = fc.record({
      keyUsages: fc.subarray([...keyUsageBits], { minLength: 1 }),
      usages: fc.subarray(allUsages, { minLength: 1 }),
      ca: fc.option(fc.record({ pathLength: fc.nat() }), { nil: undefined }),
      id: fc.uint8Array({ minLength: 1, maxLength: 20 }),
    });
    fc.assert(
      fc.property(wish, ({ keyUsages, usages, ca, id }) => {
        const keyId = Buffer.from(id);
        const extensions = [
          keyUsageExtension(keyUsages),
          extendedUsageExtension(usages),
          basicConstraintsExtension(ca),
          subjectKeyIdExtension(keyId),
          authorityKeyIdExtension(keyId),
        ];
        const read = decodeExtensions(encodeExtensions(extensions));
        assert.deepEqual([read.keyUsages, read.usages, read.ca, read.pathLength], [keyUsages, usages, ca !== undefined, ca?.pathLength]);
        assert.deepEqual([read.subjectKeyId, read.authorityKeyId, read.unhandled], [keyId, keyId, []]);
        assert.deepEqual(read.extensions, extensions);
      }),
    );
  });

  it('of any kind are read as they were written', () => {
    const raw = fc.record({
      oid: fc.nat().map((number) => `1.2.${number}`),
      critical: fc.boolean(),
      content: fc.uint8Array({ maxLength: 300 }),
    });
    fc.assert(
      fc.property(fc.uniqueArray(raw, { selector: ({ oid }) => oid, maxLength: 5 }), (extensions) => {
        const read = decodeRawExtensions(encodeExtensions(extensions));
        assert.deepEqual(
          read.map(({ content, ...rest }) => ({ ...rest, content: new Uint8Array(content) })),
          extensions.map(({ oid, critical, content }) => ({ oid, critical, content })),
        );
      }),
    );
  });
});
