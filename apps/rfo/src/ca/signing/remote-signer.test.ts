import assert from 'node:assert/strict';
import { createHmac, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { decodeCertificate } from '@rfo/pki';
import { CfsslError } from '../cfssl-error.ts';
import { readAuthKey } from '../config/auth-key.ts';
import { readSigningConfig } from '../config/read-config.ts';
import type { SigningConfig } from '../config/types.ts';
import { clock, now, plainWish, type TestAuthority, testAuthority, testIssuer, testRequest } from './authority.testing.ts';
import { strict } from './compat.ts';
import { makeRequest } from './make-request.ts';
import type { PostTls } from './post-json.ts';
import { parseRemote } from './remote-address.ts';
import { createRemoteSigner, overrideRemotes, type RemoteSigner } from './remote-signer.ts';
import type { Issuer } from './types.ts';

const key = '0123456789ABCDEF0123456789ABCDEF';
const { signal } = new AbortController();
const servers: (() => Promise<void>)[] = [];

let authority: TestAuthority;
let issuer: Issuer;
before(async () => {
  authority = await testAuthority();
  issuer = await testIssuer({}, { authority });
});
after(async () => {
  for (const close of servers) await close();
});

async function listen(server: ReturnType<typeof createServer> | ReturnType<typeof createSecureServer>): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  servers.push(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  return (server.address() as AddressInfo).port;
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString();
}

type Seen = { path?: string; outer?: string; inner?: string; client?: string };

/** Another CA of that API: it signs with a real issuer, and keeps what it was asked. */
function answering(seen: Seen): RequestListener {
  return async (request, response) => {
    seen.path = request.url ?? '';
    seen.outer = await bodyOf(request);
    seen.client = String((request.socket as TLSSocket).getPeerCertificate?.()?.subject?.CN);
    seen.inner = seen.outer;
    if (seen.path.endsWith('/authsign')) {
      const { token, request: inner } = JSON.parse(seen.outer);
      seen.inner = Buffer.from(inner, 'base64').toString();
      const wanted = createHmac('sha256', Buffer.from(key, 'hex')).update(seen.inner).digest('base64');
      if (token !== wanted) {
        response.writeHead(400, { 'Content-Type': 'text/plain' });
        response.end('{"success":false,"result":null,"errors":[{"code":400,"message":"invalid token"}],"messages":[]}\n');
        return;
      }
    }
    if (seen.path.endsWith('/info')) {
      response.end(
        JSON.stringify({
          success: true,
          result: { certificate: authority.pem.trim(), usages: null, expiry: '1h' },
          errors: [],
          messages: [],
        }),
      );
      return;
    }
    const { certificate_request: certificateRequest, hosts, profile, label } = JSON.parse(seen.inner);
    const { pem } = await issuer.issue({ certificateRequest, hosts, profile, label });
    response.end(JSON.stringify({ success: true, result: { certificate: pem }, errors: [], messages: [] }));
  };
}

async function config(address: string, { authenticated = true, secret = key } = {}): Promise<SigningConfig> {
  const remote = authenticated ? { auth_remote: { remote: 'ca', auth_key: 'key1' } } : { remote: 'ca' };
  const text = JSON.stringify({
    signing: { default: remote },
    auth_keys: { key1: { type: 'standard', key: secret } },
    remotes: { ca: address },
  });
  return readSigningConfig(text, { readKey: readAuthKey });
}

async function signer(address: string, options: { authenticated?: boolean; secret?: string; tls?: PostTls } = {}): Promise<RemoteSigner> {
  const { tls, ...rest } = options;
  return createRemoteSigner({ config: await config(address, rest), compat: strict, clock, ...(tls !== undefined && { tls }) });
}

describe('createRemoteSigner', () => {
  it('signs by authsign where it has a key, in the words of the client of cfssl', async () => {
    const seen: Seen = {};
    const port = await listen(createServer(answering(seen)));
    const request = await testRequest({ commonName: 'a' }, { hosts: ['a.example'] });
    const pem = await (await signer(`http://127.0.0.1:${port}`)).sign(request, signal);
    assert.equal(new X509Certificate(pem).subject, 'CN=a');
    assert.equal(seen.path, '/api/v1/cfssl/authsign');
    assert.deepEqual(Object.keys(JSON.parse(seen.outer ?? '')), ['timestamp', 'token', 'request']);
    assert.equal(JSON.parse(seen.outer ?? '').timestamp, Math.floor(now / 1000));
    const inner = { hosts: ['a.example'], certificate_request: request.certificateRequest, profile: '', crl_override: '', label: '' };
    assert.deepEqual(JSON.parse(seen.inner ?? ''), inner);
  });

  it('signs by sign where it has none, and says the override and the serial number with all its digits', async () => {
    const seen: Seen = {};
    const port = await listen(createServer(answering(seen)));
    const remote = await signer(`http://127.0.0.1:${port}`, { authenticated: false });
    const serial = 123456789012345678901234567890n;
    await remote.sign(await testRequest({ commonName: 'a' }, { subject: { CN: 'b' }, serial, label: 'primary' }), signal);
    assert.equal(seen.path, '/api/v1/cfssl/sign');
    assert.match(seen.inner ?? '', /,"serial":123456789012345678901234567890\}$/);
    const { hosts, subject, label } = JSON.parse(seen.inner ?? '');
    assert.deepEqual({ hosts, subject, label }, { hosts: null, subject: { CN: 'b' }, label: 'primary' });
  });

  it('asks the next address when one does not answer, and none when the first does', async () => {
    const seen: Seen = {};
    const other: Seen = {};
    const port = await listen(createServer(answering(seen)));
    const second = await listen(createServer(answering(other)));
    const gone = createServer();
    const dead = await listen(gone);
    gone.close();
    await once(gone, 'close');
    servers.pop();
    const remote = await signer(`http://127.0.0.1:${dead},http://127.0.0.1:${port},http://127.0.0.1:${second}`);
    await remote.sign(await testRequest({ commonName: 'a' }), signal);
    assert.equal(seen.path, '/api/v1/cfssl/authsign');
    assert.equal(other.path, undefined);
    const none = await signer(`http://127.0.0.1:${dead}`);
    await assert.rejects(none.sign(await testRequest({ commonName: 'a' }), signal), (error) => {
      return error instanceof CfsslError && error.code === 7400 && /^failed POST to http:.*ECONNREFUSED/.test(error.message);
    });
  });

  it('says what the other CA says: 7400 with the body for a refusal', async () => {
    const port = await listen(createServer(answering({})));
    const remote = await signer(`http://127.0.0.1:${port}`, { secret: 'ff'.repeat(16) });
    await assert.rejects(remote.sign(await testRequest({ commonName: 'a' }), signal), (error) => {
      return error instanceof CfsslError && error.code === 7400 && JSON.parse(error.message).errors[0].message === 'invalid token';
    });
  });

  for (const [what, text, code, message] of [
    ['an answer that is no JSON', '<html>', 7200, /invalid character/],
    ['a failure under status 200', '{"success":false,"errors":[{"code":5,"message":"no"}]}', 7500, /^no$/],
    ['nothing at all', '{"success":true,"result":null}', 7500, /Server request failed/],
    ['no certificate', '{"success":true,"result":{}}', 7400, /doesn't contain certificate/],
    ['a certificate that is no text', '{"success":true,"result":{"certificate":1}}', 7200, /cannot unmarshal number/],
  ] as const)
    it(`refuses ${what}: ${code}`, async () => {
      const port = await listen(createServer((_, response) => void response.end(text)));
      const asked = (await signer(`http://127.0.0.1:${port}`)).sign(await testRequest({ commonName: 'a' }), signal);
      await assert.rejects(asked, (error) => error instanceof CfsslError && error.code === code && message.test(error.message));
    });

  it('tells what the other CA is, without a key', async () => {
    const seen: Seen = {};
    const port = await listen(createServer(answering(seen)));
    const info = await (await signer(`http://127.0.0.1:${port}`)).info({ label: 'primary', profile: '' }, signal);
    assert.deepEqual(info, { certificate: authority.pem.trim(), usages: [], expiry: '1h' });
    assert.deepEqual([seen.path, seen.outer], ['/api/v1/cfssl/info', '{"label":"primary","profile":""}']);
  });

  it('ends with its signal', async () => {
    const waiting = createServer(() => undefined);
    const port = await listen(waiting);
    const abort = new AbortController();
    const asked = (await signer(`http://127.0.0.1:${port}`)).sign(await testRequest({ commonName: 'a' }), abort.signal);
    const connected = once(waiting, 'request');
    await connected;
    abort.abort(new Error('enough'));
    await assert.rejects(asked, /enough/);
  });

  it('checks the other side over TLS, and shows its own certificate', async () => {
    const tls = await testIssuer(
      { default: { usages: ['signing', 'server auth', 'client auth'] } },
      { at: Date.now(), authority: await testAuthority({ at: Date.now() }) },
    );
    const leaf = async (commonName: string): Promise<{ key: string; cert: string }> => {
      const { keyPem, requestPem } = await makeRequest({ ...plainWish, commonName, hosts: ['127.0.0.1'] });
      const { pem } = await tls.issue({ certificateRequest: requestPem, hosts: null, profile: '', label: '' });
      return { key: keyPem, cert: pem };
    };
    const seen: Seen = {};
    const server = { ...(await leaf('server')), ca: tls.authority.pem, requestCert: true, rejectUnauthorized: true };
    const port = await listen(createSecureServer(server, answering(seen)));
    const own = await leaf('client');
    const request = await testRequest({ commonName: 'a' });
    const trusting = await signer(`https://127.0.0.1:${port}`, { tls: { ca: tls.authority.pem, certificate: own.cert, key: own.key } });
    assert.equal(new X509Certificate(await trusting.sign(request, signal)).subject, 'CN=a');
    assert.equal(seen.client, 'client');
    const untrusting = await signer(`https://127.0.0.1:${port}`, { tls: { ca: authority.pem } });
    await assert.rejects(
      untrusting.sign(request, signal),
      (error) => error instanceof CfsslError && error.code === 7400 && /certificate/.test(error.message),
    );
    const ofTheSystem = await signer(`https://127.0.0.1:${port}`);
    await assert.rejects(ofTheSystem.sign(request, signal), (error) => error instanceof CfsslError && error.code === 7400);
  });
});

describe('overrideRemotes', () => {
  it('sends every profile elsewhere, with its key', async () => {
    const override = overrideRemotes(await config('http://a'), 'http://b:1,http://c:2');
    assert.deepEqual(override.defaultProfile.remote?.addresses, ['http://b:1', 'http://c:2']);
    assert.equal(override.defaultProfile.remote?.authKey?.length, 16);
  });
});

describe('parseRemote', () => {
  for (const [address, url] of [
    ['10.0.0.1', 'http://10.0.0.1:8888/'],
    ['ca.example', 'http://ca.example:8888/'],
    ['ca.example:8899', 'http://ca.example:8899/'],
    ['10.0.0.1:8888', 'http://10.0.0.1:8888/'],
    ['[::1]', 'http://[::1]:8888/'],
    ['[::1]:8889', 'http://[::1]:8889/'],
    [' http://10.0.0.1:8888 ', 'http://10.0.0.1:8888/'],
    ['http://10.0.0.1', 'http://10.0.0.1/'],
    ['https://ca.example:8888/', 'https://ca.example:8888/'],
    ['HTTPS://ca.example', 'https://ca.example/'],
    ['ftp://ca.example:1', 'http://ca.example:1/'],
    ['ca.example:80', 'http://ca.example/'],
  ] as const)
    it(`reads ${address}`, () => assert.equal(parseRemote(address).href, url));

  for (const address of [
    '',
    'http://',
    'a b',
    'ca.example:port',
    'http://ca.example/path',
    'http://user@ca.example',
    'http://ca.example?x',
  ])
    it(`refuses "${address}": 5300`, () =>
      assert.throws(
        () => parseRemote(address),
        (error) => error instanceof CfsslError && error.code === 5300,
      ));
});

it('a certificate of a remote CA is one of that CA', async () => {
  const port = await listen(createServer(answering({})));
  const pem = await (await signer(`127.0.0.1:${port}`)).sign(await testRequest({ commonName: 'a' }), signal);
  const { authorityKeyId } = decodeCertificate(new X509Certificate(pem).raw);
  assert.deepEqual(authorityKeyId, authority.certificate.subjectKeyId);
});
