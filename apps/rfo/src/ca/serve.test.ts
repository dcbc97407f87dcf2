import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { Agent } from 'node:https';
import { join } from 'node:path';
import { test } from 'node:test';
import { silentLog, systemClock } from '@rfo/foundation';
import { certificateInfo, decodeCrl, identity } from '@rfo/pki';
import { loadCaOptions } from '@rfo/schema';
import { csr } from './api/api.testing.ts';
import { caPlace, openssl } from './keys/keys.testing.ts';
import { beginRotation, finishRotation } from './keys/rotate.ts';
import { sealedFor, serveCa } from './serve.testing.ts';
import { compatNames } from './signing/compat.ts';
import { createSelfSigned } from './signing/create-self-signed.ts';
import { readCsrJson } from './signing/csr-json.ts';
import { openStore } from './store/open-store.ts';

type Result = { readonly certificate: string };

test('a CA serves its API by TLS, its status without, and says where, by which pin, and what it does not serve', async () => {
  await using served = await serveCa(['-disable=scan,newkey']);
  const { ports } = served.running;
  const info = await served.post('info', { label: '' });
  assert.equal((info.result as Result).certificate, served.file('ca.pem').trimEnd());
  const crl = decodeCrl(Buffer.from(await (await served.fetch('/crl')).arrayBuffer()));
  assert.deepEqual(crl.entries, []);
  assert.equal(await (await served.fetch('/ca-bundle.pem')).text(), served.file('ca-bundle.pem'));
  assert.equal((await served.ask({ path: '/crl.pem' })).text, await (await served.fetch('/crl.pem')).text());
  const screen = served.running.screen();
  assert.match(screen, new RegExp(`API {10}https://127\\.0\\.0\\.1:${ports.api}/api/v1/cfssl/`));
  assert.match(screen, new RegExp(`OCSP, CRL {4}http://127\\.0\\.0\\.1:${ports.status}\n`));
  assert.match(screen, /pin {10}sha256:[0-9a-f]{64}\n/);
  assert.match(screen, /not served {3}scan: explicitly disabled\n/);
  assert.equal((await served.post('newkey', {})).status, 404);
});

test('the choices that help and completion offer are those that there are', async () => {
  const { caServeConfig } = await loadCaOptions();
  const choices = (key: string) => caServeConfig.infos.find((info) => info.key === key)?.choices ?? [];
  assert.deepEqual(choices('cfssl-compat'), [...compatNames, 'all']);
  await using served = await serveCa(choices('disable').map((name) => `-disable=${name}`));
  const said = served.lines.filter((line) => line.includes("endpoint '"));
  assert.deepEqual(
    said.filter((line) => !line.includes('explicitly disabled')),
    [],
  );
  assert.equal(said.length, choices('disable').length);
  assert.equal((await served.ask({ path: '/api/v1/cfssl/health' })).status, 404);
});

test('what it signs is in its database, and its status is right at once, whoever revokes it', async () => {
  await using served = await serveCa();
  const wish = { certificate_request: csr(identity('web.example'), ['web.example']), profile: 'www' };
  const signed = await served.post('authsign', sealedFor(served, wish));
  assert.equal(signed.status, 200, signed.text);
  const pem = (signed.result as Result).certificate;
  const file = join(served.place, 'leaf.pem');
  writeFileSync(file, pem);
  const ca = join(served.dir, 'ca.pem');
  const asked = ['ocsp', '-issuer', ca, '-cert', file, '-CAfile', ca, '-url', `http://127.0.0.1:${served.running.ports.status}`];
  assert.match(await openssl(...asked), /leaf\.pem: good/);
  // Another process: the command line.
  const other = await openStore({ file: join(served.dir, 'certdb.db'), clock: systemClock, log: silentLog });
  const { serial, authorityKeyId } = certificateInfo(pem);
  const key = { serial: BigInt(`0x${serial}`).toString(), authorityKeyId: authorityKeyId?.toString('hex') ?? '' };
  await other.store.revoke(key, { reason: 1, at: Date.now() });
  await other.close();
  assert.match(await openssl(...asked), /leaf\.pem: revoked/);
  const crl = decodeCrl(Buffer.from(await (await served.fetch('/crl')).arrayBuffer()));
  assert.deepEqual(
    crl.entries.map((entry) => entry.serial.toString()),
    [key.serial],
  );
});

