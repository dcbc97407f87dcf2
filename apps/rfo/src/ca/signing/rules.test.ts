import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { before, describe, it } from 'node:test';
import { type CertificateInfo, decodeCertificate } from '@rfo/pki';
import { CfsslError } from '../cfssl-error.ts';
import { openssl, plainWish, type TestAuthority, testAuthority, testIssuer, testRequest } from './authority.testing.ts';
import { parseCompat as compat } from './compat.ts';
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

describe('what cfssl lets through, and we do not', () => {
  it('an unknown profile: 5400; the default one with default-profile', async () => {
    const request = await testRequest({ commonName: 'a' }, { profile: 'nothing' });
    await assert.rejects((await testIssuer({}, { authority })).issue(request), refused(5400, 'Unknown policy profile'));
    const lax = await testIssuer({}, { authority, compat: compat('default-profile') });
    assert.equal((await lax.issue(request)).draft.profile, 'default');
  });

  for (const [what, wish, override] of [
    ['in the CSR', { commonName: 'admin', names: [{ O: 'system:masters' }] }, undefined],
    ['in the override', { commonName: 'admin' }, { names: [{ O: 'system:masters' }] }],
    ['as a common name', { commonName: 'system:kube-scheduler' }, undefined],
    ['of a node, without a rule that binds it', { commonName: 'system:node:a', names: [{ O: 'system:nodes' }] }, undefined],
    ['as one of several organizations', { commonName: 'a', names: [{ O: 'x' }, { O: 'system:masters' }] }, undefined],
    ['hidden as an identifier', { commonName: 'a', names: [{ OID: { '2.5.4.10': 'system:masters' } }] }, undefined],
  ] as const)
    it(`an identity of Kubernetes ${what}: 5500; signed with any-subject`, async () => {
      const request = await testRequest(wish, override === undefined ? {} : { subject: override });
      await assert.rejects((await testIssuer({}, { authority })).issue(request), refused(5500, /is an identity of Kubernetes/));
      const lax = await testIssuer({}, { authority, compat: compat('any-subject') });
      assert.match(subject(await lax.issue(request)), /system:/);
    });

  it('a life beyond that of the CA ends with it; with outlive-ca it does not', async () => {
    const short = await testAuthority({ ca: { expiry: '30m', backdate: '' } });
    const request = await testRequest({ commonName: 'a' });
    assert.equal(info(await (await testIssuer({}, { authority: short })).issue(request)).notAfter, short.certificate.notAfter);
    const lax = await testIssuer({}, { authority: short, compat: compat('outlive-ca') });
    assert.equal(info(await lax.issue(request)).notAfter, short.certificate.notAfter + 30 * minute);
  });

  it('a CA that has expired signs nothing: 5300', async () => {
    const issuer = await testIssuer({}, { authority, at: authority.certificate.notAfter + hour });
    await assert.rejects(issuer.issue(await testRequest({ commonName: 'a' })), refused(5300, /the CA expired at 2031/));
  });

  it('an RSA key of 1024 bits: 5300; signed with weak-keys', async () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
    const certificateRequest = writeRequest({ ...plainWish, commonName: 'a' }, privateKey).requestPem;
    const request = { certificateRequest, hosts: null, profile: '', label: '' };
    await assert.rejects((await testIssuer({}, { authority })).issue(request), refused(5300, /RSA key is too weak: 1024 bits/));
    assert.equal(subject(await (await testIssuer({}, { authority, compat: compat('weak-keys') })).issue(request)), 'subject=CN=a');
  });

  it('a request that is signed with SHA-1: 5300; signed with weak-keys. With MD5: 9300 in any case', async () => {
    const keyPem = String(generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs8', format: 'pem' }));
    const by = (digest: string): SignRequest => {
      const certificateRequest = openssl(['req', '-new', '-subj', '/CN=a', `-${digest}`, '-key', 'key.pem'], '', { 'key.pem': keyPem });
      return { certificateRequest, hosts: null, profile: '', label: '' };
    };
    const lax = await testIssuer({}, { authority, compat: compat('weak-keys') });
    await assert.rejects((await testIssuer({}, { authority })).issue(by('sha1')), refused(5300, /SHA1-RSA of the request is too weak/));
    assert.equal(subject(await lax.issue(by('sha1'))), 'subject=CN=a');
    await assert.rejects(lax.issue(by('md5')), refused(9300, 'x509: cannot verify signature: insecure algorithm MD5-RSA'));
  });
});
