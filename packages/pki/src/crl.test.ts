import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RfoError } from '@rfo/foundation';
import fc from 'fast-check';
import { type CrlBody, decodeCrl, encodeCrl } from './crl.ts';
import { askOpenssl, type StatusScene, serialOf, statusScene } from './ocsp.testing.ts';
import { encodePem } from './pem.ts';

const scene = statusScene();
const hour = 3_600_000;
const thisUpdate = Math.floor(Date.now() / 1000) * 1000;
const revokedAt = thisUpdate - hour;

function listOf({ identity }: StatusScene, change: Partial<CrlBody> = {}): Promise<Buffer> {
  return encodeCrl({ issuer: identity, number: 7n, thisUpdate, nextUpdate: thisUpdate + hour, entries: [], ...change });
}

function opinionOn(der: Buffer, { files }: StatusScene = scene): string {
  return askOpenssl(['crl', '-inform', 'DER', '-in', 'list', '-noout', '-text', '-CAfile', 'ca'], { ...files, list: der }).text;
}

describe('a revocation list', () => {
  it('says to openssl who is revoked, since when and why', async () => {
    const text = opinionOn(
      await listOf(scene, {
        number: 2n ** 64n,
        entries: [
          { serial: 0xabcdefn, revokedAt, reason: 1 },
          { serial: 2n ** 158n, revokedAt, reason: 5 },
        ],
      }),
    );
    assert.match(text, /verify OK/);
    assert.match(text, /Version 2/);
    assert.match(text, /CRL Number:\s+(0x1?0000000000000000|18446744073709551616|0x010000000000000000)/i);
    assert.match(text, /Authority Key Identifier/);
    assert.match(text, /Serial Number: ABCDEF[\s\S]*Key Compromise[\s\S]*Serial Number: 40{39}[\s\S]*Cessation Of Operation/);
  });

  it('in the plain form of cfssl has neither number nor reasons', async () => {
    const { number: _, ...plain } = {
      number: 1n,
      issuer: scene.identity,
      thisUpdate,
      nextUpdate: thisUpdate + hour,
      entries: [{ serial: 5n, revokedAt }],
    };
    const text = opinionOn(await encodeCrl(plain));
    assert.match(text, /verify OK/);
    assert.match(text, /Serial Number: 05/);
    assert.doesNotMatch(text, /CRL Number|Reason/);
  });

  it('says nothing where the reason is unspecified, or would take the certificate off the list', async () => {
    for (const reason of [0, 8])
      assert.doesNotMatch(opinionOn(await listOf(scene, { entries: [{ serial: 5n, revokedAt, reason }] })), /Reason/);
  });

  it('leaves out the list itself while nobody is revoked', async () => {
    const der = await listOf(scene);
    assert.match(opinionOn(der), /verify OK[\s\S]*No Revoked Certificates|No Revoked Certificates[\s\S]*verify OK/);
    assert.deepEqual(decodeCrl(der).entries, []);
  });

  for (const algorithm of ['P-384', 'P-521', 'RSA-2048', 'Ed25519'] as const) {
    it(`of a CA with a ${algorithm} key is verified by openssl`, async () => {
      const other = statusScene(algorithm);
      assert.match(opinionOn(await listOf(other), other), /verify OK/);
      assert.match(opinionOn(await listOf(scene), other), /verify failure|error/i);
    });
  }

  it('makes openssl refuse the chain of a revoked certificate, and of no other', async () => {
    const check = async (serial: bigint): Promise<string> => {
      const list = encodePem('X509 CRL', await listOf(scene, { entries: [{ serial, revokedAt, reason: 4 }] }));
      return askOpenssl(['verify', '-crl_check', '-CAfile', 'ca', '-CRLfile', 'list', 'leaf'], { ...scene.files, list }).text;
    };
    assert.match(await check(serialOf(scene.leaf)), /certificate revoked/);
    assert.match(await check(serialOf(scene.leaf) + 1n), /leaf: OK/);
  });

  it('is read as it was written', async () => {
    const entry = fc.record(
      {
        serial: fc.bigInt({ min: 0n, max: 2n ** 160n }),
        revokedAt: fc.integer({ min: 0, max: 4_000_000_000 }).map((seconds) => seconds * 1000),
        reason: fc.constantFrom(1, 2, 3, 4, 5, 6, 9, 10),
      },
      { noNullPrototype: true },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(entry, { maxLength: 20 }), fc.bigInt({ min: 0n, max: 2n ** 150n }), async (entries, number) => {
        const read = decodeCrl(await listOf(scene, { entries, number }));
        assert.deepEqual([read.entries, read.number, read.thisUpdate, read.nextUpdate], [entries, number, thisUpdate, thisUpdate + hour]);
        assert.deepEqual([read.rawIssuer, read.authorityKeyId], [scene.identity.name, scene.identity.keyId]);
      }),
      { numRuns: 30 },
    );
  });

  it('of openssl is read', () => {
    const config =
      '[ca]\ndefault_ca=own\n[own]\ndatabase=index\ncrlnumber=number\ndefault_md=sha256\ncrl_extensions=ext\n[ext]\nauthorityKeyIdentifier=keyid\n';
    const files = {
      ...scene.files,
      config,
      key: String(scene.ca.key.export({ type: 'pkcs8', format: 'pem' })),
      index: 'R\t300101000000Z\t261101000000Z,keyCompromise\t0ABC\tunknown\t/CN=x\n',
      number: '05\n',
    };
    const made = askOpenssl(
      ['ca', '-config', 'config', '-gencrl', '-cert', 'ca', '-keyfile', 'key', '-crldays', '1', '-out', 'list'],
      files,
      'list',
    );
    const body = made.written.toString().replace(/-----[^-]+-----|\s/g, '');
    const read = decodeCrl(Buffer.from(body, 'base64'));
    assert.deepEqual(read.entries, [{ serial: 0xabcn, revokedAt: Date.parse('2026-11-01T00:00:00Z'), reason: 1 }]);
    assert.deepEqual([read.number, read.authorityKeyId], [5n, scene.identity.keyId]);
  });

  it('is read or refused with one sentence whatever the bytes are', async () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => assert.throws(() => decodeCrl(bytes), { code: 'crl-unreadable' })));
    const whole = await listOf(scene, { entries: [{ serial: 1n, revokedAt, reason: 1 }] });
    for (let at = 0; at < whole.length; at++) {
      assert.throws(() => decodeCrl(whole.subarray(0, at)), { code: 'crl-unreadable' });
      for (const flip of [0x01, 0x20, 0x80, 0xff]) {
        const changed = Buffer.from(whole);
        changed[at] = (changed[at] ?? 0) ^ flip;
        try {
          decodeCrl(changed);
        } catch (error) {
          assert.ok(error instanceof RfoError && error.code === 'crl-unreadable', `byte ${at} ^ ${flip}: ${error}`);
        }
      }
    }
  });
});
