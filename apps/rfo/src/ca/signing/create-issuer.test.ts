import assert from 'node:assert/strict';
import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { before, describe, it } from 'node:test';
import { type CertificateInfo, decodeCertificate, encodePem } from '@rfo/pki';
import { CfsslError } from '../cfssl-error.ts';
import { now, openssl, plainWish, type TestAuthority, testAuthority, testIssuer, testRequest } from './authority.testing.ts';
import { writeRequest } from './make-request.ts';
import type { Issued, SignRequest } from './types.ts';

const minute = 60_000;
const hour = 60 * minute;

let authority: TestAuthority;
before(async () => {
  authority = await testAuthority();
});

function info({ der }: Issued): CertificateInfo {
  return decodeCertificate(der);
}

function altNames(issued: Issued): string[] {
  return info(issued).altNames.map(({ type, value }) => `${type}:${value}`);
}

function subject(issued: Issued): string {
  return openssl(['x509', '-noout', '-subject', '-nameopt', 'RFC2253,-dn_rev,sname'], issued.pem).trim();
}

function refused(code: number, message: string | RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof CfsslError, String(error));
    assert.equal(error.code, code);
    if (typeof message === 'string') assert.equal(error.message, message);
    else assert.match(error.message, message);
    return true;
  };
}

describe('what is signed', () => {
  it('is what OpenSSL verifies, and knows by the serial number that is given back', async () => {
    const issuer = await testIssuer({}, { authority });
    const issued = await issuer.issue(await testRequest({ commonName: 'www.example.com', hosts: ['www.example.com'] }));
    const args = ['verify', '-attime', String(Math.floor(now / 1000)), '-purpose', 'sslserver', '-CAfile', 'ca.pem'];
    assert.match(openssl(args, issued.pem, { 'ca.pem': authority.pem }), /OK/);
    const serial = openssl(['x509', '-noout', '-serial'], issued.pem).trim().replace('serial=', '');
    assert.equal(BigInt(`0x${serial}`).toString(), issued.serial);
    assert.equal(issued.authorityKeyId, authority.certificate.subjectKeyId?.toString('hex'));
    assert.equal(issued.pem, encodePem('CERTIFICATE', issued.der));
    assert.ok(issued.pem.endsWith('-----\n'));
  });

  it('has its extensions in the order of Go, critical where Go has them so', async () => {
    const policies = [{ ID: '1.2.3.4.5', Qualifiers: [{ Type: 'id-qt-cps', Value: 'http://cps.example' }] }];
    const issuer = await testIssuer(
      {
        default: {
          usages: ['cert sign', 'crl sign', 'ocsp signing'],
          ocsp_url: 'http://ocsp.example',
          crl_url: 'http://crl.example',
          issuer_urls: ['http://issuer.example'],
          ocsp_no_check: true,
          Policies: policies,
          ca_constraint: { is_ca: true },
        },
      },
      { authority },
    );
    const issued = await issuer.issue(await testRequest({ commonName: 'a', hosts: ['10.0.0.1', 'a.example'] }));
    const text = openssl(['x509', '-noout', '-text'], issued.pem);
    const names = [...text.matchAll(/^ {12}(X509v3 .*|Authority Information Access|OCSP No Check): ?(critical)?/gm)].map(
      ([, name, critical]) => [name, critical].filter(Boolean).join(' '),
    );
    assert.deepEqual(names, [
      'X509v3 Key Usage critical',
      'X509v3 Extended Key Usage',
      'X509v3 Basic Constraints critical',
      'X509v3 Subject Key Identifier',
      'X509v3 Authority Key Identifier',
      'Authority Information Access',
      'X509v3 Subject Alternative Name',
      'X509v3 CRL Distribution Points',
      'X509v3 Certificate Policies',
      'OCSP No Check',
    ]);
    assert.match(text, /Version: 3/);
    assert.match(text, /OCSP - URI:http:\/\/ocsp\.example\s+CA Issuers - URI:http:\/\/issuer\.example/);
    assert.match(text, /Policy: 1\.2\.3\.4\.5\s+CPS: http:\/\/cps\.example/);
    assert.match(text, /CA:TRUE\n/);
  });

  it('begins five minutes before the full minute that is next, and ends its life after that', async () => {
    const issuer = await testIssuer({ profiles: { late: {}, back: { backdate: '1h' } } }, { authority });
    const request = await testRequest({ commonName: 'a' });
    const { notBefore, notAfter } = info(await issuer.issue(request));
    assert.equal(notBefore, Date.parse('2026-11-21T09:55:00Z'));
    assert.equal(notAfter, notBefore + hour);
    assert.equal(info(await issuer.issue({ ...request, profile: 'back' })).notBefore, Date.parse('2026-11-21T09:00:00Z'));
    const halfPast = await testIssuer({}, { authority, at: Date.parse('2026-11-21T10:00:30Z') });
    assert.equal(info(await halfPast.issue(request)).notBefore, Date.parse('2026-11-21T09:56:00Z'));
  });

  it('has the times that a profile fixes', async () => {
    const times = { not_before: '2026-11-01T00:00:00Z', not_after: '2026-12-01T12:00:00+01:00' };
    const issued = await (await testIssuer({ default: times }, { authority })).issue(await testRequest({ commonName: 'a' }));
    assert.equal(info(issued).notBefore, Date.parse('2026-11-01T00:00:00Z'));
    assert.equal(info(issued).notAfter, Date.parse('2026-12-01T11:00:00Z'));
  });

  it('takes URLs from the default profile where its own has none', async () => {
    const common = { ocsp_url: 'http://one', crl_url: 'http://two', issuer_urls: ['http://three'] };
    const issuer = await testIssuer(
      { default: common, profiles: { plain: {}, own: { ocsp_url: 'http://mine', issuer_urls: [] } } },
      { authority },
    );
    const request = await testRequest({ commonName: 'a' });
    const plain = openssl(['x509', '-noout', '-text'], (await issuer.issue({ ...request, profile: 'plain' })).pem);
    for (const url of ['http://one', 'http://two', 'http://three']) assert.ok(plain.includes(url), url);
    const own = openssl(['x509', '-noout', '-text'], (await issuer.issue({ ...request, profile: 'own' })).pem);
    assert.ok(own.includes('http://mine') && own.includes('http://two') && !own.includes('http://one') && !own.includes('http://three'));
  });

  for (const [size, algorithm] of [
    [2048, 'sha256WithRSAEncryption'],
    [3072, 'sha384WithRSAEncryption'],
    [4096, 'sha512WithRSAEncryption'],
  ] as const)
    it(`is signed with ${algorithm} by an RSA key of ${size} bits`, async () => {
      const rsa = await testAuthority({ key: { algorithm: 'rsa', size } });
      const issued = await (await testIssuer({}, { authority: rsa })).issue(await testRequest({ commonName: 'a' }));
      assert.match(openssl(['x509', '-noout', '-text'], issued.pem), new RegExp(`Signature Algorithm: ${algorithm}`));
    });

  for (const [algorithm, size, name] of [
    ['ecdsa', 384, 'ecdsa-with-SHA384'],
    ['ecdsa', 521, 'ecdsa-with-SHA512'],
    ['ed25519', 0, 'ED25519'],
  ] as const)
    it(`is signed with ${name} by a key of that kind, for a request by such a key`, async () => {
      const other = await testAuthority({ key: { algorithm, size } });
      const issued = await (await testIssuer({}, { authority: other })).issue(
        await testRequest({ commonName: 'a', key: { algorithm, size } }),
      );
      assert.match(openssl(['x509', '-noout', '-text'], issued.pem), new RegExp(`Signature Algorithm: ${name}`));
      assert.ok(new X509Certificate(issued.pem).verify(new X509Certificate(other.pem).publicKey));
    });

  it('never has a serial number of more than 20 bytes or a negative one, nor twice the same', async () => {
    const issuer = await testIssuer({}, { authority });
    const request = await testRequest({ commonName: 'a' });
    const serials = await Promise.all(Array.from({ length: 200 }, async () => (await issuer.issue(request)).serial));
    assert.equal(new Set(serials).size, 200);
    for (const serial of serials) assert.ok(BigInt(serial) > 0n && BigInt(serial) < 1n << 159n, serial);
  });
});

