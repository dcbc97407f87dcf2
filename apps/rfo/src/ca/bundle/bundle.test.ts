import assert from 'node:assert/strict';
import { createPublicKey, type KeyObject } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { silentLog } from '@rfo/foundation';
import {
  authorityInfoExtension,
  type CertificateInfo,
  type CertificateRequest,
  decodeCertificate,
  encodePem,
  generateKey,
  hostNames,
  identity,
  issueCertificate,
  issueSelfSigned,
  type KeyAlgorithm,
  publicKeyBytes,
} from '@rfo/pki';
import { bundleEndpoint } from '../api/endpoints/bundle.ts';
import { CfsslError } from '../cfssl-error.ts';
import { createOutbound } from '../outbound/outbound.ts';
import { createBundler } from './bundler.ts';
import type { RenderedBundle } from './render-bundle.ts';
import { openStash, type Stash } from './stash.ts';

const now = Date.parse('2026-11-21T10:00:00Z');
const day = 86_400_000;
type Holder = { readonly key: KeyObject; readonly certificate: CertificateInfo };

function hold(
  name: string,
  options: { by?: Holder; key?: KeyObject; algorithm?: KeyAlgorithm; change?: Partial<CertificateRequest> } = {},
): Holder {
  const key = options.key ?? generateKey(options.algorithm);
  const request: CertificateRequest = {
    subject: identity(name),
    publicKey: publicKeyBytes(createPublicKey(key)),
    notBefore: now - day,
    notAfter: now + 365 * day,
    ...options.change,
  };
  return { key, certificate: decodeCertificate(options.by ? issueCertificate(request, options.by) : issueSelfSigned(request, key)) };
}

const root = hold('root', { change: { ca: {}, notAfter: now + 3650 * day } });
const middle = hold('middle', { by: root, change: { ca: { pathLength: 0 } } });
const leaf = hold('leaf.example', { by: middle, change: { usages: ['serverAuth'], altNames: hostNames(['leaf.example', '10.0.0.1']) } });
const pem = (...held: readonly Holder[]): string => held.map(({ certificate }) => encodePem('CERTIFICATE', certificate.der)).join('');

type Given = {
  readonly roots?: readonly Holder[];
  readonly intermediates?: readonly Holder[];
  readonly stash?: Stash;
  readonly at?: number;
};

async function bundle(request: Readonly<Record<string, unknown>>, given: Given = {}): Promise<RenderedBundle> {
  const { roots = [root], intermediates = [middle], stash, at = now } = given;
  const outbound = createOutbound({ local: true });
  const bundler = createBundler({
    roots: () => roots.map(({ certificate }) => certificate),
    intermediates: intermediates.map(({ certificate }) => certificate),
    ...(stash && { stash }),
    outbound,
    clock: { now: () => at },
    log: silentLog,
  });
  const body = Buffer.from(JSON.stringify(request));
  const signal = AbortSignal.timeout(90_000);
  const handled = await bundleEndpoint({ bundler, outbound }).handle({
    body,
    query: new URLSearchParams(),
    headers: {},
    remote: '',
    client: undefined,
    signal,
  });
  return handled.result as RenderedBundle;
}

async function refusal(request: Readonly<Record<string, unknown>>, given: Given = {}): Promise<CfsslError> {
  try {
    await bundle(request, given);
  } catch (error) {
    if (error instanceof CfsslError) return error;
    throw error;
  }
  throw new Error('it was not refused');
}

test('a leaf is bundled with the intermediates that are known, without the root', async () => {
  const made = await bundle({ certificate: pem(leaf) });
  assert.equal(`${made.bundle}\n`, pem(leaf, middle));
  assert.equal(`${made.root}\n`, pem(root));
  assert.deepEqual(
    { ...made, bundle: '', root: '', crt: '', status: { ...made.status, messages: made.status.messages?.length } },
    {
      bundle: '',
      crl_support: false,
      crt: '',
      expires: '2027-11-21T10:00:00Z',
      hostnames: ['leaf.example'],
      issuer: '/CommonName=middle',
      key: '',
      key_size: 256,
      key_type: '256-bit ECDSA',
      leaf_expires: '2027-11-21T10:00:00Z',
      ocsp: null,
      ocsp_support: false,
      root: '',
      signature: 'ECDSAWithSHA256',
      status: { rebundled: true, expiring_SKIs: null, untrusted_root_stores: [], messages: 3, code: 2 },
      subject: '/CommonName=leaf.example',
    },
  );
  assert.deepEqual(Object.keys(made), Object.keys(made).toSorted());
});

