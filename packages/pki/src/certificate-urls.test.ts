import assert from 'node:assert/strict';
import { test } from 'node:test';
import { authorityInfoExtension, crlPointsExtension } from './certificate-extensions.ts';
import { certificateUrls } from './certificate-urls.ts';
import { testAuthority, testLeaf } from './issuing.testing.ts';

const ca = testAuthority('ca');

test('responders, issuers and CRLs are read out of a certificate', () => {
  const urls = { ocsp: ['http://ocsp.example', 'http://other.example'], issuers: ['http://ca.example/ca.crt'] };
  const extensions = [authorityInfoExtension(urls), crlPointsExtension(['http://ca.example/crl'])];
  assert.deepEqual(certificateUrls(testLeaf(ca, { extensions })), { ...urls, crlPoints: true });
});

test('a certificate that names none has none', () => {
  assert.deepEqual(certificateUrls(testLeaf(ca)), { ocsp: [], issuers: [], crlPoints: false });
});

test('an extension that is cut short is refused', () => {
  const broken = { ...authorityInfoExtension({ ocsp: ['http://ocsp.example'] }), content: Buffer.from('300a3008', 'hex') };
  assert.throws(() => certificateUrls(testLeaf(ca, { extensions: [broken] })), { code: 'certificate-unreadable' });
});
