import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { describe, it } from 'node:test';
import { RfoError } from '@rfo/foundation';
import fc from 'fast-check';
import { type AltName, hostNames } from './alt-name.ts';
import { certificateInfo, certificateInfos, decodeCertificate } from './certificate-info.ts';
import { day, now, publicBytes, testAuthority, testLeaf } from './issuing.testing.ts';
import { encodeKey, generateKey, type KeyAlgorithm } from './key.ts';
import { formatName, identity, type Name } from './name.ts';
import { openssl } from './openssl.testing.ts';
import { encodePem } from './pem.ts';

const pem = (certificate: { der: Buffer }): string => encodePem('CERTIFICATE', certificate.der);
const text = (certificate: { der: Buffer }): string => openssl(['x509', '-in', 'crt', '-noout', '-text'], { crt: pem(certificate) });

describe('a certificate', () => {
  const kinds: [ca: KeyAlgorithm, leaf: KeyAlgorithm, algorithm: string][] = [
    ['P-256', 'P-256', 'ecdsa-with-SHA256'],
    ['P-384', 'P-256', 'ecdsa-with-SHA384'],
    ['RSA-2048', 'P-384', 'sha256WithRSAEncryption'],
    ['P-256', 'RSA-2048', 'ecdsa-with-SHA256'],
  ];
  for (const [caKey, leafKey, algorithm] of kinds) {
    it(`with a ${leafKey} key under a ${caKey} CA is verified by openssl and node`, () => {
      const ca = testAuthority('ca', { key: caKey });
      const key = generateKey(leafKey);
      const leaf = testLeaf(ca, { publicKey: publicBytes(key), altNames: hostNames(['a.example', '10.0.0.1']) });
      const args = ['verify', '-x509_strict', '-purpose', 'sslserver', '-verify_hostname', 'a.example', '-attime', String(now / 1000)];
      assert.match(openssl([...args, '-CAfile', 'ca', 'crt'], { ca: pem(ca.certificate), crt: pem(leaf) }), /crt: OK/);
      assert.match(text(leaf), new RegExp(`Signature Algorithm: ${algorithm}`));

      const [seenCa, seen] = [new X509Certificate(ca.certificate.der), new X509Certificate(leaf.der)];
      assert.ok(seen.checkIssued(seenCa));
      assert.ok(seen.verify(seenCa.publicKey));
      assert.ok(seen.checkPrivateKey(key));
      assert.ok(!seen.ca && seenCa.ca);
      assert.equal(seen.checkHost('a.example'), 'a.example');
      assert.equal(seen.checkIP('10.0.0.1'), '10.0.0.1');
    });
  }

  it('shows every extension to openssl, critical where RFC 5280 says so', () => {
    const ca = testAuthority('ca', { change: { ca: { pathLength: 0 } } });
    const altNames: AltName[] = [
      { type: 'dns', value: '*.example' },
      { type: 'ip', value: '10.0.0.1' },
      { type: 'ip', value: 'fd00::1' },
      { type: 'uri', value: 'spiffe://rfo/node' },
      { type: 'email', value: 'ops@example' },
    ];
    const leaf = text(testLeaf(ca, { altNames, usages: ['serverAuth', 'clientAuth'] }));
    assert.match(leaf, /Version: 3 \(0x2\)/);
    assert.match(leaf, /X509v3 Basic Constraints: critical\s+CA:FALSE/);
    assert.match(leaf, /X509v3 Key Usage: critical\s+Digital Signature\n/);
    assert.match(leaf, /X509v3 Extended Key Usage: \n\s+TLS Web Server Authentication, TLS Web Client Authentication/);
    assert.match(
      leaf,
      /Alternative Name: \n\s+DNS:\*\.example, IP Address:10\.0\.0\.1, IP Address:FD00:0:0:0:0:0:0:1, URI:spiffe:\/\/rfo\/node, email:ops@example/,
    );
    const top = text(ca.certificate);
    assert.match(top, /X509v3 Basic Constraints: critical\s+CA:TRUE, pathlen:0/);
    assert.match(top, /X509v3 Key Usage: critical\s+Digital Signature, Certificate Sign, CRL Sign\n/);
    const id = /Subject Key Identifier: \n\s+([0-9A-F:]+)/.exec(top)?.[1];
    assert.equal(/Authority Key Identifier: \n\s+([0-9A-F:]+)/.exec(leaf)?.[1], id);
  });

  it('without a subject has critical alternative names', () => {
    const leaf = testLeaf(testAuthority('ca'), { subject: [], altNames: [{ type: 'dns', value: 'a' }] });
    assert.match(text(leaf), /Alternative Name: critical/);
  });

  it('has a positive serial number of 16 random bytes', () => {
    const ca = testAuthority('ca');
    const serials = Array.from({ length: 50 }, () => testLeaf(ca).serial);
    assert.equal(new Set(serials).size, 50);
    for (const serial of serials) assert.match(serial, /^[4-7][0-9a-f]{31}$/);
  });

  it('is dated right on both sides of 2050', () => {
    const leaf = testLeaf(testAuthority('ca'), {
      notBefore: Date.parse('2049-12-31T23:59:59Z'),
      notAfter: Date.parse('2050-01-01T00:00:00Z'),
    });
    assert.match(text(leaf), /Not Before: Dec 31 23:59:59 2049 GMT\s+Not After : Jan {2}1 00:00:00 2050 GMT/);
    assert.equal(new Date(leaf.notAfter).toISOString(), '2050-01-01T00:00:00.000Z');
  });

  it('gives back whatever names it was made with, and node accepts it', () => {
    const ca = testAuthority('ca');
    const value = fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }).filter((made) => !made.includes('\0') && made.isWellFormed());
    const type = fc.constantFrom('CN', 'O', 'OU', 'L', 'ST', '1.2.3.4' as const);
    const attribute = fc.record({ type, value }, { noNullPrototype: true });
    fc.assert(
      fc.property(fc.array(attribute, { maxLength: 6 }), (subject: Name) => {
        const leaf = testLeaf(ca, { subject });
        assert.deepEqual(leaf.subject, subject);
        assert.deepEqual(leaf.issuer, identity('ca'));
        assert.ok(new X509Certificate(leaf.der).verify(new X509Certificate(ca.certificate.der).publicKey));
      }),
    );
  });

  it('gives back whatever alternative names it was made with, and node reads the same', () => {
    const ca = testAuthority('ca');
    const host = fc.oneof(fc.domain(), fc.ipV4(), fc.ipV6());
    fc.assert(
      fc.property(fc.array(host, { minLength: 1, maxLength: 8 }), (hosts) => {
        const altNames = hostNames(hosts);
        const leaf = testLeaf(ca, { altNames });
        assert.deepEqual(leaf.altNames, altNames);
        const seen = new X509Certificate(leaf.der);
        for (const { type, value } of altNames) assert.ok(type === 'ip' ? seen.checkIP(value) : seen.checkHost(value), value);
      }),
    );
  });

  it('refuses names that no verifier would match', () => {
    const ca = testAuthority('ca');
    for (const host of ['', 'a b', 'ä.example', '-a', 'a..b', 'a.*.b', 'fe80::1%eth0', `${'a'.repeat(64)}.b`, '10.0.0.1/8'])
      assert.throws(() => testLeaf(ca, { altNames: hostNames([host]) }), { code: 'alt-name-invalid' }, host);
  });

  it('is described by its info', () => {
    const info = certificateInfo(pem(testLeaf(testAuthority('ca'), { subject: identity('system:admin', ['system:masters']) })));
    assert.equal(formatName(info.subject), 'CN=system:admin,O=system:masters');
    assert.deepEqual([info.notBefore, info.notAfter, info.ca], [now - day, now + 365 * day, false]);
    assert.deepEqual([info.keyUsages, info.usages], [['digitalSignature'], ['serverAuth']]);
    assert.equal(info.serial, new X509Certificate(info.der).serialNumber.toLowerCase());
  });

  it('can be read out of a bundle with text around it', () => {
    const [a, b] = [testAuthority('a').certificate, testAuthority('b').certificate];
    const read = certificateInfos(`first\n${pem(a)}then\r\n${pem(b).replaceAll('\n', '\r\n')}`);
    assert.deepEqual(
      read.map(({ subject }) => formatName(subject)),
      ['CN=a', 'CN=b'],
    );
  });

  it('made by openssl is read alike', () => {
    const args = [
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-keyout',
      '/dev/null',
      '-days',
      '30',
      '-subj',
      '/C=SE/O=a+OU=b/CN=x, y/emailAddress=a@b',
    ];
    const made = openssl(
      [...args, '-addext', 'subjectAltName=DNS:a,dirName:d', '-addext', 'nameConstraints=critical,permitted;DNS:a', '-config', 'cfg'],
      {
        cfg: '[req]\ndistinguished_name=dn\n[dn]\n[d]\nCN=z\n',
      },
    );
    const info = certificateInfo(made);
    assert.equal(formatName(info.subject), 'emailAddress=a@b,CN=x\\, y,OU=b,O=a,C=SE');
    assert.deepEqual(info.altNames, [{ type: 'dns', value: 'a' }]);
    assert.deepEqual(info.unhandled, ['2.5.29.30']);
  });

  it('that is damaged is refused with one sentence, whatever the damage', () => {
    const { der } = testAuthority('ca').certificate;
    const outcome = (bytes: Uint8Array): void => {
      try {
        decodeCertificate(bytes);
      } catch (error) {
        assert.ok(error instanceof RfoError && error.code === 'certificate-unreadable', String(error));
      }
    };
    fc.assert(
      fc.property(fc.nat(der.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const damaged = Buffer.from(der);
        damaged[at] = (damaged[at] ?? 0) ^ flip;
        outcome(damaged);
        assert.throws(() => decodeCertificate(der.subarray(0, at)), { code: 'certificate-unreadable' });
      }),
    );
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), outcome));
    assert.throws(() => certificateInfo('no certificate', '/etc/x.crt'), {
      message: /cannot read \/etc\/x\.crt: it holds no CERTIFICATE block/,
    });
  });
});

describe('a key', () => {
  it('is written in the forms that openssl knows', () => {
    const headers = { 'P-256': 'EC PRIVATE KEY', 'P-384': 'EC PRIVATE KEY', 'RSA-2048': 'RSA PRIVATE KEY' } as const;
    for (const [algorithm, header] of Object.entries(headers)) {
      const key = generateKey(algorithm as keyof typeof headers);
      assert.match(encodeKey(key), new RegExp(`^-----BEGIN ${header}-----`));
      assert.match(encodeKey(key, 'pkcs8'), /^-----BEGIN PRIVATE KEY-----/);
      assert.equal(openssl(['pkey', '-in', 'key', '-check', '-noout'], { key: encodeKey(key) }).trim(), 'Key is valid');
    }
  });
});
