import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, statSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { authorityKeyId, folder, hour, python, record, start } from './store.testing.ts';
import type { Change } from './types.ts';

test('rows are those of cfssl to the type of each value', async (t) => {
  const { file, open } = folder(t);
  const { store } = await open();
  await store.insert(record('123456789012345678901234567890'));
  await store.insert(record(2, { sans: [], metadata: { a: 1 }, issuedAt: start + 250, notBefore: undefined }));
  const rows = python(
    file,
    `names = [column[1] for column in db.execute('PRAGMA table_info(certificates)')]
rows = [{n: v.decode() if type(v) is bytes else v for n, v in zip(names, row)} for row in db.execute('SELECT * FROM certificates ORDER BY rowid')]
types = list(db.execute('SELECT ' + ', '.join('typeof(%s)' % n for n in names) + ' FROM certificates ORDER BY rowid')) 
for row in rows: row.pop('pem')
print(json.dumps([rows, dict(zip(names, types[0]))]))`,
  );
  assert.deepEqual(rows, [
    [
      {
        serial_number: '123456789012345678901234567890',
        authority_key_identifier: authorityKeyId,
        ca_label: '',
        status: 'good',
        reason: 0,
        expiry: '2027-11-20 07:21:00+00:00',
        revoked_at: '0001-01-01 00:00:00+00:00',
        issued_at: '2026-11-20 07:21:00.25+00:00',
        not_before: '2026-11-20 07:16:00+00:00',
        metadata: 'null',
        sans: '["worker-1","worker-1.example"]',
        common_name: 'system:node:worker-1',
      },
      {
        serial_number: '2',
        authority_key_identifier: authorityKeyId,
        ca_label: '',
        status: 'good',
        reason: 0,
        expiry: '2027-11-20 07:21:00+00:00',
        revoked_at: '0001-01-01 00:00:00+00:00',
        issued_at: '2026-11-20 07:21:00.5+00:00',
        not_before: null,
        metadata: '{"a":1}',
        sans: 'null',
        common_name: 'system:node:worker-1',
      },
    ],
    {
      serial_number: 'text',
      authority_key_identifier: 'text',
      ca_label: 'text',
      status: 'text',
      reason: 'integer',
      expiry: 'text',
      revoked_at: 'text',
      pem: 'text',
      issued_at: 'text',
      not_before: 'text',
      metadata: 'blob',
      sans: 'blob',
      common_name: 'text',
    },
  ]);
});

test('what was written is read back the same, also after closing', async (t) => {
  const { open } = folder(t);
  const first = await open({ server: true });
  const whole = record(1, { metadata: { owner: 'x' }, caLabel: 'primary' });
  await first.store.insert(whole);
  assert.deepEqual(first.store.find(whole), whole);
  await first.close();
  const { store } = await open({ server: true });
  assert.deepEqual(store.find(whole), whole);
  assert.equal(store.find({ serial: '1', authorityKeyId: 'cd' }), undefined);
});

test('writes of one turn share one transaction, and each of the next turn another', async (t) => {
  const { file, open } = folder(t);
  const { store } = await open();
  const before = countCommits(file);
  await Promise.all(Array.from({ length: 50 }, (_, serial) => store.insert(record(serial))));
  assert.equal(countCommits(file) - before, 1);
  for (const serial of [50, 51, 52]) await store.insert(record(serial));
  assert.equal(countCommits(file) - before, 4);
  assert.equal(store.list({}).length, 53);
});

test('a row that fails leaves nothing behind and the others of its transaction stand', async (t) => {
  const { open } = folder(t);
  const { store, audit } = await open();
  await store.insert(record(1));
  const refusal = new Error('not this one');
  const ended = await Promise.allSettled([
    store.insert(record(2)),
    store.insert(record(1), audit.within({ act: 'doubled', result: 'done' })),
    store.insert(record(3), () => {
      audit.within({ act: 'refused late', result: 'done' })();
      throw refusal;
    }),
    store.insert(record(4), audit.within({ act: 'sign', serial: '4', result: 'done' })),
    store.revoke({ serial: '9', authorityKeyId }, { reason: 1, at: start }),
  ]);
  assert.deepEqual(
    ended.map((one) => (one.status === 'fulfilled' ? 'written' : (one.reason.code ?? one.reason))),
    ['written', 'ca-certificate-known', refusal, 'written', 'ca-certificate-unknown'],
  );
  assert.deepEqual(
    store.list({}).map(({ serial }) => serial),
    ['4', '2', '1'],
  );
});

