/** Raw requests for every endpoint, good ones and bad ones: both servers are sent the same. */
import { authenticated, changedPem, type Inputs } from './inputs.ts';

export type RawRequest = {
  readonly title: string;
  readonly method?: 'GET' | 'POST' | 'PUT';
  /** Below `/api/v1/cfssl/`; with a slash at its beginning it is the whole path. */
  readonly path: string;
  readonly body?: unknown;
  /** Where the two answers are to differ, why. Then only the status is compared. */
  readonly differs?: string;
};

/** What a request can be about beside the inputs: a certificate that both sides have issued, by its numbers. */
export type Known = { readonly pem: string; readonly serial: string; readonly authorityKeyId: string };

/** @param known the certificate that this side has issued */
export function rawRequests(inputs: Inputs, known: Known): readonly RawRequest[] {
  return [
    ...infoRequests,
    ...signRequests(inputs),
    ...authsignRequests(inputs),
    ...makingRequests,
    ...revocationRequests(inputs, known),
    ...lookingRequests(inputs, known),
    ...placeRequests,
  ];
}

const post = (path: string, title: string, body: unknown, differs?: string): RawRequest => ({
  title: `${path}: ${title}`,
  path,
  body,
  ...(differs !== undefined && { differs }),
});

const infoRequests: readonly RawRequest[] = [
  post('info', 'nothing asked', {}),
  post('info', 'a label', { label: 'primary' }),
  post('info', 'a profile', { profile: 'www' }),
  post('info', 'a profile of many usages', { profile: 'everything' }),
  post('info', 'an unknown profile is the default one', { profile: 'unknown' }),
  post('info', 'keys in capitals', '{"PROFILE":"www","Label":""}'),
  post('info', 'the last of two keys counts', '{"profile":"unknown","profile":"www"}'),
  post('info', 'unknown keys', '{"profile":"www","more":{"of":["it"]}}'),
  post('info', 'no body', ''),
  post('info', 'half a body', '{"profile":'),
  post('info', 'no JSON', 'profile=www'),
  post('info', 'something behind the JSON', '{} x'),
  post('info', 'a number for a text', { label: 123 }),
  post('info', 'a list for a text', { profile: ['www'] }),
  post('info', 'null', 'null'),
  post('info', 'a list', '[]'),
  post('info', 'a text', '"www"'),
  post('info', 'null for a text', '{"profile":null}'),
  { ...post('info', 'GET', undefined), method: 'GET' },
  { ...post('info', 'PUT', '{}'), method: 'PUT' },
];

function signRequests({ csr, weakCsr, sha1Csr, caCsr }: Inputs): readonly RawRequest[] {
  const sign = (title: string, more: object = {}): RawRequest => post('sign', title, { certificate_request: csr, profile: 'www', ...more });
  return [
    sign('the names of the CSR', { hosts: null }),
    sign('no names', { hosts: [] }),
    sign('names of every kind', { hosts: ['x.example', '192.0.2.1', 'fd00::2', 'b@example.com', 'https://x.example/y'] }),
    sign('names of the old field win', { hostname: 'old.example,10.1.2.3', hosts: ['new.example'] }),
    sign('another subject', { subject: { CN: 'other', names: [{ C: 'DE', O: 'first', OU: 'of it' }, { O: 'second' }] } }),
    sign('half of another subject', { subject: { names: [{ L: 'Ålesund' }] } }),
    sign('a serial number in a subject', { subject: { CN: 'numbered', SerialNumber: '42' } }),
    sign('the default profile', { profile: '' }),
    sign('an unknown profile', { profile: 'unknown' }),
    sign('a profile with everything', { profile: 'everything' }),
    sign('a profile that takes parts of a CSR', { profile: 'bare' }),
    sign('a profile with a key', { profile: 'kubelet' }),
    sign('a profile that outlives the CA', { profile: 'forever' }),
    sign('names that a profile does not allow', { profile: 'named' }),
    sign('names that a profile allows', { profile: 'named', hosts: ['allowed.example', '10.9.9.9'], subject: { CN: 'allowed.example' } }),
    sign('a name that is allowed beside one that is not', {
      profile: 'named',
      hosts: ['allowed.example', 'x.example'],
      subject: { CN: 'allowed.' },
    }),
    sign('a serial number of the client', { profile: 'numbered', serial: 123456789012345 }),
    sign('no serial number of the client', { profile: 'numbered' }),
    sign('a serial number as a text', { serial: '12' }),
    sign('a bundle', { bundle: true }),
    sign('fields that are not looked at', {
      NotAfter: '2099-01-01T00:00:00Z',
      metadata: { a: 1 },
      extensions: [],
      crl_override: 'http://x',
    }),
    sign('no CSR', { certificate_request: '' }),
    sign('no PEM', { certificate_request: 'CSR' }),
    {
      ...sign('no DER', { certificate_request: changedPem(csr, () => Buffer.from('not DER')) }),
      differs: "the text is that of Go's reader of ASN.1, which tells of its own structures",
    },
    sign('another label', { certificate_request: changedPem(csr, (bytes) => bytes, 'CERTIFICATE') }),
    sign('the old label', { certificate_request: changedPem(csr, (bytes) => bytes, 'NEW CERTIFICATE REQUEST') }),
    sign('text around the CSR', { certificate_request: `before\n${csr}after` }),
    sign('a broken signature', { certificate_request: changedPem(csr, withLastByteChanged) }),
    sign('a weak key', { certificate_request: weakCsr, hosts: null }),
    sign('a signature with SHA-1', { certificate_request: sha1Csr, hosts: null }),
    sign('a CA from a leaf profile', { certificate_request: caCsr }),
    sign('a CA', { certificate_request: caCsr, profile: 'intermediate' }),
    sign('a CA from the CSR of a leaf', { profile: 'intermediate' }),
    post('sign', 'no JSON', 'certificate_request'),
    post('sign', 'no body', ''),
    post('sign', 'an empty object', {}),
    { ...post('sign', 'GET', undefined), method: 'GET' },
  ];
}

