import assert from 'node:assert/strict';

import { test } from 'node:test';
import { decodeKey, decodeOcspResponse, encodeOcspError, encodeOcspResponse, memoryKey, ocspCertificateId } from '@rfo/pki';
import { makeRoot, validityOf } from '../../ca/keys/make-authority.ts';
import { issueResponder, issueTls } from '../../ca/keys/own-certificate.ts';
import { judgeOcspAnswer } from './judge-answer.ts';

const now = Date.UTC(2027, 0, 1);
const hour = 3_600_000;
const nonce = Buffer.alloc(16, 7);

async function scene() {
  const { authority } = await makeRoot({ subject: [{ type: 'CN', value: 'CA' }], algorithm: 'P-256', ...validityOf(now, 1e10) });
  const issuer = authority.certificate;
  const id = ocspCertificateId(77n, { name: issuer.rawSubject, publicKey: issuer.publicKey }, 'sha256');
  const asked = { id, issuer, nonce, now };
  const answers = [{ id, status: { kind: 'good' }, thisUpdate: now, nextUpdate: now + hour }] as const;
  const say = async (
    body: Partial<Parameters<typeof encodeOcspResponse>[0]> = {},
    by: Parameters<typeof encodeOcspResponse>[1] = { key: authority.identity.key },
  ) => judgeOcspAnswer(decodeOcspResponse(await encodeOcspResponse({ answers, producedAt: now, nonce, ...body }, by)), asked);
  const problem = async (judged: ReturnType<typeof say>): Promise<string> => {
    const result = await judged;
    return 'problem' in result ? result.problem : 'none';
  };
  return { authority, asked, answers, say, problem, id };
}

test('an answer of the CA, and one of whom it has charged with answering, are believed', async () => {
  const { authority, say, problem } = await scene();
  assert.equal(await problem(say()), 'none');
  const made = await issueResponder(authority, now);
  assert.equal(await problem(say({}, { key: memoryKey(decodeKey(made.keyPem, 'key')), certificate: made.certificate.der })), 'none');
});

test('an answer of anybody else is not: of a server of this CA, of another CA, of a former charge', async () => {
  const { authority, say, problem } = await scene();
  const nobody = 'nobody signed it whom the CA has charged with it';
  const server = await issueTls(authority, { hosts: ['web.example'], now, urls: { ocspUrl: '', crlUrl: '' } });
  const former = await issueResponder(authority, now - 40 * 24 * hour);
  const foreign = await issueResponder((await scene()).authority, now);
  for (const { keyPem, certificate } of [server, former, foreign])
    assert.equal(await problem(say({}, { key: memoryKey(decodeKey(keyPem, 'key')), certificate: certificate.der })), nobody);
});

test('an answer to another question, of another time or about another certificate is not', async () => {
  const { asked, answers, say, problem, authority } = await scene();
  assert.equal(await problem(say({ nonce: Buffer.alloc(16, 8) })), 'it answers another question');
  assert.equal(await problem(say({ answers: [{ ...answers[0], nextUpdate: now - hour }] })), 'it is out of date');
  assert.equal(await problem(say({ answers: [{ ...answers[0], thisUpdate: now + hour }] })), 'it is of the future');
  const { rawSubject: name, publicKey } = asked.issuer;
  assert.equal(
    await problem(say({ answers: [{ ...answers[0], id: ocspCertificateId(78n, { name, publicKey }, 'sha256') }] })),
    'it says nothing of this certificate',
  );
  const der = await encodeOcspResponse({ answers, producedAt: now, nonce }, { key: authority.identity.key });
  const spoiled = Buffer.from(der);
  spoiled[spoiled.length - 1] = (spoiled[spoiled.length - 1] ?? 0) ^ 1;
  const judged = judgeOcspAnswer(decodeOcspResponse(spoiled), asked);
  assert.ok('problem' in judged && judged.problem === 'its signature is wrong');
  assert.deepEqual(judgeOcspAnswer(decodeOcspResponse(encodeOcspError('tryLater')), asked), { problem: 'it answers tryLater' });
});
