import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { silentLog } from '@rfo/foundation';
import { certificateInfo, isSelfSigned } from '@rfo/pki';
import { openAuthorities, openAuthority } from './authority.ts';
import { ensureFolderFiles } from './folder-files.ts';
import { caPlace, openssl } from './keys.testing.ts';
import { readConfigFile } from './signing-config.ts';

test('a new CA is in a folder of its own, closed to others, and OpenSSL takes it for one', async () => {
  await using made = caPlace();
  await made.init();
  const { dir } = made;
  assert.deepEqual(readdirSync(dir).sort(), ['ca-bundle.pem', 'ca-config.json', 'ca-key.pem', 'ca.pem']);
  for (const name of readdirSync(dir)) assert.equal(statSync(join(dir, name)).mode & 0o777, 0o600, name);
  assert.equal(statSync(dir).mode & 0o777, 0o700);
  assert.match(await openssl('verify', '-check_ss_sig', '-CAfile', join(dir, 'ca.pem'), join(dir, 'ca.pem')), /: OK/);
  assert.match(
    await openssl('x509', '-in', join(dir, 'ca.pem'), '-noout', '-text'),
    /CA:TRUE\n[\s\S]*Digital Signature, Certificate Sign, CRL Sign|Digital Signature, Certificate Sign, CRL Sign[\s\S]*CA:TRUE/,
  );
});

test('its profiles are read as they were meant: every one has a key, nodes are bound to their names, status is at its own address', async () => {
  await using made = caPlace();
  await made.init();
  const { present } = await openAuthorities(made.dir, {});
  const config = await readConfigFile(join(made.dir, 'ca-config.json'), { env: {} });
  assert.deepEqual([...config.profiles.keys()], ['intermediate', 'ocsp', 'www', 'kubelet', 'client', 'kubelet-client', 'kubelet-serving']);
  for (const profile of [config.defaultProfile, ...config.profiles.values()]) {
    assert.equal(profile.authKeys.length, 1, profile.name);
    assert.equal(profile.ocspUrl, 'http://192.0.2.10:8889');
    assert.equal(profile.crlUrl, `http://192.0.2.10:8889/crl/${present.keyId}`);
  }
  const bound = [...config.profiles.values()].filter(({ bind }) => bind === 'node').map(({ name }) => name);
  assert.deepEqual(bound, ['kubelet', 'kubelet-client', 'kubelet-serving']);
});

test('nothing is made where something is, and nothing there is touched', async () => {
  await using made = caPlace();
  await made.init();
  const before = readFileSync(join(made.dir, 'ca-key.pem'), 'utf8');
  await assert.rejects(made.init(), { code: 'ca-exists' });
  assert.equal(readFileSync(join(made.dir, 'ca-key.pem'), 'utf8'), before);
  const other = join(made.place, 'other');
  mkdirSync(other);
  writeFileSync(join(other, 'mine'), '');
  await assert.rejects(made.init({ dir: other }), { code: 'ca-exists' });
  assert.deepEqual(readdirSync(other), ['mine']);
});

test('an intermediate CA signs no other, and its root is in a folder that can be taken away', async () => {
  await using made = caPlace();
  const root = join(made.place, 'root');
  await made.init({ intermediate: root });
  const { dir } = made;
  assert.deepEqual(readdirSync(root).sort(), ['root-key.pem', 'root.pem']);
  const ca = certificateInfo(readFileSync(join(dir, 'ca.pem'), 'utf8'));
  assert.deepEqual([ca.ca, ca.pathLength, isSelfSigned(ca)], [true, 0, false]);
  assert.equal(readFileSync(join(dir, 'ca-bundle.pem'), 'utf8'), readFileSync(join(root, 'root.pem'), 'utf8'));
  const { store } = await made.store();
  await ensureFolderFiles({ dir, hosts: ['ca.example'], env: {} }, { store, clock: made.clock, log: silentLog });
  const tls = join(dir, 'tls.pem');
  assert.match(
    await openssl('verify', '-x509_strict', '-CAfile', join(root, 'root.pem'), '-untrusted', tls, '-purpose', 'sslserver', tls),
    /: OK/,
  );
  const config = await readConfigFile(join(dir, 'ca-config.json'), { env: {} });
  assert.ok(!config.profiles.has('intermediate'));
  // The same root is used for a second one.
  await made.init({ dir: join(made.place, 'second'), intermediate: root });
  assert.match(await openssl('verify', '-CAfile', join(root, 'root.pem'), join(made.place, 'second/ca.pem')), /: OK/);
});

test('keys are encrypted where a password is set, and opened by it alone', async () => {
  await using made = caPlace();
  const env = { CFSSL_CA_PK_PASSWORD: 'correct horse' };
  await made.init({ env });
  assert.match(readFileSync(join(made.dir, 'ca-key.pem'), 'utf8'), /BEGIN ENCRYPTED PRIVATE KEY/);
  await assert.rejects(openAuthorities(made.dir, {}), { code: 'key-unreadable' });
  await assert.rejects(openAuthorities(made.dir, { CFSSL_CA_PK_PASSWORD: 'wrong' }), { code: 'key-unreadable' });
  const { present } = await openAuthorities(made.dir, env);
  assert.equal(present.certificate.subject.at(-1)?.value, 'Test CA');
});

test('certificate and key come from files and variables, and belong together', async () => {
  await using made = caPlace();
  await made.init();
  await made.init({ dir: join(made.place, 'other') });
  const env = { KEY: readFileSync(join(made.dir, 'ca-key.pem'), 'utf8') };
  const ca = `file:${join(made.dir, 'ca.pem')}`;
  assert.equal((await openAuthority({ ca, caKey: 'env:KEY' }, env)).pem, readFileSync(join(made.dir, 'ca.pem'), 'utf8'));
  await assert.rejects(openAuthority({ ca: join(made.place, 'other/ca.pem'), caKey: 'env:KEY' }, env), { code: 'authority-unusable' });
  await assert.rejects(openAuthority({ ca, caKey: 'env:NONE' }, env), { code: 'ca-file-unreadable' });
  await assert.rejects(openAuthorities(join(made.place, 'nowhere'), {}), { code: 'ca-missing' });
});

test('CAs of every kind of key sign what OpenSSL verifies', { timeout: 60_000 }, async () => {
  for (const algorithm of ['P-384', 'P-521', 'RSA-2048', 'Ed25519'] as const) {
    await using made = caPlace();
    await made.init({ algorithm });
    const { store } = await made.store();
    await ensureFolderFiles({ dir: made.dir, hosts: ['ca.example'], env: {} }, { store, clock: made.clock, log: silentLog });
    assert.match(await openssl('verify', '-CAfile', join(made.dir, 'ca.pem'), join(made.dir, 'tls.pem')), /: OK/, algorithm);
  }
});