function withLastByteChanged(bytes: Buffer): Buffer {
  const changed = Buffer.from(bytes);
  changed.writeUInt8(changed.readUInt8(changed.length - 1) ^ 1, changed.length - 1);
  return changed;
}

function authsignRequests({ csr }: Inputs): readonly RawRequest[] {
  const inner = (more: object = {}): string => JSON.stringify({ hosts: null, certificate_request: csr, profile: 'kubelet', ...more });
  const good = authenticated(inner());
  return [
    post('authsign', 'a good one', good),
    post('authsign', 'with a time and an address', { ...good, timestamp: 1, remote_address: 'MTI3LjAuMC4x' }),
    post(
      'authsign',
      'over bytes that no program would write',
      authenticated(` {"PROFILE" : "kubelet",\n"certificate_request":${JSON.stringify(csr)}} `),
    ),
    post('authsign', 'the token of another request', { ...good, token: authenticated('{}').token }),
    post('authsign', 'the token of another key', authenticated(inner(), 'ff'.repeat(16))),
    post('authsign', 'a short token', { ...good, token: 'AAAA' }),
    post('authsign', 'no token', { request: good.request }),
    post('authsign', 'a token that is no base64', { ...good, token: '!' }),
    post('authsign', 'a request that is no base64', { ...good, request: 'a' }),
    post('authsign', 'a number for a token', { ...good, token: 1 }),
    post('authsign', 'no request', {}),
    post('authsign', 'no body', ''),
    post('authsign', 'no JSON', 'token'),
    post('authsign', 'a request that is no JSON', authenticated('nothing')),
    post('authsign', 'a request with a wrong type', authenticated('{"hosts":"a.example"}')),
    post('authsign', 'a profile without a key', authenticated(inner({ profile: 'www' }))),
    post('authsign', 'an unknown profile', authenticated(inner({ profile: 'unknown' }))),
    post('authsign', 'no CSR', authenticated(inner({ certificate_request: '' }))),
    post('authsign', 'a CSR that is none', authenticated(inner({ certificate_request: 'CSR' }))),
    { ...post('authsign', 'GET', undefined), method: 'GET' },
  ];
}

const request = { CN: 'made', hosts: ['made.example', '10.0.0.9'], names: [{ C: 'SE', O: 'made' }] };