test('nothing but the line of what stands is in the audit log', async (t) => {
  const { auditFile, open } = folder(t);
  const { store, audit } = await open();
  await store.insert(record(1), audit.within({ act: 'sign', serial: '1', result: 'done' }));
  await assert.rejects(store.insert(record(1), audit.within({ act: 'sign', serial: '1', result: 'done' })));
  const lines = readFileSync(auditFile, 'utf8').trimEnd().split('\n');
  assert.equal(lines.length, 1);
});

test('a revocation is written as cfssl does it, once more overwrites it, and a prepared answer of cfssl goes', async (t) => {
  const { file, open } = folder(t);
  const { store } = await open();
  await store.insert(record(1));
  python(file, `db.execute("INSERT INTO ocsp_responses VALUES ('1', '${authorityKeyId}', 'good for days', '2027-01-01 00:00:00+00:00')")`);
  await store.revoke({ serial: '1', authorityKeyId }, { reason: 1, at: start });
  const read = `print(json.dumps(list(db.execute("SELECT status, reason, revoked_at FROM certificates"))))`;
  assert.deepEqual(python(file, read), [['revoked', 1, '2026-11-20 07:21:00']]);
  assert.deepEqual(python(file, `print(json.dumps(list(db.execute("SELECT * FROM ocsp_responses"))))`), []);
  await store.revoke({ serial: '1', authorityKeyId }, { reason: 4, at: start + hour });
  assert.deepEqual(python(file, read), [['revoked', 4, '2026-11-20 08:21:00']]);
  const found = store.find({ serial: '1', authorityKeyId });
  assert.equal(found?.revokedAt, Date.parse('2026-11-20T08:21:00Z'));
});

test('a list of revoked certificates leaves out other keys and what has expired', async (t) => {
  const { open } = folder(t);
  const { store } = await open();
  const expiry = start + 10 * hour;
  await store.insert(record(1, { expiry }));
  await store.insert(record(2));
  await store.insert(record(3));
  await store.insert(record(4, { authorityKeyId: 'cd' }));
  for (const [serial, authority] of [
    ['1', authorityKeyId],
    ['3', authorityKeyId],
    ['4', 'cd'],
  ] as const) {
    await store.revoke({ serial, authorityKeyId: authority }, { reason: 1, at: start });
  }
  const serials = (at: number): string[] => store.revoked(authorityKeyId, at).map(({ serial }) => serial);
  assert.deepEqual(serials(start), ['1', '3']);
  assert.deepEqual(serials(expiry + 1000), ['3']);
});

test('certificates are found by what they are, the newest first', async (t) => {
  const { open } = folder(t);
  const { store } = await open();
  await store.insert(record(1, { expiry: start - hour }));
  await store.insert(record(2));
  await store.insert(record(3, { commonName: 'system:node:worker-2' }));
  await store.revoke({ serial: '2', authorityKeyId }, { reason: 1, at: start });
  const serials = (filter: Parameters<typeof store.list>[0]): string[] => store.list(filter).map(({ serial }) => serial);
  assert.deepEqual(serials({}), ['3', '2', '1']);
  assert.deepEqual(serials({ limit: 1 }), ['3']);
  assert.deepEqual(serials({ node: 'worker-1' }), ['2', '1']);
  assert.deepEqual(serials({ node: 'worker-1', unexpiredAt: start }), ['2']);
  assert.deepEqual(serials({ status: 'revoked' }), ['2']);
  assert.deepEqual(serials({ commonName: 'system:node:worker-2' }), ['3']);
  assert.deepEqual(serials({ serial: '1' }), ['1']);
});

test('numbers of revocation lists only grow, also over a restart', async (t) => {
  const { open } = folder(t);
  const first = await open();
  assert.deepEqual(await Promise.all([first.store.nextCrlNumber(), first.store.nextCrlNumber()]), [1n, 2n]);
  await first.close();
  const { store } = await open();
  assert.equal(await store.nextCrlNumber(), 3n);
});