test('what was sent counts as intermediates, also the other way round', async () => {
  assert.equal((await bundle({ certificate: pem(leaf, middle) }, { intermediates: [] })).status.rebundled, false);
  assert.equal(`${(await bundle({ certificate: pem(middle, leaf) }, { intermediates: [] })).bundle}\n`, pem(leaf, middle));
});

test('a forced bundle is what was sent, verified link by link and no further', async () => {
  const made = await bundle({ certificate: pem(leaf, middle), flavor: 'force' }, { roots: [] });
  assert.equal(`${made.bundle}\n`, pem(leaf, middle));
  assert.equal(made.root, '');
  assert.equal(made.status.untrusted_root_stores, null);
  assert.equal((await refusal({ certificate: pem(leaf, root), flavor: 'force' })).code, 1200);
});

test('the key comes along when it fits, in the form of its kind', async () => {
  const sec1 = String(leaf.key.export({ type: 'sec1', format: 'pem' }));
  const pkcs8 = String(leaf.key.export({ type: 'pkcs8', format: 'pem' }));
  assert.equal((await bundle({ certificate: pem(leaf), private_key: pkcs8 })).key, sec1.trim());
  assert.equal(
    (await refusal({ certificate: pem(leaf), private_key: String(generateKey().export({ type: 'pkcs8', format: 'pem' })) })).code,
    2300,
  );
  assert.equal((await refusal({ certificate: pem(leaf), private_key: 'none' })).code, 2002);
  assert.equal((await refusal({ certificate: pem(leaf), private_key: pem(leaf) })).code, 2003);
  const encrypted = '-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAQID\n-----END RSA PRIVATE KEY-----\n';
  assert.equal((await refusal({ certificate: pem(leaf), private_key: encrypted })).code, 2100);
});

test('what cannot be verified is refused with the number and the words of cfssl', async () => {
  const told = async (request: Readonly<Record<string, unknown>>, given?: Given): Promise<string> => {
    const { code, message } = await refusal(request, given);
    return `${code} ${message}`;
  };
  assert.equal(await told({ certificate: pem(leaf) }, { intermediates: [] }), '1220 x509: certificate signed by unknown authority');
  assert.equal(
    await told({ certificate: pem(leaf) }, { at: now + 366 * day }),
    '1211 x509: certificate has expired or is not yet valid: current time 2027-11-22T10:00:00Z is after 2027-11-21T10:00:00Z',
  );
  assert.match(await told({ certificate: pem(leaf) }, { at: now - 2 * day }), /^1211 .* is before /);
  assert.equal(await told({ certificate: pem(root) }), '1100 Certificate is self signed');
  assert.equal(await told({ certificate: 'none' }), '1002 Failed to decode certificate');
  assert.equal(
    await told({ certificate: pem(leaf), domain: 'other.example' }),
    '1200 x509: certificate is valid for leaf.example, not other.example',
  );
  assert.equal(await told({ certificate: pem(leaf), ip: '10.0.0.2' }), '1200 x509: certificate is valid for 10.0.0.1, not 10.0.0.2');
  assert.equal(await told({}), '400 no valid parameter sets found');
  const signs = hold('signs', { by: middle, change: { usages: ['ocspSigning'] } });
  assert.equal(await told({ certificate: pem(signs) }), '1214 x509: certificate specifies an incompatible key usage');
  const below = hold('below', { by: middle, change: { ca: {} } });
  const tooDeep = hold('deep', { by: below });
  assert.equal((await refusal({ certificate: pem(tooDeep, below) })).code, 1220);
});

test('the name of the authority that nearly fits is told', async () => {
  const impostor = hold('middle', { by: root, change: { ca: {} } });
  const { message } = await refusal({ certificate: pem(leaf) }, { intermediates: [impostor] });
  assert.equal(
    message,
    'x509: certificate signed by unknown authority (possibly because of "x509: ECDSA verification failure" while trying to verify candidate authority certificate "middle")',
  );
});