const makingRequests: readonly RawRequest[] = [
  post('newkey', 'a key of the default kind', request),
  post('newkey', 'RSA', { ...request, key: { algo: 'rsa', size: 2048 } }),
  post('newkey', 'P-384', { ...request, key: { algo: 'ecdsa', size: 384 } }),
  post('newkey', 'Ed25519', { ...request, key: { algo: 'ed25519' } }),
  post('newkey', 'RSA that is too small', { ...request, key: { algo: 'rsa', size: 1024 } }),
  post('newkey', 'RSA that is too large', { ...request, key: { algo: 'rsa', size: 16384 } }),
  post('newkey', 'a curve that there is not', { ...request, key: { algo: 'ecdsa', size: 255 } }),
  post('newkey', 'an algorithm that there is not', { ...request, key: { algo: 'dsa', size: 2048 } }),
  post('newkey', 'no hosts', { CN: 'made' }),
  post('newkey', 'a CA', { ...request, ca: { expiry: '1h' } }),
  post('newkey', 'no JSON', 'CN'),
  post('newkey', 'no body', ''),
  post('newcert', 'a certificate', { request, profile: 'www' }),
  post('newcert', 'a certificate with a bundle', { request, profile: 'www', bundle: true }),
  post('newcert', 'of an unknown profile', { request, profile: 'unknown' }),
  post('newcert', 'of a profile with a key, which nobody asks for', { request, profile: 'kubelet' }),
  post('newcert', 'no request', { profile: 'www' }),
  post('newcert', 'no hosts', { request: { CN: 'made' }, profile: 'www' }),
  post('newcert', 'no JSON', 'request'),
  post('init_ca', 'a CA', { CN: 'another', names: [{ O: 'made' }] }),
  post('init_ca', 'a CA with everything', {
    CN: 'another',
    key: { algo: 'ecdsa', size: 384 },
    ca: { expiry: '24h', pathlen: 1, backdate: '1h' },
  }),
  post('init_ca', 'no name', {}),
  post('init_ca', 'a duration that is none', { CN: 'another', ca: { expiry: '7d' } }),
  post('init_ca', 'a key that is too small', { CN: 'another', key: { algo: 'rsa', size: 512 } }),
  post('init_ca', 'no JSON', 'CN'),
];

function revocationRequests({ stranger, strangerKey }: Inputs, { pem, serial, authorityKeyId }: Known): readonly RawRequest[] {
  const revoke = { serial, authority_key_id: authorityKeyId, reason: 'superseded' };
  const list = { certificate: stranger, serialNumber: ['1', '22'], issuingKey: strangerKey, expireTime: '86400' };
  return [
    post('revoke', 'an unknown certificate', { ...revoke, serial: '1' }),
    post('revoke', 'the key in capitals', { ...revoke, authority_key_id: authorityKeyId.toUpperCase() }),
    post('revoke', 'a reason that there is not', { ...revoke, reason: 'boredom' }),
    post('revoke', 'the number of no reason', { ...revoke, reason: '99' }),
    post('revoke', 'the number 0', { ...revoke, reason: '0' }),
    post('revoke', 'no serial number', { ...revoke, serial: '' }),
    post('revoke', 'no key', { ...revoke, authority_key_id: '' }),
    post('revoke', 'a number for a serial number', { ...revoke, serial: 1 }),
    post('revoke', 'no JSON', 'serial'),
    post('revoke', 'the certificate', revoke),
    post('revoke', 'the certificate once more, for another reason', { ...revoke, reason: 'KeyCompromise' }),
    { ...post('crl', 'the list', undefined), method: 'GET' },
    { ...post('crl?expiry=48h', 'the list for two days', undefined), method: 'GET' },
    { ...post('crl?expiry=1d', 'a duration that is none', undefined), method: 'GET' },
    post('crl', 'POST', {}),
    post('gencrl', 'a list', list),
    post('gencrl', 'a time that is none', { ...list, expireTime: 'soon' }),
    post('gencrl', 'a key that is none', { ...list, issuingKey: 'key' }),
    post('gencrl', 'a certificate that is none', { ...list, certificate: 'certificate' }),
    post('gencrl', 'no JSON', 'certificate'),
    post('ocspsign', 'good', { certificate: pem, status: 'good' }),
    post('ocspsign', 'revoked', { certificate: pem, status: 'revoked', reason: 1, revoked_at: '2026-01-02' }),
    post('ocspsign', 'with SHA-256', { certificate: pem, status: 'good', issuer_hash: 'SHA256' }),
    post('ocspsign', 'a status that there is not', { certificate: pem, status: 'fine' }),
    post('ocspsign', 'a hash that there is not', { certificate: pem, status: 'good', issuer_hash: 'SHA3' }),
    post('ocspsign', 'a time that is none', { certificate: pem, status: 'revoked', revoked_at: 'yesterday' }),
    post('ocspsign', 'a certificate of somebody else', { certificate: stranger, status: 'good' }),
    post('ocspsign', 'a certificate that is none', { certificate: 'certificate', status: 'good' }),
    post('ocspsign', 'no JSON', 'certificate'),
    post('certadd', 'nothing', {}),
    post('certadd', 'no PEM', { serial_number: '1', authority_key_identifier: '02', status: 'good' }),
    post('certadd', 'a status that there is not', { serial_number: '1', authority_key_identifier: '02', status: 'fine', pem }),
    post('certadd', 'another serial number', { serial_number: '1', authority_key_identifier: authorityKeyId, status: 'good', pem }),
    post('certadd', 'another key', { serial_number: serial, authority_key_identifier: 'abcd', status: 'good', pem }),
    post('certadd', 'no JSON', 'pem'),
  ];
}

