import assert from 'node:assert/strict';
import { createPrivateKey, createPublicKey } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { hostNames } from './alt-name.ts';
import { createSigningRequest, readSigningRequest } from './csr.ts';
import { publicBytes, testAuthority, testLeaf } from './issuing.testing.ts';
import { encodeKey, generateKey, type KeyAlgorithm } from './key.ts';
import { formatName, identity } from './name.ts';
import { openssl } from './openssl.testing.ts';
import { decodePem, encodePem } from './pem.ts';

describe('a signing request', () => {
  for (const algorithm of ['P-256', 'P-384', 'RSA-2048'] as const satisfies KeyAlgorithm[]) {
    it(`with a ${algorithm} key is verified by openssl`, () => {
      const der = createSigningRequest(
        { subject: identity('system:node:a', ['system:nodes']), altNames: hostNames(['a', '10.0.0.1']) },
        generateKey(algorithm),
      );
      const text = openssl(['req', '-in', 'csr', '-verify', '-noout', '-text'], { csr: encodePem('CERTIFICATE REQUEST', der) });
      assert.match(text, /Subject: O = system:nodes, CN = system:node:a/);
      assert.match(text, /DNS:a, IP Address:10\.0\.0\.1/);
    });
  }

  it('gives back what was asked for, with and without extensions', () => {
    const key = generateKey();
    const subject = identity('a', ['b']);
    const altNames = hostNames(['a.example', 'fd00::1']);
    const { key: publicKey, ...bare } = readSigningRequest(createSigningRequest({ subject }, key));
    assert.ok(publicKey.equals(createPublicKey(key)));
    assert.deepEqual(bare, {
      subject,
      publicKey: publicBytes(key),
      altNames: [],
      usages: [],
    });
    const read = readSigningRequest(createSigningRequest({ subject, altNames, usages: ['serverAuth'] }, key));
    assert.deepEqual([read.altNames, read.usages], [altNames, ['serverAuth']]);
  });

  it('made by openssl is read, and its key gets a certificate', () => {
    const config =
      '[req]\ndistinguished_name=dn\nreq_extensions=ext\nattributes=at\n[dn]\n[at]\n[ext]\nsubjectAltName=DNS:w1,IP:10.1.1.1\nextendedKeyUsage=clientAuth\n';
    const printed = openssl(
      [
        'req',
        '-new',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:P-256',
        '-nodes',
        '-keyout',
        '-',
        '-subj',
        '/O=system:nodes/CN=system:node:w1',
        '-config',
        'cfg',
      ],
      { cfg: config },
    );
    const der = decodePem(printed).find(({ label }) => label === 'CERTIFICATE REQUEST')?.bytes ?? Buffer.alloc(0);
    const request = readSigningRequest(der);
    assert.equal(formatName(request.subject), 'CN=system:node:w1,O=system:nodes');
    assert.deepEqual(request.altNames, hostNames(['w1', '10.1.1.1']));
    assert.deepEqual(request.usages, ['clientAuth']);
    const key = createPrivateKey(
      decodePem(printed)
        .filter(({ label }) => label.endsWith('PRIVATE KEY'))
        .map(({ label, bytes }) => encodePem(label, bytes))
        .join(''),
    );
    assert.deepEqual(testLeaf(testAuthority('ca'), request).publicKey, publicBytes(key));
  });

  it('is refused when anything in it was changed after it was signed', () => {
    const der = createSigningRequest({ subject: identity('node'), altNames: hostNames(['a']) }, generateKey());
    for (let at = 0; at < der.length; at++) {
      for (const flip of [0x01, 0x02, 0x20, 0x80, 0xff]) {
        const changed = Buffer.from(der);
        changed[at] = (changed[at] ?? 0) ^ flip;
        assert.throws(() => readSigningRequest(changed), { code: 'signing-request-invalid' }, `byte ${at} ^ ${flip}`);
      }
    }
  });

  it('is refused with one sentence whatever the bytes are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        assert.throws(() => readSigningRequest(bytes), { code: 'signing-request-invalid' });
      }),
    );
  });

  it('signed by way of SHA-1 is refused', () => {
    const key = encodeKey(generateKey());
    const config = '[req]\ndistinguished_name=dn\n[dn]\n';
    const printed = openssl(['req', '-new', '-sha1', '-key', 'key', '-subj', '/CN=a', '-config', 'cfg'], { key, cfg: config });
    const der = decodePem(printed)[0]?.bytes ?? Buffer.alloc(0);
    assert.throws(() => readSigningRequest(der), { code: 'signing-request-invalid', message: /signature is not one/ });
  });

  it('signed by another key than its own is refused', () => {
    const [own, other] = [generateKey(), generateKey()];
    const parts = createSigningRequest({ subject: identity('a') }, own);
    const foreign = createSigningRequest({ subject: identity('a') }, other);
    const swapped = Buffer.from(parts.toString('hex').replace(publicBytes(own).toString('hex'), publicBytes(other).toString('hex')), 'hex');
    assert.notDeepEqual(swapped, foreign);
    assert.throws(() => readSigningRequest(swapped), { message: /signature is not one of its own key/ });
  });
});