test('caches hear of a change before it is acknowledged, and of what another program has written when they look', async (t) => {
  const { file, open } = folder(t);
  const { store } = await open({ server: true });
  const heard: (Change | string)[] = [];
  const stop = store.onChange((change) => heard.push(change));
  await store.insert(record(1)).then(() => heard.push('acknowledged'));
  assert.deepEqual(heard, [{ serial: '1', authorityKeyId, status: 'good' }, 'acknowledged']);
  store.look();
  assert.equal(heard.length, 2);
  python(file, `db.execute("UPDATE certificates SET status='revoked', revoked_at=CURRENT_TIMESTAMP, reason=1 WHERE serial_number='1'")`);
  assert.equal(heard.length, 2);
  store.look();
  store.look();
  assert.deepEqual(heard.slice(2), ['anything']);
  assert.equal(store.find({ serial: '1', authorityKeyId })?.status, 'revoked');
  stop();
  await store.insert(record(2));
  assert.equal(heard.length, 3);
});

test('a second server on the same database is refused, in this process and in another, and a command is not', async (t) => {
  const { file, open } = folder(t);
  const server = await open({ server: true });
  await assert.rejects(open({ server: true }), { code: 'ca-database-in-use' });
  const other = spawn(process.execPath, [filler, file, '100'], { stdio: ['ignore', 'pipe', 'pipe'] });
  const said: Buffer[] = [];
  other.stderr.on('data', (chunk) => said.push(chunk));
  const [code] = await once(other, 'close');
  assert.equal(code, 1);
  assert.match(Buffer.concat(said).toString(), /another rfo ca serve lives on the database/);

  const command = await open();
  await server.store.insert(record(1));
  await command.store.revoke({ serial: '1', authorityKeyId }, { reason: 1, at: start });
  assert.equal(server.store.find({ serial: '1', authorityKeyId })?.status, 'revoked');
  await server.close();
  await open({ server: true });
});

test('a program that holds the database while it writes makes others wait and none fail', async (t) => {
  const { file, open } = folder(t);
  const { store } = await open({ server: true });
  const script = `import sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute('BEGIN IMMEDIATE')
print('holds', flush=True)
sys.stdin.readline()
db.execute('COMMIT')`;
  const holder = spawn('python3', ['-c', script, file], { stdio: ['pipe', 'pipe', 'inherit'] });
  await once(holder.stdout, 'data');
  let written = false;
  const insert = store.insert(record(1)).then(() => {
    written = true;
  });
  // Long enough for several attempts, during which the event loop runs.
  for (const until = performance.now() + 200; performance.now() < until; ) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(written, false);
  const closed = once(holder, 'close');
  holder.stdin.end('\n');
  await Promise.all([insert, closed]);
});

test('nobody else can read the database, its journal or the audit log', async (t) => {
  const { file, auditFile, open } = folder(t);
  const { store, audit } = await open();
  await store.insert(record(1), audit.within({ act: 'sign', result: 'done' }));
  for (const path of [file, `${file}-wal`, `${file}-shm`, auditFile]) assert.equal((statSync(path).mode & 0o777).toString(8), '600', path);
});

test('after closing nothing is written any more', async (t) => {
  const { open } = folder(t);
  const { store, close } = await open();
  const last = store.insert(record(1));
  await close();
  await last;
  await assert.rejects(store.insert(record(2)), { code: 'ca-store-failed' });
});

const filler = fileURLToPath(new URL('./filler.testing.ts', import.meta.url));

/** Frames of the write-ahead log that end a transaction: those that hold a size (https://www.sqlite.org/fileformat2.html#the_write_ahead_log). */
function countCommits(file: string): number {
  const journal = readFileSync(`${file}-wal`);
  const frame = 24 + journal.readUInt32BE(8);
  let commits = 0;
  for (let at = 32; at + frame <= journal.length; at += frame) {
    // Frames of an earlier round of the journal have another salt.
    if (journal.readUInt32BE(at + 8) === journal.readUInt32BE(16) && journal.readUInt32BE(at + 4) > 0) commits++;
  }
  return commits;
}