function lookingRequests({ stranger, strangerKey, csr }: Inputs, { pem, serial, authorityKeyId }: Known): readonly RawRequest[] {
  return [
    post('certinfo', 'a certificate', { certificate: stranger }),
    post('certinfo', 'an issued one', { certificate: pem }),
    post('certinfo', 'an issued one by its numbers', { serial, authority_key_id: authorityKeyId }),
    post('certinfo', 'the key with colons and in capitals', {
      serial,
      authority_key_id: authorityKeyId.toUpperCase().replace(/(..)(?=.)/g, '$1:'),
    }),
    post('certinfo', 'an unknown one', { serial: '1', authority_key_id: authorityKeyId }),
    post('certinfo', 'half of the numbers', { serial }),
    post('certinfo', 'nothing', {}),
    post('certinfo', 'no PEM', { certificate: 'certificate' }),
    post('certinfo', 'no certificate', { certificate: csr }),
    post('certinfo', 'two certificates', { certificate: `${pem}\n${stranger}` }),
    post('certinfo', 'keys in capitals', { CERTIFICATE: pem }),
    post('certinfo', 'a number for a text', { certificate: 1 }),
    post('certinfo', 'null', 'null'),
    post('certinfo', 'no JSON', 'certificate'),
    post('certinfo', 'no body', ''),
    { ...post('certinfo', 'GET', undefined), method: 'GET' },
    post('bundle', 'an issued certificate', { certificate: pem }),
    post('bundle', 'the optimal one', { certificate: pem, flavor: 'optimal' }),
    post('bundle', 'a flavor that there is not', { certificate: pem, flavor: 'sweet' }),
    post('bundle', 'as it is', { certificate: pem, flavor: 'force' }),
    post('bundle', 'for its name', { certificate: pem, domain: 'a.example' }),
    post('bundle', 'for a name under its star', { certificate: pem, domain: 'x.b.example' }),
    post('bundle', 'for another name', { certificate: pem, domain: 'c.example' }),
    post('bundle', 'for another address', { certificate: pem, ip: '10.0.0.2' }),
    post('bundle', 'of nobody known', { certificate: stranger }),
    post('bundle', 'of nobody known, as it is, with its key', { certificate: stranger, private_key: strangerKey, flavor: 'force' }),
    post('bundle', "with somebody else's key", { certificate: pem, private_key: strangerKey }),
    post('bundle', 'with a key that is none', { certificate: pem, private_key: 'key' }),
    post('bundle', 'with a certificate for a key', { certificate: pem, private_key: pem }),
    post('bundle', 'links that do not fit, as they are', { certificate: `${pem}\n${stranger}`, flavor: 'force' }),
    post('bundle', 'no PEM', { certificate: 'certificate' }),
    post('bundle', 'nothing', {}),
    post('bundle', 'no JSON', 'certificate'),
    { ...post('scan', 'no host', undefined), method: 'GET' },
    { ...post('scan?host=a.example&timeout=1', 'a time that is none', undefined), method: 'GET' },
    { ...post('scan?host=a.example&timeout=10m', 'a time that is too long', undefined), method: 'GET' },
    post('scan', 'POST', {}),
    post('scaninfo', 'POST', {}),
    { ...post('health', 'asked', undefined), method: 'GET' },
    post('health', 'POST', {}),
  ];
}

const placeRequests: readonly RawRequest[] = [
  { ...post('nothing', 'an endpoint that there is not', undefined), method: 'GET' },
  post('nothing', 'an endpoint that there is not, POST', {}),
  post('info/', 'a slash behind it', {}),
  { ...post('/api/v1/cfssl/', 'no endpoint', undefined), method: 'GET' },
  { ...post('/api/v1/', 'no API', undefined), method: 'GET' },
];