describe('names', () => {
  const hosts = ['csr.example', '10.0.0.1'];

  it('are those of the CSR where the request says nothing, in the order of Go', async () => {
    const csrHosts = ['https://u.example/x', '10.0.0.1', 'mail@example.com', 'b.example', '::1', 'a.example'];
    const issued = await (await testIssuer({}, { authority })).issue(await testRequest({ commonName: 'a', hosts: csrHosts }));
    const expected = ['dns:b.example', 'dns:a.example', 'email:mail@example.com', 'ip:10.0.0.1', 'ip:::1', 'uri:https://u.example/x'];
    assert.deepEqual(altNames(issued), expected);
  });

  it('are none where the request says none', async () => {
    const issued = await (await testIssuer({}, { authority })).issue(await testRequest({ commonName: 'a', hosts }, { hosts: [] }));
    assert.deepEqual(altNames(issued), []);
  });

  it('are those of the request where it has some', async () => {
    const wanted = ['127.0.0.1', 'localhost', 'xyz@example.com', 'https://www.cloudflare.com'];
    const issued = await (await testIssuer({}, { authority })).issue(await testRequest({ commonName: 'a', hosts }, { hosts: wanted }));
    assert.deepEqual(altNames(issued), ['dns:localhost', 'email:xyz@example.com', 'ip:127.0.0.1', 'uri:https://www.cloudflare.com']);
  });

  it('of a CA are addresses alone', async () => {
    const issuer = await testIssuer({ default: { usages: ['cert sign'], ca_constraint: { is_ca: true } } }, { authority });
    const issued = await issuer.issue(await testRequest({ commonName: 'a', hosts: ['10.0.0.1', 'a.example', 'a@b.c', 'http://x/y'] }));
    assert.deepEqual(altNames(issued), ['ip:10.0.0.1']);
  });

  it('are critical for a certificate without a subject', async () => {
    const issued = await (await testIssuer({}, { authority })).issue(await testRequest({ hosts }));
    assert.match(openssl(['x509', '-noout', '-text'], issued.pem), /Subject: \n[\s\S]*Subject Alternative Name: critical/);
  });

  it('that cannot be in a certificate are refused as an error of it', async () => {
    const issuer = await testIssuer({}, { authority });
    await assert.rejects(issuer.issue(await testRequest({ commonName: 'a' }, { hosts: ['not a name'] })), refused(1000, /not a name/));
    await assert.rejects(issuer.issue(await testRequest({ commonName: 'a' }, { hosts: ['bücher.example'] })), refused(1000, /bücher/));
  });
});

