import assert from 'node:assert/strict';
import { createPublicKey } from 'node:crypto';
import { test } from 'node:test';
import {
  type CertificateInfo,
  decodeCertificate,
  encodePem,
  generateKey,
  hostNames,
  issueSelfSigned,
  type Name,
  publicKeyBytes,
} from '@rfo/pki';
import { CfsslError } from '../cfssl-error.ts';
import { describeCertificate, formatTime } from './describe-certificate.ts';
import { hostProblem } from './host-match.ts';
import { takePemBlock } from './pem-blocks.ts';
import { readCertificate, readCertificates } from './read-certificates.ts';

const from = Date.parse('2026-11-21T10:00:00Z');
const until = Date.parse('2027-11-21T10:00:00Z');

function made(options: { subject?: Name; hosts?: readonly string[] } = {}): CertificateInfo {
  const key = generateKey();
  const subject: Name = options.subject ?? [
    { type: 'C', value: 'SE' },
    { type: 'O', value: 'one' },
    { type: 'O', value: 'two' },
    { type: 'CN', value: 'a.example' },
  ];
  const request = {
    subject,
    publicKey: publicKeyBytes(createPublicKey(key)),
    notBefore: from,
    notAfter: until,
    altNames: hostNames(options.hosts ?? []),
  };
  return decodeCertificate(issueSelfSigned(request, key));
}

test('a certificate is described with the keys and forms of cfssl', () => {
  const certificate = made({ hosts: ['10.0.0.1', 'a.example', 'fd00::1'] });
  const id = certificate.subjectKeyId?.toString('hex').toUpperCase().match(/../g)?.join(':');
  const name = { common_name: 'a.example', country: 'SE', organization: 'one,two', names: ['SE', 'one', 'two', 'a.example'] };
  const described = describeCertificate(certificate);
  assert.deepEqual(described, {
    subject: name,
    issuer: name,
    serial_number: BigInt(`0x${certificate.serial}`).toString(),
    sans: ['a.example', '10.0.0.1', 'fd00::1'],
    not_before: '2026-11-21T10:00:00Z',
    not_after: '2027-11-21T10:00:00Z',
    sigalg: 'ECDSAWithSHA256',
    authority_key_id: described.authority_key_id,
    subject_key_id: id,
    pem: encodePem('CERTIFICATE', certificate.der),
  });
  assert.deepEqual(Object.keys(described).slice(0, 4), ['subject', 'issuer', 'serial_number', 'sans']);
});

test('what a certificate does not have is left out where cfssl leaves it out', () => {
  const described = describeCertificate(made({ subject: [] }));
  assert.deepEqual(described.subject, {});
  assert.equal('sans' in described, false);
});

test('times are written as Go writes them', () => {
  assert.equal(formatTime(Date.UTC(2026, 0, 1)), '2026-01-01T00:00:00Z');
  assert.equal(formatTime(Date.UTC(2026, 0, 1) + 120), '2026-01-01T00:00:00.12Z');
});

test('what is no PEM, no certificate or not the only one is refused with the number of cfssl', () => {
  const pem = encodePem('CERTIFICATE', made().der);
  const broken = encodePem('CERTIFICATE', Buffer.from('nothing of the kind'));
  const code = (act: () => unknown): number => {
    try {
      act();
    } catch (error) {
      if (error instanceof CfsslError) return error.code;
      throw error;
    }
    return 0;
  };
  assert.equal(
    code(() => readCertificate('')),
    1002,
  );
  assert.equal(
    code(() => readCertificate('garbage')),
    1002,
  );
  assert.equal(
    code(() => readCertificate(broken)),
    1003,
  );
  assert.equal(
    code(() => readCertificate(`${pem}${pem}`)),
    1003,
  );
  assert.equal(
    code(() => readCertificate(`${pem}and more`)),
    1003,
  );
  assert.equal(
    code(() => readCertificate(`before it\n${pem}\n \n`)),
    0,
  );
  assert.equal(
    code(() => readCertificates('')),
    1002,
  );
  assert.equal(
    code(() => readCertificates(`${pem}and more`)),
    1002,
  );
  assert.equal(
    code(() => readCertificates(`${pem}${broken}`)),
    1003,
  );
  assert.equal(readCertificates(`${pem}\n${pem}`).length, 2);
});

test('a block of PEM is found after broken ones, with its headers', () => {
  const taken = takePemBlock(
    '-----BEGIN A-----\n!!\n-----END A-----\n-----BEGIN B-----\n-----BEGIN C-----\nProc-Type: 4,ENCRYPTED\n\nAQID\n-----END C-----\nrest',
  );
  assert.equal(taken?.block.label, 'C');
  assert.deepEqual(taken?.block.headers, { 'Proc-Type': '4,ENCRYPTED' });
  assert.deepEqual([...(taken?.block.bytes ?? [])], [1, 2, 3]);
  assert.equal(taken?.rest, 'rest');
});

test('a heap of blocks that never end is passed over in a moment', () => {
  const begun = performance.now();
  assert.equal(takePemBlock('-----BEGIN CERTIFICATE-----\n'.repeat(50_000)), undefined);
  assert.ok(performance.now() - begun < 5000);
});

test('a certificate is good for the hosts that it names, by the rules of TLS', () => {
  const certificate = made({ hosts: ['a.example', '*.b.example', '10.0.0.1', 'fd00::1'] });
  for (const host of ['a.example', 'A.example', 'a.example.', 'x.b.example', '10.0.0.1', '[fd00::1]', 'fd00:0::1'])
    assert.equal(hostProblem(certificate, host), undefined, host);
  assert.match(
    hostProblem(certificate, 'x.y.b.example') ?? '',
    /^x509: certificate is valid for a\.example, \*\.b\.example, not x\.y\.b\.example$/,
  );
  assert.match(hostProblem(certificate, 'b.example') ?? '', /not b\.example$/);
  assert.equal(hostProblem(certificate, '10.0.0.2'), 'x509: certificate is valid for 10.0.0.1, fd00::1, not 10.0.0.2');
  assert.match(hostProblem(made(), '10.0.0.1') ?? '', /because it doesn't contain any IP SANs$/);
  assert.match(hostProblem(made(), 'a.example') ?? '', /legacy Common Name field/);
  assert.match(hostProblem(made(), 'b.example') ?? '', /not valid for any names/);
});