test('keys and configuration are replaced under load, and no request is lost', { timeout: 120_000 }, async () => {
  await using served = await serveCa();
  const agent = new Agent({ keepAlive: true, maxSockets: 4 });
  const old = certificateInfo(served.file('ca.pem'));
  const seen = new Set<string>();
  let going = true;
  const load = Array.from({ length: 4 }, async (_, at) => {
    for (let turn = 0; going; turn++) {
      const wish = { certificate_request: csr(identity(`${at}-${turn}.example`)), profile: 'www' };
      const { status, text, result } = await served.post('authsign', sealedFor(served, wish), { agent });
      assert.equal(status, 200, text);
      seen.add(certificateInfo((result as Result).certificate).authorityKeyId?.toString('hex') ?? '');
    }
  });
  const store = await openStore({ file: join(served.dir, 'certdb.db'), clock: served.clock, log: silentLog });
  const rotation = {
    dir: served.dir,
    store: store.store,
    env: {},
    clock: served.clock,
    algorithm: 'P-256',
    lifetime: 1e11,
    root: undefined,
  } as const;
  const begun = await beginRotation({ ...rotation, urls: { ocspUrl: '', crlUrl: '' } });
  await Promise.all([served.running.reload(), served.running.reload(), served.running.reload()]);
  const afterwards = await served.post(
    'authsign',
    sealedFor(served, { certificate_request: csr(identity('last.example')), profile: 'www' }),
  );
  going = false;
  await Promise.all(load);
  agent.destroy();
  const { certificate } = afterwards.result as Result;
  assert.equal(certificateInfo(certificate).authorityKeyId?.toString('hex'), begun.present.keyId);
  assert.ok(seen.has(begun.previous.keyId), 'nothing was signed before');
  // The list of the old key is there, and what renews trusts both.
  const list = Buffer.from(await (await served.fetch(`/crl/${begun.previous.keyId}`)).arrayBuffer());
  assert.ok(decodeCrl(list).rawIssuer.equals(old.rawSubject));
  assert.match(served.running.screen(), /pin before {3}sha256:/);
  await finishRotation(rotation, true);
  await served.running.reload();
  assert.equal((await served.fetch(`/crl/${begun.previous.keyId}`)).status, 404);
  await store.close();
});

test('a configuration that cannot be read again is told of, and the former goes on', async () => {
  await using served = await serveCa();
  const envelope = sealedFor(served, { certificate_request: csr(identity('web.example')), profile: 'www' });
  const config = served.file('ca-config.json');
  writeFileSync(join(served.dir, 'ca-config.json'), '{');
  await served.running.reload();
  assert.match(served.lines.at(-1) ?? '', /could not be read again; the former go on error=.*ca-config\.json/);
  assert.equal((await served.post('authsign', envelope)).status, 200);
  writeFileSync(join(served.dir, 'ca-config.json'), config.replaceAll('"www"', '"web"'));
  await served.running.reload();
  assert.equal((await served.post('authsign', envelope)).error?.code, 5400);
});

test('a folder without a CA is refused, and so is a second server on one database', async () => {
  await using served = await serveCa();
  await assert.rejects(
    serveCa([], async () => undefined).then((other) => other[Symbol.asyncDispose]()),
    { code: 'ca-missing' },
  );
  const again = serveCa(['--dir', served.dir], async () => undefined);
  await assert.rejects(again, { code: 'ca-database-in-use' });
});

test('what an existing cfssl runs on is served as it is, named by its flags', async () => {
  const outside = caPlace();
  await using life = outside.life;
  const made = await createSelfSigned(readCsrJson(Buffer.from('{"CN":"old CA","key":{"algo":"rsa","size":2048}}')), { clock: systemClock });
  const at = (name: string, content: string): string => {
    writeFileSync(join(outside.place, name), content);
    return join(outside.place, name);
  };
  const argv = [
    `-ca=${at('ca.pem', made.certificatePem)}`,
    `-ca-key=file:${at('ca-key.pem', made.keyPem)}`,
    `-db-config=${at('db.json', JSON.stringify({ driver: 'sqlite3', data_source: join(outside.place, 'certs.db') }))}`,
    `-config=${at('config.json', JSON.stringify({ signing: { default: { expiry: '1h', usages: ['signing', 'server auth'] } } }))}`,
    '-loglevel=1',
    '-cfssl-compat=plain-http',
  ];
  await using served = await serveCa(argv, async () => undefined);
  assert.ok(!life.signal.aborted);
  const signed = await served.post('sign', { certificate_request: csr(identity('web.example'), ['web.example']) });
  assert.equal(signed.status, 200, signed.text);
  assert.deepEqual(certificateInfo((signed.result as Result).certificate).rawIssuer, certificateInfo(made.certificatePem).rawSubject);
  const store = await openStore({ file: join(outside.place, 'certs.db'), clock: systemClock, log: silentLog });
  assert.equal(store.store.list({ commonName: 'web.example' }).length, 1);
  await store.close();
  assert.match(served.running.screen(), /http:\/\/127.0.0.1:\d+\/api[\s\S]*as cfssl {5}plain-http/);
});

test('when it has ended its ports are closed, and another server can have its database', async () => {
  await using place = caPlace();
  await place.init();
  const first = await serveCa(['--dir', place.dir], async () => undefined);
  const sealed = sealedFor(
    { file: (name) => readFileSync(join(place.dir, name), 'utf8') },
    { certificate_request: csr(identity('web.example')) },
  );
  assert.equal((await first.post('authsign', sealed)).status, 200);
  await first.life.end();
  await assert.rejects(first.fetch('/crl'));
  await using second = await serveCa(['--dir', place.dir], async () => undefined);
  assert.equal((await second.post('authsign', sealed)).status, 200);
});