describe('subjects', () => {
  const names = [{ C: 'SE', ST: '.', L: 'Stockholm', O: 'one', OU: 'unit' }, { O: 'two' }];
  const wish = { commonName: 'csr-name', names, serialNumber: '17' };

  it('are those of the CSR, several values of a type in one relative name', async () => {
    const issued = await (await testIssuer({}, { authority })).issue(await testRequest(wish));
    assert.equal(subject(issued), 'subject=C=SE,ST=.,L=Stockholm,O=one+O=two,OU=unit,CN=csr-name,serialNumber=17');
  });

  it('are overridden field by field', async () => {
    const issuer = await testIssuer({}, { authority });
    const override = { CN: 'other', names: [{ O: 'example.net' }] };
    assert.equal(
      subject(await issuer.issue(await testRequest(wish, { subject: override }))),
      'subject=C=SE,ST=.,L=Stockholm,O=example.net,OU=unit,CN=other,serialNumber=17',
    );
    assert.equal(
      subject(await issuer.issue(await testRequest(wish, { subject: {} }))),
      subject(await issuer.issue(await testRequest(wish))),
    );
  });

  it('keep mail addresses and identifiers of the CSR, unless something is overridden', async () => {
    const extra = { commonName: 'a', names: [{ E: 'a@b.c', OID: { '1.2.3.4': 'x' } }] };
    const issuer = await testIssuer({}, { authority });
    assert.match(subject(await issuer.issue(await testRequest(extra))), /^subject=CN=a,1\.2\.3\.4=\S+,emailAddress=a@b\.c$/);
    assert.equal(subject(await issuer.issue(await testRequest(extra, { subject: { CN: 'b' } }))), 'subject=CN=b');
  });

  it('are text of the narrowest type', async () => {
    const issued = await (await testIssuer({}, { authority })).issue(
      await testRequest({ commonName: 'plain', names: [{ O: 'ümlaut' }, { OU: 'a@b' }] }),
    );
    const types = openssl(['asn1parse'], issued.pem).match(/(PRINTABLESTRING|UTF8STRING) +:.*/g) ?? [];
    assert.deepEqual(
      types.slice(-3).map((line) => line.split(/\s+/)[0]),
      ['UTF8STRING', 'UTF8STRING', 'PRINTABLESTRING'],
    );
  });
});