test('of several chains the ubiquitous one is the shortest that old peers understand, the optimal one the strongest', async () => {
  const rsaRoot = hold('rsa root', { algorithm: 'RSA-2048', change: { ca: {}, notAfter: now + 3650 * day } });
  const byRsa = hold('middle', { by: rsaRoot, key: middle.key, change: { ca: { pathLength: 0 } } });
  const given = { roots: [root, rsaRoot], intermediates: [byRsa, middle] };
  assert.equal(`${(await bundle({ certificate: pem(leaf), flavor: 'optimal' }, given)).root}\n`, pem(root));
  // A key on a curve is in both chains, so the later end of the root decides; the roots end at the same time, and then the stronger one.
  assert.equal(`${(await bundle({ certificate: pem(leaf), flavor: 'anything' }, given)).root}\n`, pem(root));
  const longer = hold('middle', { by: rsaRoot, key: middle.key, change: { ca: { pathLength: 0 }, notAfter: now + 700 * day } });
  const ofOptimal = { roots: [root, rsaRoot], intermediates: [middle, longer] };
  assert.equal(`${(await bundle({ certificate: pem(leaf) }, ofOptimal)).root}\n`, pem(rsaRoot));
});

test('certificates that end soon are named', async () => {
  const { status } = await bundle({ certificate: pem(leaf) }, { at: now + 340 * day });
  const ids = [leaf, middle].map(({ certificate }) => certificate.subjectKeyId?.toString('hex').toUpperCase());
  assert.deepEqual(status.expiring_SKIs, ids);
  assert.equal(status.code, 3);
});

test('a leaf with a responder keeps its issuer beside it, even when that is the root', async () => {
  const extensions = [authorityInfoExtension({ ocsp: ['http://ocsp.example'] })];
  const asked = hold('asked', { by: root, change: { extensions } });
  const made = await bundle({ certificate: pem(asked) });
  assert.equal(`${made.bundle}\n`, pem(asked, root));
  assert.deepEqual([made.ocsp, made.ocsp_support], [['http://ocsp.example'], true]);
});

test('missing intermediates are fetched, kept for the next time and the next start, and never more than needed', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'rfo-bundle-'));
  const served: string[] = [];
  const answers = new Map<string, Buffer | string>();
  const server = createServer((request, response) => {
    served.push(request.url ?? '');
    const answer = answers.get(request.url ?? '');
    response.writeHead(answer === undefined ? 404 : 200).end(answer ?? '');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const at = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    const pointing = (path: string): Partial<CertificateRequest> => ({
      extensions: [
        authorityInfoExtension({ issuers: [`${at}/gone`, `${at}/endless`, 'https://127.0.0.1/tls', 'file:///etc/passwd', `${at}${path}`] }),
      ],
    });
    const second = hold('second', { by: root, change: { ca: {}, ...pointing('/root') } });
    const third = hold('third', { by: second, change: { ca: {}, ...pointing('/second') } });
    const far = hold('far', { by: third, change: pointing('/third') });
    answers.set('/third', third.certificate.der).set('/second', pem(second)).set('/endless', Buffer.alloc(1_000_000, 1));
    const stash = await openStash(folder);
    const made = await bundle({ certificate: pem(far) }, { intermediates: [], stash });
    assert.equal(`${made.bundle}\n`, pem(far, third, second));
    assert.equal(served.filter((path) => path === '/root').length, 0);
    assert.equal((await readdir(folder)).length, 2);
    served.length = 0;
    await bundle({ certificate: pem(far) }, { intermediates: [], stash: await openStash(folder) });
    assert.deepEqual(served, []);
  } finally {
    server.close();
    await rm(folder, { recursive: true });
  }
});

test('an issuer on the own host is not fetched unless the operator allows it', async () => {
  let asked = 0;
  const server = createServer((_, response) => {
    asked++;
    response.end(middle.certificate.der);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const far = hold('far', { by: middle, change: { extensions: [authorityInfoExtension({ issuers: [url] })] } });
    const outbound = createOutbound({ local: false });
    const bundler = createBundler({
      roots: () => [root.certificate],
      intermediates: [],
      outbound,
      clock: { now: () => now },
      log: silentLog,
    });
    const wish = { certificates: [far.certificate], flavor: '', signal: AbortSignal.timeout(90_000) };
    await assert.rejects(bundler.bundle(wish), { code: 1220 });
    assert.equal(asked, 0);
  } finally {
    server.close();
  }
});
