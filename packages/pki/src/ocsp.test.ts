import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { RfoError } from '@rfo/foundation';
import fc from 'fast-check';
import { askOpenssl, type StatusScene, serialOf, statusScene, testResponder } from './ocsp.testing.ts';
import { type OcspHash, ocspCertificateId, ocspHashes } from './ocsp-certificate-id.ts';
import { createOcspRequest, decodeOcspRequest } from './ocsp-request.ts';
import { encodeOcspError, encodeOcspResponse, type OcspAnswer, type OcspResponder, type OcspStatus } from './ocsp-response.ts';
import { decodeOcspResponse } from './ocsp-response-reader.ts';
import { memoryKey } from './signing-key.ts';

const scene = statusScene();
const hour = 3_600_000;
const wholeSeconds = Math.floor(Date.now() / 1000) * 1000;

function idOf({ ca, leaf }: StatusScene, hash: OcspHash, serial = serialOf(leaf)) {
  return ocspCertificateId(serial, { name: ca.certificate.rawSubject, publicKey: ca.certificate.publicKey }, hash);
}

function answerOf(hash: OcspHash, status: OcspStatus, change: Partial<OcspAnswer> = {}): OcspAnswer {
  return { id: idOf(scene, hash), status, thisUpdate: wholeSeconds, nextUpdate: wholeSeconds + 4 * hour, ...change };
}

function respond(answers: readonly OcspAnswer[], responder: OcspResponder = { key: scene.identity.key }, nonce?: Buffer): Promise<Buffer> {
  return encodeOcspResponse({ answers, producedAt: wholeSeconds, ...(nonce && { nonce }) }, responder);
}

/** What openssl says of an answer to a question about the leaf. */
function opinionOn(response: Buffer, hash: OcspHash, more: readonly string[] = [], files: Record<string, Uint8Array> = {}): string {
  const args = ['ocsp', '-issuer', 'ca', `-${hash}`, '-cert', 'leaf', '-respin', 'response', '-CAfile', 'ca', '-no_nonce', ...more];
  return askOpenssl(args, { ...scene.files, response, ...files }).text;
}

describe('an OCSP request', () => {
  for (const hash of ocspHashes) {
    it(`by ${hash} is the one that openssl makes, byte by byte`, () => {
      const args = ['ocsp', '-issuer', 'ca', `-${hash}`, '-cert', 'leaf', '-no_nonce', '-reqout', 'request'];
      const theirs = askOpenssl(args, scene.files, 'request').written;
      assert.deepEqual(createOcspRequest({ certificates: [idOf(scene, hash)] }), theirs);
      assert.deepEqual(decodeOcspRequest(theirs), { certificates: [idOf(scene, hash)] });
    });
  }

  it('of openssl with a nonce and several certificates is read', () => {
    const serials = [serialOf(scene.leaf), 1n, 2n ** 159n - 1n];
    const asked = serials.flatMap((serial) => ['-serial', `0x${serial.toString(16)}`]);
    const { written, text } = askOpenssl(['ocsp', '-issuer', 'ca', ...asked, '-reqout', 'request', '-text'], scene.files, 'request');
    const request = decodeOcspRequest(written);
    assert.deepEqual(
      request.certificates.map(({ serial }) => serial),
      serials,
    );
    const printed = /OCSP Nonce:\s+([0-9A-F]+)/.exec(text)?.[1]?.toLowerCase();
    assert.equal(printed?.endsWith(request.nonce?.toString('hex') ?? 'none'), true, text);
  });

  it('that is signed or tells who asks is read as well', () => {
    const { written } = askOpenssl(
      ['ocsp', '-issuer', 'ca', '-cert', 'leaf', '-signer', 'ca', '-signkey', 'key', '-reqout', 'request'],
      { ...scene.files, key: String(scene.ca.key.export({ type: 'pkcs8', format: 'pem' })) },
      'request',
    );
    assert.deepEqual(decodeOcspRequest(written).certificates, [idOf(scene, 'sha1')]);
  });

  it('may carry a nonce of 1 to 128 bytes, and no other', () => {
    const certificates = [idOf(scene, 'sha256')];
    for (const size of [1, 16, 32, 128]) {
      const nonce = randomBytes(size);
      assert.deepEqual(decodeOcspRequest(createOcspRequest({ certificates, nonce })).nonce, nonce);
    }
    for (const size of [0, 129])
      assert.throws(() => decodeOcspRequest(createOcspRequest({ certificates, nonce: Buffer.alloc(size) })), {
        code: 'ocsp-request-invalid',
      });
  });

  it('must ask for something', () => {
    assert.throws(() => decodeOcspRequest(createOcspRequest({ certificates: [] })), { code: 'ocsp-request-invalid' });
  });

  it('gives back every serial number, also those that nobody should give', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 170n), max: 2n ** 170n }), fc.constantFrom(...ocspHashes), (serial, hash) => {
        const id = idOf(scene, hash, serial);
        assert.deepEqual(decodeOcspRequest(createOcspRequest({ certificates: [id] })).certificates, [id]);
      }),
    );
  });

  it('is refused with one sentence whatever the bytes are', () => {
    const whole = createOcspRequest({ certificates: [idOf(scene, 'sha1'), idOf(scene, 'sha256')], nonce: randomBytes(32) });
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) =>
        assert.throws(() => decodeOcspRequest(bytes), { code: 'ocsp-request-invalid' }),
      ),
    );
    for (let at = 0; at < whole.length; at++) {
      assert.throws(() => decodeOcspRequest(whole.subarray(0, at)), { code: 'ocsp-request-invalid' });
      for (const flip of [0x01, 0x20, 0x80, 0xff]) onlyRfoError(whole, at, flip, decodeOcspRequest);
    }
  });
});