describe('certificates of CAs', () => {
  const inter = (constraint: object): object => ({ usages: ['cert sign', 'crl sign'], ca_constraint: { is_ca: true, ...constraint } });
  const csrCa = (pathLength?: number): Promise<SignRequest> =>
    testRequest({ commonName: 'localhost', ca: { expiry: '', backdate: '', ...(pathLength !== undefined && { pathLength }) } });

  for (const [issuerLength, asked, given] of [
    [1, 0, 0],
    [1, 1, 'refused'],
    [1, undefined, undefined],
    [0, 0, 'refused'],
    [0, 1, 'refused'],
    [0, undefined, 'refused'],
    [undefined, 5, 5],
  ] as const)
    it(`below a path length of ${issuerLength}: a CSR for ${asked} is ${given === 'refused' ? given : `given ${given}`}`, async () => {
      const parent = await testAuthority({
        ca: { expiry: '', backdate: '', ...(issuerLength !== undefined && { pathLength: issuerLength }) },
      });
      const profile = inter({ max_path_len: asked ?? 0, max_path_len_zero: asked === 0 });
      const issuer = await testIssuer({ default: profile }, { authority: parent });
      const request = await csrCa(asked);
      if (given === 'refused') return assert.rejects(issuer.issue(request), refused(5300, 'Policy violation request'));
      const { ca, pathLength } = info(await issuer.issue(request));
      assert.deepEqual({ ca, pathLength }, { ca: true, pathLength: given });
    });

  it('are not for a profile that makes none', async () => {
    const issuer = await testIssuer({}, { authority });
    for (const asked of [0, 1, undefined])
      await assert.rejects(issuer.issue(await csrCa(asked)), refused(5300, 'Policy violation request'));
  });

  it('come of a profile for CAs even where the CSR is one of a leaf, with the path length of the profile', async () => {
    const issuer = await testIssuer({ default: inter({ max_path_len: 3 }) }, { authority });
    const issued = await issuer.issue(await testRequest({ commonName: 'leaf' }));
    assert.deepEqual({ ca: info(issued).ca, pathLength: info(issued).pathLength }, { ca: true, pathLength: 3 });
  });
});

describe('whitelists', () => {
  it('of the CSR let through what they name and nothing else, but not what the request itself says', async () => {
    const whitelist = { PublicKey: true, PublicKeyAlgorithm: true, SignatureAlgorithm: true };
    const issuer = await testIssuer({ default: { CSRWhitelist: whitelist } }, { authority });
    const wish = { commonName: 'a', names: [{ C: 'SE', O: 'csr' }], hosts: ['a.example', '10.0.0.1'] };
    const issued = await issuer.issue(await testRequest(wish, { hosts: ['127.0.0.1', 'localhost'], subject: { names: [{ O: 'asked' }] } }));
    assert.equal(subject(issued), 'subject=O=asked');
    assert.deepEqual(altNames(issued), ['dns:localhost', 'ip:127.0.0.1']);
    assert.deepEqual(altNames(await issuer.issue(await testRequest(wish))), []);
    const some = await testIssuer({ default: { CSRWhitelist: { ...whitelist, Subject: true, IPAddresses: true } } }, { authority });
    const other = await some.issue(await testRequest(wish));
    assert.deepEqual([subject(other), altNames(other)], ['subject=C=SE,O=csr,CN=a', ['ip:10.0.0.1']]);
  });

  it('of the CSR that leave out the key leave nothing to sign', async () => {
    const issuer = await testIssuer({ default: { CSRWhitelist: { Subject: true } } }, { authority });
    const failure = refused(0, 'x509: unsupported public key type: <nil>');
    await assert.rejects(issuer.issue(await testRequest({ commonName: 'a' })), failure);
  });

  it('of names hold for common name, DNS names, mail addresses and URIs, and not for addresses', async () => {
    const issuer = await testIssuer({ default: { name_whitelist: '^1[a-z]*[0-9]*\\.cf$' } }, { authority });
    const ask = (commonName: string, hosts: string[]): Promise<Issued> =>
      testRequest({ commonName }, { hosts }).then((request) => issuer.issue(request));
    await ask('1lab41.cf', ['127.0.0.1', '1machine23.cf']);
    await ask('', ['127.0.0.1', '1machine23.cf']);
    const failure = refused(5500, 'Request does not match policy whitelist');
    await assert.rejects(ask('localhost.com', ['1machine23.cf']), failure);
    for (const host of ['invalid.cf', 'a@1machine23.cf', 'http://1machine23.cf']) await assert.rejects(ask('1lab41.cf', [host]), failure);
  });

  it('of extensions let in what a caller asks for by name', async () => {
    const extension = { oid: '1.2.3.4', critical: false, content: Buffer.from('0500', 'hex') };
    const issuer = await testIssuer({ default: { allowed_extensions: ['1.2.3.4'] } }, { authority });
    const issued = await issuer.issue(await testRequest({ commonName: 'a' }, { extensions: [extension] }));
    assert.match(openssl(['x509', '-noout', '-text'], issued.pem), /1\.2\.3\.4:/);
    const others = [extension, { ...extension, oid: '1.2.3.5' }];
    await assert.rejects(
      issuer.issue(await testRequest({ commonName: 'a' }, { extensions: others })),
      refused(1300, 'Invalid certificate request'),
    );
  });
});

