import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decodeCertificate, isSelfSigned } from '@rfo/pki';
import { CfsslError } from '../cfssl-error.ts';
import { clock, now, openssl, plainWish } from './authority.testing.ts';
import { createSelfSigned } from './create-self-signed.ts';
import type { CsrWish } from './csr-json.ts';

const make = (wish: Partial<CsrWish>): ReturnType<typeof createSelfSigned> =>
  createSelfSigned({ ...plainWish, commonName: 'root', ...wish }, { clock });

describe('createSelfSigned', () => {
  it('makes a root of five years that OpenSSL takes for one', async () => {
    const { certificatePem, certificateDer, keyPem } = await make({ names: [{ C: 'SE', O: 'one' }] });
    const info = decodeCertificate(certificateDer);
    assert.equal(isSelfSigned(info), true);
    assert.deepEqual([info.ca, info.pathLength, info.authorityKeyId], [true, undefined, undefined]);
    assert.deepEqual(info.keyUsages, ['keyCertSign', 'cRLSign']);
    assert.equal(info.notBefore, Date.parse('2026-11-21T09:55:00Z'));
    assert.equal(info.notAfter - info.notBefore, 43_800 * 3_600_000);
    const text = openssl(['x509', '-noout', '-text'], certificatePem);
    assert.match(text, /Basic Constraints: critical\s+CA:TRUE\n/);
    const verify = ['verify', '-attime', String(Math.floor(now / 1000)), '-check_ss_sig', '-CAfile', 'ca.pem'];
    assert.match(openssl(verify, certificatePem, { 'ca.pem': certificatePem }), /OK/);
    assert.equal(openssl(['pkey', '-pubout'], keyPem), openssl(['x509', '-noout', '-pubkey'], certificatePem));
  });

  it('heeds expiry, backdate, path length and the URL of the CRL', async () => {
    const { certificatePem, certificateDer } = await make({
      ca: { expiry: '24h', backdate: '1h', pathLength: 0 },
      crlUrl: 'http://crl.example',
    });
    const info = decodeCertificate(certificateDer);
    assert.equal(info.notBefore, Date.parse('2026-11-21T09:00:00Z'));
    assert.equal(info.notAfter, Date.parse('2026-11-22T09:00:00Z'));
    assert.equal(info.pathLength, 0);
    assert.match(openssl(['x509', '-noout', '-text'], certificatePem), /URI:http:\/\/crl\.example/);
  });

  it('takes addresses of its hosts and no other names', async () => {
    const { certificateDer } = await make({ hosts: ['10.0.0.1', 'ca.example'] });
    assert.deepEqual(decodeCertificate(certificateDer).altNames, [{ type: 'ip', value: '10.0.0.1' }]);
  });

  for (const [what, wish, error] of [
    ['no subject', { commonName: '' }, new CfsslError(5300, 'missing subject information')],
    ['a subject of spaces', { commonName: '', names: [{ O: 'x' }, { O: ' ' }] }, new CfsslError(5300, 'missing subject information')],
    ['a bad expiry', { ca: { expiry: '1d', backdate: '' } }, new CfsslError(0, 'time: unknown unit "d" in duration "1d"', 500)],
    ['a bad backdate', { ca: { expiry: '', backdate: 'x' } }, new CfsslError(0, 'time: invalid duration "x"', 500)],
    ['no life', { ca: { expiry: '0h', backdate: '' } }, new CfsslError(5200, 'Invalid or unknown policy')],
    ['a weak key', { key: { algorithm: 'rsa', size: 512 } }, new CfsslError(2400, 'RSA key is too weak')],
  ] as const)
    it(`refuses ${what}: ${error.status}/${error.code}`, async () => assert.rejects(make(wish), error));

  it('needs no common name where there is an organization', async () => {
    assert.match(
      openssl(['x509', '-noout', '-subject'], (await make({ commonName: '', names: [{ O: 'one' }] })).certificatePem),
      /O ?= ?one/,
    );
  });
});
