import assert from 'node:assert/strict';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { createLog } from '@rfo/foundation';
import { certificateInfo } from '@rfo/pki';
import { openAuthorities } from './authority.ts';
import { caPaths } from './ca-paths.ts';
import { ownFilesOf } from './folder-files.ts';
import { keepOwnFiles } from './keep-own-files.ts';
import { caPlace, day } from './keys.testing.ts';
import { ensureOwnFiles } from './own-files.ts';

async function ownFiles() {
  const made = caPlace();
  await made.init();
  const paths = caPaths(made.dir);
  const authorities = await openAuthorities(made.dir, {});
  const { store } = await made.store();
  const lines: string[] = [];
  const context = { store, clock: made.clock, log: createLog({ write: (line) => lines.push(line) }) };
  const wish = (hosts: readonly string[]) => ownFilesOf(paths, { authorities, hosts, urls: { ocspUrl: '', crlUrl: '' } });
  const read = (file: string) => certificateInfo(readFileSync(file, 'utf8'));
  const ensure = async (hosts: readonly string[] = ['ca.example', '192.0.2.10']) => await ensureOwnFiles(await wish(hosts), context);
  return { ...made, paths, store, lines, context, wish, read, ensure, [Symbol.asyncDispose]: () => made.life.end() };
}

test('what the CA needs itself is made once, is known to the database, and is for the hosts and this one', async () => {
  await using made = await ownFiles();
  const { due } = await made.ensure();
  const { paths, store } = made;
  const [tls, ocsp] = [made.read(paths.tls), made.read(paths.responder)];
  assert.deepEqual([ocsp.usages, tls.usages], [['ocspSigning'], ['serverAuth']]);
  assert.deepEqual(
    tls.altNames.map(({ value }) => value),
    ['ca.example', '192.0.2.10', 'localhost', '127.0.0.1', '::1'],
  );
  assert.equal(statSync(paths.tlsKey).mode & 0o777, 0o600);
  for (const { serial } of [tls, ocsp]) assert.equal(store.list({ serial: BigInt(`0x${serial}`).toString() }).length, 1);
  // Two thirds of thirty days.
  assert.ok(Math.abs(due - made.clock.now() - 20 * day) < day / 10);
  assert.deepEqual(await made.ensure(), { due, newTls: false });
  assert.equal(store.list({}).length, 2);
});

test('a certificate is made anew before it ends, and the next one is for the hosts of the last', async () => {
  await using made = await ownFiles();
  await made.ensure();
  const before = made.read(made.paths.responder).serial;
  made.clock.pass(21 * day);
  assert.equal((await made.ensure([])).newTls, false);
  assert.notEqual(made.read(made.paths.responder).serial, before);
  made.clock.pass(40 * day);
  assert.equal((await made.ensure([])).newTls, true);
  assert.ok(made.read(made.paths.tls).altNames.some(({ value }) => value === 'ca.example'));
});

test('a file that is broken, of another key or for other hosts is replaced', async () => {
  await using made = await ownFiles();
  await made.ensure();
  const { tls, tlsKey, responderKey } = made.paths;
  const good = readFileSync(tls, 'utf8');
  for (const spoil of [() => writeFileSync(tls, 'junk'), () => writeFileSync(tlsKey, readFileSync(responderKey))]) {
    spoil();
    assert.equal((await made.ensure()).newTls, true);
  }
  assert.equal((await made.ensure(['new.example'])).newTls, true);
  assert.notEqual(readFileSync(tls, 'utf8'), good);
  assert.equal((await made.ensure(['new.example'])).newTls, false);
});

test('a certificate that the database cannot take is not handed out', async () => {
  await using made = await ownFiles();
  const files = await made.wish(['ca.example']);
  const full = { insert: () => Promise.reject(new Error('disk full')) };
  await assert.rejects(ensureOwnFiles(files, { ...made.context, store: full }), /disk full/);
  assert.throws(() => statSync(made.paths.responder), { code: 'ENOENT' });
});

test('they renew while the CA runs', async () => {
  await using made = await ownFiles();
  const own = await made.wish(['ca.example']);
  const { due } = await ensureOwnFiles(own, made.context);
  const before = made.read(made.paths.responder).serial;
  made.clock.pass(21 * day);
  const { promise: renewed, resolve } = Promise.withResolvers<void>();
  const log = createLog({ write: (line) => void (line.includes('new certificate for OCSP answers') && resolve()) });
  keepOwnFiles({ ...made.context, log, own, due, life: made.life });
  await renewed;
  assert.notEqual(made.read(made.paths.responder).serial, before);
});