describe('extensions of the CSR', () => {
  const critical = { oid: '1.2.3.4', critical: true, content: Buffer.from('0500', 'hex') };

  it('stay outside unless the profile copies them; delegated credentials always come in', async () => {
    const issuer = await testIssuer({ profiles: { copy: { copy_extensions: true } } }, { authority });
    const request = await testRequest({ commonName: 'a', delegation: true, extensions: [critical] });
    const plain = openssl(['x509', '-noout', '-text'], (await issuer.issue(request)).pem);
    assert.ok(!plain.includes('1.2.3.4:') && plain.includes('1.3.6.1.4.1.44363.44:'));
    assert.match(openssl(['x509', '-noout', '-text'], (await issuer.issue({ ...request, profile: 'copy' })).pem), /1\.2\.3\.4: critical/);
  });

  it('never say who the certificate is for, even where they are copied', async () => {
    const issuer = await testIssuer({ default: { copy_extensions: true } }, { authority });
    const issued = await issuer.issue(await testRequest({ commonName: 'a', hosts: ['csr.example'] }, { hosts: ['asked.example'] }));
    assert.deepEqual(altNames(issued), ['dns:asked.example']);
  });
});

describe('what is refused before anything is signed', () => {
  const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  const { requestPem, requestDer } = writeRequest({ ...plainWish, commonName: 'a' }, key);
  const tampered = Buffer.from(requestDer);
  tampered[tampered.length - 3] = (tampered.at(-3) ?? 0) ^ 0x55;

  for (const [what, text, code, message] of [
    ['no PEM', 'nothing', 9002, 'CSR Decode failed'],
    ['an empty text', '', 9002, 'CSR Decode failed'],
    ['PEM that is cut short', requestPem.slice(0, -40), 9002, 'CSR Decode failed'],
    ['another kind of PEM', encodePem('CERTIFICATE', requestDer), 9300, 'not a csr'],
    ['no request in it', encodePem('CERTIFICATE REQUEST', Buffer.from('3003020100', 'hex')), 9003, /./],
    ['a signature that is not of its key', encodePem('CERTIFICATE REQUEST', tampered), 9300, 'x509: ECDSA verification failure'],
  ] as const)
    it(`${what}: ${code}`, async () => {
      const issuer = await testIssuer({}, { authority });
      await assert.rejects(issuer.issue({ certificateRequest: text, hosts: null, profile: '', label: '' }), refused(code, message));
    });

  it('nothing of an older label, and of text around the request', async () => {
    const issuer = await testIssuer({}, { authority });
    const text = `before\n${encodePem('NEW CERTIFICATE REQUEST', requestDer)}after`;
    assert.equal(subject(await issuer.issue({ certificateRequest: text, hosts: null, profile: '', label: '' })), 'subject=CN=a');
  });

  it('a profile without usages: 5100', async () => {
    const issuer = await testIssuer({ default: { usages: [] } }, { authority });
    await assert.rejects(issuer.issue(await testRequest({ commonName: 'a' })), refused(5100, 'Invalid policy: no key usage available'));
  });

  it('a missing serial number where clients choose it: 1400; one that they give is taken', async () => {
    const issuer = await testIssuer({ default: { ClientProvidesSerialNumbers: true } }, { authority });
    const request = await testRequest({ commonName: 'a' });
    await assert.rejects(issuer.issue(request), refused(1400, 'Missing serial number in request'));
    await assert.rejects(issuer.issue({ ...request, serial: -1n }), refused(1000, 'x509: serial number must be positive'));
    await assert.rejects(issuer.issue({ ...request, serial: 1n << 160n }), refused(1000, /longer than 20 bytes/));
    const issued = await issuer.issue({ ...request, serial: 0x80n });
    assert.equal(issued.serial, '128');
    assert.match(openssl(['x509', '-noout', '-serial'], issued.pem), /serial=80\n/);
  });
});