describe('an OCSP answer', () => {
  for (const hash of ocspHashes) {
    it(`by ${hash} that all is good is believed by openssl`, async () => {
      const text = opinionOn(await respond([answerOf(hash, { kind: 'good' })]), hash);
      assert.match(text, /Response verify OK[\s\S]*leaf: good|leaf: good[\s\S]*Response verify OK/);
      assert.match(text, /Next Update: /);
    });
  }

  for (const algorithm of ['P-384', 'RSA-2048', 'RSA-3072'] as const) {
    it(`of a CA with a ${algorithm} key is believed by openssl`, async () => {
      const other = statusScene(algorithm);
      const answer = answerOf('sha1', { kind: 'good' }, { id: idOf(other, 'sha1') });
      const response = await respond([answer], { key: other.identity.key });
      const args = ['ocsp', '-issuer', 'ca', '-cert', 'leaf', '-respin', 'response', '-CAfile', 'ca', '-no_nonce'];
      assert.match(askOpenssl(args, { ...other.files, response }).text, /Response verify OK/);
    });
  }

  it('tells time and reason of a revocation', async () => {
    const at = wholeSeconds - hour;
    const text = opinionOn(await respond([answerOf('sha256', { kind: 'revoked', at, reason: 1 })]), 'sha256');
    assert.match(text, /Response verify OK/);
    assert.match(text, /leaf: revoked/);
    assert.match(text, /Reason: keyCompromise/);
    assert.match(text, /Revocation Time: /);
    const without = opinionOn(await respond([answerOf('sha1', { kind: 'revoked', at, reason: 0 })]), 'sha1');
    assert.match(without, /leaf: revoked/);
    assert.doesNotMatch(without, /Reason/);
  });

  it('can be that the certificate is unknown', async () => {
    assert.match(opinionOn(await respond([answerOf('sha1', { kind: 'unknown' })]), 'sha1'), /leaf: unknown/);
  });

  it('repeats the nonce, and openssl notices another', async () => {
    const nonce = randomBytes(32);
    const request = createOcspRequest({ certificates: [idOf(scene, 'sha1')], nonce });
    const ask = async (given: Buffer): Promise<string> => {
      const response = await respond([answerOf('sha1', { kind: 'good' })], undefined, given);
      return askOpenssl(['ocsp', '-reqin', 'request', '-respin', 'response', '-CAfile', 'ca', '-issuer', 'ca'], {
        ...scene.files,
        request,
        response,
      }).text;
    };
    assert.match(await ask(nonce), /Response verify OK/);
    assert.doesNotMatch(await ask(nonce), /nonce/i);
    assert.match(await ask(randomBytes(32)), /Nonce Verify error/i);
  });

  it('of a responder that the CA appointed brings its certificate along', async () => {
    const { key, certificate } = testResponder(scene);
    const answers = [answerOf('sha1', { kind: 'good' })];
    const byKey = await respond(answers, { key: memoryKey(key), certificate: certificate.der });
    assert.match(opinionOn(byKey, 'sha1'), /Response verify OK/);
    const byName = await respond(answers, { key: memoryKey(key), certificate: certificate.der, name: certificate.rawSubject });
    assert.match(opinionOn(byName, 'sha1', ['-resp_text']), /Responder Id: CN = leaf[\s\S]*Response verify OK/);
    const alone = await respond(answers, { key: memoryKey(key) });
    assert.match(opinionOn(alone, 'sha1'), /signer certificate not found/);
  });

  it('is not believed by openssl when anybody else signed it', async () => {
    const stranger = statusScene();
    const text = opinionOn(await respond([answerOf('sha1', { kind: 'good' })], { key: stranger.identity.key }), 'sha1');
    assert.match(text, /signer certificate not found/);
  });

  it('is read as it was written, for several certificates at once', async () => {
    const answers: OcspAnswer[] = [
      answerOf('sha1', { kind: 'good' }),
      answerOf('sha256', { kind: 'revoked', at: wholeSeconds - hour, reason: 9 }, { id: idOf(scene, 'sha256', 77n) }),
      { id: idOf(scene, 'sha512', 78n), status: { kind: 'unknown' }, thisUpdate: wholeSeconds },
    ];
    const nonce = randomBytes(16);
    const read = decodeOcspResponse(await respond(answers, { key: scene.identity.key, name: scene.identity.name }, nonce));
    assert.ok(read.kind === 'answer');
    assert.deepEqual(read.answers, answers);
    assert.deepEqual([read.producedAt, read.nonce, read.certificates], [wholeSeconds, nonce, []]);
    assert.deepEqual(read.responder, { name: scene.identity.name });
  });

  it('that says nothing is five bytes', () => {
    assert.equal(encodeOcspError('malformedRequest').toString('hex'), '30030a0101');
    assert.equal(encodeOcspError('internalError').toString('hex'), '30030a0102');
    assert.equal(encodeOcspError('unauthorized').toString('hex'), '30030a0106');
    assert.deepEqual(decodeOcspResponse(encodeOcspError('tryLater')), { kind: 'error', error: 'tryLater' });
    assert.match(opinionOn(encodeOcspError('unauthorized'), 'sha1'), /Responder Error: unauthorized \(6\)/);
  });

  it('is read or refused with one sentence whatever the bytes are', async () => {
    const { key, certificate } = testResponder(scene);
    const answers = [answerOf('sha1', { kind: 'good' }), answerOf('sha256', { kind: 'revoked', at: wholeSeconds, reason: 1 })];
    const whole = await respond(answers, { key: memoryKey(key), certificate: certificate.der }, randomBytes(32));
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) =>
        assert.throws(() => decodeOcspResponse(bytes), { code: 'ocsp-response-unreadable' }),
      ),
    );
    for (let at = 0; at < whole.length; at++) {
      assert.throws(() => decodeOcspResponse(whole.subarray(0, at)), { code: 'ocsp-response-unreadable' });
      for (const flip of [0x01, 0x20, 0x80, 0xff]) onlyRfoError(whole, at, flip, decodeOcspResponse);
    }
  });
});

/** What is changed in one byte is still read, or refused as it should be. */
function onlyRfoError(whole: Buffer, at: number, flip: number, read: (bytes: Buffer) => unknown): void {
  const changed = Buffer.from(whole);
  changed[at] = (changed[at] ?? 0) ^ flip;
  try {
    read(changed);
  } catch (error) {
    assert.ok(error instanceof RfoError && error.code.startsWith('ocsp-'), `byte ${at} ^ ${flip}: ${error}`);
  }
}
