import assert from 'node:assert/strict';
import { createPublicKey } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { createServer, type Server } from 'node:tls';
import { Life, systemClock } from '@rfo/foundation';
import {
  type CertificateInfo,
  decodeCertificate,
  encodePem,
  generateKey,
  hostNames,
  identity,
  issueCertificate,
  issueSelfSigned,
  publicKeyBytes,
} from '@rfo/pki';
import { certinfoEndpoint } from '../api/endpoints/certinfo.ts';
import { scanEndpoints } from '../api/endpoints/scan.ts';
import type { ApiRequest } from '../api/types.ts';
import { CfsslError } from '../cfssl-error.ts';
import { createOutbound, type Outbound } from '../outbound/outbound.ts';
import { namePattern, type ScanResults } from './run-scans.ts';

const day = 86_400_000;
const caKey = generateKey();
const publicBytes = (key: typeof caKey): Buffer => publicKeyBytes(createPublicKey(key));
const validity = { notBefore: Date.now() - day, notAfter: Date.now() + 20 * day };
const ca = decodeCertificate(issueSelfSigned({ subject: identity('scan-ca'), publicKey: publicBytes(caKey), ...validity, ca: {} }, caKey));
const key = generateKey();
const leafRequest = {
  subject: identity('scanned'),
  publicKey: publicBytes(key),
  ...validity,
  altNames: hostNames(['localhost', '127.0.0.1']),
};
const leaf = decodeCertificate(issueCertificate({ ...leafRequest, usages: ['serverAuth'] }, { key: caKey, certificate: ca }));

const life = new Life();
let server: Server;
let host = '';

before(async () => {
  const pem = (certificate: CertificateInfo): string => encodePem('CERTIFICATE', certificate.der);
  server = createServer({
    key: String(key.export({ type: 'sec1', format: 'pem' })),
    cert: pem(leaf) + pem(ca),
    ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256:TLS_AES_128_GCM_SHA256',
  });
  server.on('tlsClientError', () => undefined).on('secureConnection', (socket) => socket.on('error', () => undefined));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
});
after(async () => {
  server.close();
  await life.end();
});

function request(query: Readonly<Record<string, string>>, body: unknown = ''): ApiRequest {
  const signal = AbortSignal.timeout(60_000);
  return { body: Buffer.from(JSON.stringify(body)), query: new URLSearchParams(query), headers: {}, remote: '', client: undefined, signal };
}

async function scan(
  query: Readonly<Record<string, string>>,
  options: { roots?: readonly CertificateInfo[]; outbound?: Outbound } = {},
): Promise<ScanResults> {
  const { roots = [ca], outbound = createOutbound({ local: true }) } = options;
  const [endpoint] = scanEndpoints({ outbound, roots: () => roots, clock: systemClock });
  return (await endpoint?.handle(request(query)))?.result as ScanResults;
}

test('a host is looked at from its name to its ciphers', async () => {
  const results = await scan({ host });
  assert.deepEqual(Object.keys(results), ['Connectivity', 'PKI', 'TLSHandshake', 'TLSSession']);
  assert.deepEqual(results.Connectivity, {
    DNSLookup: { grade: 'Good', output: ['127.0.0.1'] },
    TCPDial: { grade: 'Good' },
    TLSDial: { grade: 'Good' },
  });
  assert.equal(results.PKI?.ChainExpiration?.grade, 'Warning');
  assert.deepEqual(results.PKI?.ChainValidation, { grade: 'Good' });
  assert.deepEqual(results.PKI?.MultipleCerts, { grade: 'Good' });
  assert.deepEqual(results.TLSHandshake?.CipherSuite, {
    grade: 'Good',
    output: [{ TLS_AES_128_GCM_SHA256: ['TLSv1.3'] }, { 'ECDHE-ECDSA-AES128-GCM-SHA256': ['TLSv1.2'] }],
  });
  assert.deepEqual(results.TLSSession?.SessionResume, { grade: 'Good', output: { '127.0.0.1': true } });
});

test('a certificate that leads to no root is a warning, with the reason', async () => {
  const results = await scan({ host, family: 'Connectivity', scanner: '^TLSDial$' }, { roots: [] });
  assert.equal(results.Connectivity?.TLSDial?.grade, 'Warning');
  assert.match(results.Connectivity?.TLSDial?.error ?? '', /unknown authority/);
});

test('a host that is not there is bad, and one that nobody may ask for is so too', async () => {
  const closed = await scan({ host: '127.0.0.1:1', family: 'Connectivity', scanner: 'TCPDial' });
  assert.match(JSON.stringify(closed), /"grade":"Bad","error":".*ECONNREFUSED/);
  const guarded = await scan({ host, scanner: 'TCPDial' }, { outbound: createOutbound({ local: false }) });
  assert.match(JSON.stringify(guarded), /"grade":"Bad","error":"connections to 127\.0\.0\.1 are not made for requests"/);
});

test('families and scanners are chosen by parts of their names', async () => {
  assert.deepEqual(await scan({ host, family: 'Nothing' }), {});
  assert.deepEqual(Object.keys((await scan({ host, scanner: 'TCP|DNS' })).Connectivity ?? {}), ['DNSLookup', 'TCPDial']);
  const matches = (pattern: string): readonly string[] =>
    ['PKI', 'TLSSession', 'TLSHandshake'].filter((name) => namePattern(pattern)?.(name));
  assert.deepEqual(matches('^TLS'), ['TLSSession', 'TLSHandshake']);
  assert.deepEqual(matches('(PKI|Session$)'), ['PKI', 'TLSSession']);
  assert.equal(namePattern('(a+)+$'), undefined);
});

test('what is asked for wrongly is refused before anything is connected to', async () => {
  const refused = async (query: Readonly<Record<string, string>>): Promise<string> => {
    const error: unknown = await scan(query).catch((problem: unknown) => problem);
    assert.ok(error instanceof CfsslError);
    return `${error.status} ${error.code} ${error.message}`;
  };
  assert.equal(await refused({}), '400 400 no host given');
  assert.equal(await refused({ host, timeout: '900ms' }), '400 400 invalid timeout given');
  assert.equal(await refused({ host, timeout: '301s' }), '400 400 invalid timeout given');
  assert.equal(await refused({ host, timeout: '5' }), '400 400 time: missing unit in duration "5"');
  assert.match(await refused({ host, family: '(' }), /^400 400 /);
});

test('what can be looked at is told with a line about each', async () => {
  const [, info] = scanEndpoints({ outbound: createOutbound({ local: false }), roots: () => [], clock: systemClock });
  const answer = await info?.handle(request({}));
  const result = answer?.result as Record<string, { description: string; scanners: Record<string, { description: string }> }>;
  assert.deepEqual(Object.keys(result), ['Connectivity', 'PKI', 'TLSHandshake', 'TLSSession']);
  assert.ok(Object.values(result.PKI?.scanners ?? {}).every(({ description }) => description !== ''));
});

test('certinfo shows the certificate of a host, and refuses what nobody may ask for', async () => {
  const ask = (local: boolean): Promise<unknown> =>
    certinfoEndpoint({ store: undefined, outbound: createOutbound({ local }) }).handle(request({}, { domain: host }));
  assert.equal(((await ask(true)) as { result: { subject: { common_name: string } } }).result.subject.common_name, 'scanned');
  await assert.rejects(ask(false), { code: 6000, status: 400 });
});
