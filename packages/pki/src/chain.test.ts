import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type CertificateInfo, certificateInfo } from './certificate-info.ts';
import { findChain, isSelfSigned, isSignedBy } from './chain.ts';
import { day, now, testAuthority, testLeaf } from './issuing.testing.ts';
import { encodeKey, generateKey } from './key.ts';
import { identity } from './name.ts';
import { openssl } from './openssl.testing.ts';

describe('a chain', () => {
  const root = testAuthority('root');
  const middle = testAuthority('middle', { under: root, change: { ca: { pathLength: 0 } } });
  const leaf = testLeaf(middle);
  const trust = { intermediates: [middle.certificate], roots: [root.certificate], now };

  it('leads from the leaf over its signers to a root', () => {
    assert.deepEqual(findChain(leaf, trust), [leaf, middle.certificate, root.certificate]);
    assert.deepEqual(findChain(leaf, { roots: [middle.certificate], now }), [leaf, middle.certificate]);
  });

  it('needs every link', () => {
    assert.throws(() => findChain(leaf, { ...trust, intermediates: [] }), {
      code: 'certificate-untrusted',
      message: /no trusted CA is named CN=middle/,
    });
    assert.throws(() => findChain(leaf, { ...trust, roots: [testAuthority('root').certificate] }), { code: 'certificate-untrusted' });
  });

  it('holds only while each of it is valid', () => {
    assert.throws(() => findChain(leaf, { ...trust, now: leaf.notAfter + 1 }), { message: /CN=leaf expired at 2027-11-21T10:00:00/ });
    assert.throws(() => findChain(leaf, { ...trust, now: now - 2 * day }), { message: /CN=leaf is valid only from/ });
    const short = testAuthority('root', { change: { notAfter: now + day } });
    assert.throws(() => findChain(testLeaf(short), { roots: [short.certificate], now: now + 2 * day }), { message: /CN=root expired/ });
  });

  it('does not pass through a leaf or a CA that may not stand there', () => {
    const fake = { certificate: leaf, key: middle.key };
    assert.throws(() => findChain(testLeaf(fake), { ...trust, intermediates: [leaf, middle.certificate] }), {
      code: 'certificate-untrusted',
    });
    const below = testAuthority('below', { under: middle });
    const intermediates = [below.certificate, middle.certificate];
    assert.throws(() => findChain(testLeaf(below), { ...trust, intermediates }), {
      message: /CN=middle may not stand above 1 further CAs/,
    });
    const noSigner = testAuthority('odd', { change: { keyUsages: ['digitalSignature'] } });
    assert.throws(() => findChain(testLeaf(noSigner), { roots: [noSigner.certificate], now }), { message: /CN=odd is no CA/ });
  });

  it('does not pass over a critical extension that nobody here understands', () => {
    const odd = testLeaf(root, { extensions: [{ oid: '1.2.3.4', critical: true, content: Buffer.from([5, 0]) }] });
    assert.throws(() => findChain(odd, trust), { message: /not understood: 1\.2\.3\.4/ });
    const harmless = testLeaf(root, { extensions: [{ oid: '1.2.3.4', critical: false, content: Buffer.from([5, 0]) }] });
    assert.equal(findChain(harmless, trust).length, 2);
  });

  it('holds by no signature of a weak kind', () => {
    const files = { key: encodeKey(generateKey()), cfg: '[req]\ndistinguished_name=dn\n[dn]\n' };
    const made = (digest: string): CertificateInfo =>
      certificateInfo(openssl(['req', '-x509', '-new', `-${digest}`, '-key', 'key', '-subj', '/CN=a', '-config', 'cfg'], files));
    assert.ok(isSelfSigned(made('sha256')));
    assert.ok(!isSelfSigned(made('sha1')));
  });

  it('tells the signer apart from one of the same name', () => {
    const twin = testAuthority('root');
    assert.ok(isSignedBy(testLeaf(root), root.certificate));
    assert.ok(!isSignedBy(testLeaf(root), twin.certificate));
    assert.ok(!isSignedBy(testLeaf({ certificate: root.certificate, key: twin.key }), root.certificate));
    assert.ok(isSelfSigned(root.certificate) && !isSelfSigned(middle.certificate));
    assert.ok(!isSelfSigned(testLeaf(root, { subject: identity('root') })));
  });
});
