import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { silentLog } from '@rfo/foundation';
import { certificateInfos, formatName } from '@rfo/pki';
import { openAuthorities } from './authority.ts';
import { caPaths } from './ca-paths.ts';
import { ensureFolderFiles } from './folder-files.ts';
import { caPlace, day, openssl } from './keys.testing.ts';
import { issueTls } from './own-certificate.ts';
import { beginRotation, finishRotation, type RotateOptions } from './rotate.ts';

async function rotatable(options: Parameters<ReturnType<typeof caPlace>['init']>[0] = {}) {
  const made = caPlace();
  await made.init(options);
  const { store } = await made.store();
  const { dir, clock } = made;
  const rotation: RotateOptions = {
    ...{ dir, store, clock, algorithm: 'P-256', lifetime: 3650 * day, root: undefined, env: options.env ?? {} },
    urls: { ocspUrl: 'http://192.0.2.10:8889', crlUrl: '' },
  };
  return { ...made, store, rotation, paths: caPaths(dir), [Symbol.asyncDispose]: () => made.life.end() };
}

test('the new key signs, and whoever trusts either root alone trusts what the other has signed', async () => {
  await using made = await rotatable();
  const { dir, paths, rotation, place } = made;
  const { present: old } = await openAuthorities(dir, {});
  const before = await issueTls(old, { hosts: ['before.example'], now: made.clock.now(), urls: rotation.urls });
  const { present, previous, begun } = await beginRotation(rotation);
  assert.ok(begun && previous.keyId === old.keyId && present.keyId !== old.keyId);
  assert.equal(formatName(present.certificate.subject), 'CN=Test CA G2');
  await ensureFolderFiles({ dir, hosts: ['ca.example'], env: {} }, { store: made.store, clock: made.clock, log: silentLog });
  writeFileSync(join(place, 'before.pem'), before.pem);
  writeFileSync(join(place, 'old.pem'), old.pem);
  assert.match(await openssl('verify', '-x509_strict', '-CAfile', join(place, 'old.pem'), '-untrusted', paths.tls, paths.tls), /: OK/);
  assert.match(await openssl('verify', '-x509_strict', '-CAfile', paths.ca, paths.tls), /: OK/);
  const cross = join(dir, 'previous/ca-cross-signed.pem');
  assert.match(await openssl('verify', '-x509_strict', '-CAfile', paths.ca, '-untrusted', cross, join(place, 'before.pem')), /: OK/);
  assert.deepEqual(
    certificateInfos(readFileSync(paths.bundle, 'utf8')).map(({ subject }) => formatName(subject)),
    ['CN=Test CA G2', 'CN=Test CA'],
  );
  // What vouches for the other is known to the database as everything else.
  assert.equal(made.store.list({ commonName: 'Test CA' }).length + made.store.list({ commonName: 'Test CA G2' }).length, 2);
  assert.match(readFileSync(paths.config, 'utf8'), new RegExp(`/crl/${present.keyId}`));
  assert.doesNotMatch(readFileSync(paths.config, 'utf8'), new RegExp(old.keyId));
});

test('beginning once more changes nothing; the end deletes the old key and leaves one root', async () => {
  await using made = await rotatable();
  const { dir, paths, rotation } = made;
  const first = await beginRotation(rotation);
  const files = () =>
    readdirSync(dir, { recursive: true })
      .filter((name) => /\.(pem|json)$/.test(String(name)))
      .map((name) => [name, readFileSync(join(dir, String(name)), 'utf8')]);
  const before = files();
  assert.equal((await beginRotation(rotation)).begun, false);
  assert.deepEqual(files(), before);
  assert.equal((await finishRotation(rotation, false))?.keyId, first.previous.keyId);
  assert.equal(await finishRotation(rotation, false), undefined);
  assert.ok(!existsSync(paths.previous.dir) && !existsSync(paths.chain));
  assert.equal(readFileSync(paths.bundle, 'utf8'), first.present.pem);
  assert.deepEqual(readdirSync(join(dir, 'retired')), [`${first.previous.keyId}.pem`]);
  const third = await beginRotation(rotation);
  assert.equal(formatName(third.present.certificate.subject), 'CN=Test CA G3');
});

test('the old key stays while certificates of it are in use, unless it is forced', async () => {
  await using made = await rotatable();
  const { present: old } = await openAuthorities(made.dir, {});
  const { record } = await issueTls(old, { hosts: ['web.example'], now: made.clock.now(), urls: made.rotation.urls });
  await made.store.insert({ ...record, metadata: null });
  await beginRotation(made.rotation);
  await assert.rejects(finishRotation(made.rotation, false), (error: Error) => {
    assert.match(error.message, /^1 certificates of the old key are good until 20/);
    return true;
  });
  assert.ok((await openAuthorities(made.dir, {})).previous !== undefined);
  await finishRotation(made.rotation, true);
  assert.equal((await openAuthorities(made.dir, {})).previous, undefined);
});

test('once they have expired the overlap ends without force', async () => {
  await using made = await rotatable();
  const { present: old } = await openAuthorities(made.dir, {});
  const { record } = await issueTls(old, { hosts: ['web.example'], now: made.clock.now(), urls: made.rotation.urls });
  await made.store.insert({ ...record, metadata: null });
  await beginRotation(made.rotation);
  made.clock.pass(91 * day);
  assert.notEqual(await finishRotation(made.rotation, false), undefined);
});

test('an intermediate CA needs its root for the next, and the root stays what is trusted', async () => {
  await using made = await rotatable();
  const dir = join(made.place, 'below');
  const inner = join(made.place, 'root');
  await made.init({ dir, intermediate: inner });
  const rotation = { ...made.rotation, dir };
  await assert.rejects(beginRotation(rotation), { code: 'ca-root-needed' });
  const bundle = readFileSync(join(dir, 'ca-bundle.pem'), 'utf8');
  const { present } = await beginRotation({ ...rotation, root: inner });
  assert.equal(present.certificate.pathLength, 0);
  assert.equal(readFileSync(join(dir, 'ca-bundle.pem'), 'utf8'), bundle);
  assert.match(await openssl('verify', '-x509_strict', '-CAfile', join(dir, 'ca-bundle.pem'), join(dir, 'ca.pem')), /: OK/);
  await finishRotation(rotation, false);
  assert.equal(readFileSync(join(dir, 'ca-chain.pem'), 'utf8'), present.pem);
});

test('an encrypted key is replaced by an encrypted one', async () => {
  const env = { CFSSL_CA_PK_PASSWORD: 'correct horse' };
  await using made = await rotatable({ env });
  await beginRotation(made.rotation);
  for (const file of [made.paths.caKey, made.paths.previous.caKey]) assert.match(readFileSync(file, 'utf8'), /BEGIN ENCRYPTED/);
  assert.notEqual((await openAuthorities(made.dir, env)).previous, undefined);
});
