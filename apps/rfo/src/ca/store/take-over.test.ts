import assert from 'node:assert/strict';
import { copyFileSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { folder, hour, python, realCertificate, record, start } from './store.testing.ts';

const first = `db.execute('''CREATE TABLE certificates (serial_number blob NOT NULL, authority_key_identifier blob NOT NULL, ca_label blob,
  status blob NOT NULL, reason int, expiry timestamp, revoked_at timestamp, pem blob NOT NULL, PRIMARY KEY(serial_number, authority_key_identifier))''')
db.execute('''CREATE TABLE ocsp_responses (serial_number blob NOT NULL, authority_key_identifier blob NOT NULL, body blob NOT NULL, expiry timestamp,
  PRIMARY KEY(serial_number, authority_key_identifier),
  FOREIGN KEY(serial_number, authority_key_identifier) REFERENCES certificates(serial_number, authority_key_identifier))''')
def goose(*versions):
    db.execute("CREATE TABLE goose_db_version (id INTEGER PRIMARY KEY AUTOINCREMENT, version_id INTEGER NOT NULL, is_applied INTEGER NOT NULL, tstamp TIMESTAMP DEFAULT (datetime('now')))")
    for v in versions: db.execute('INSERT INTO goose_db_version (version_id, is_applied) VALUES (?, 1)', (v,))
`;

test('a new database is one that cfssl has migrated', async (t) => {
  const { file, open } = folder(t);
  await open();
  const found = python(
    file,
    `print(json.dumps([
  [row[:3] for row in db.execute('SELECT * FROM goose_db_version ORDER BY id')],
  [[row[1], row[2].lower(), row[3], row[5]] for row in db.execute('PRAGMA table_info(certificates)')],
  [[row[1], row[2].lower(), row[3], row[5]] for row in db.execute('PRAGMA table_info(ocsp_responses)')],
  [[row[2], row[3], row[4]] for row in db.execute('PRAGMA foreign_key_list(ocsp_responses)')]]))`,
  );
  assert.deepEqual(found, [
    [
      [1, 0, 1],
      [2, 1, 1],
      [3, 2, 1],
    ],
    [
      ['serial_number', 'blob', 1, 1],
      ['authority_key_identifier', 'blob', 1, 2],
      ['ca_label', 'blob', 0, 0],
      ['status', 'blob', 1, 0],
      ['reason', 'int', 0, 0],
      ['expiry', 'timestamp', 0, 0],
      ['revoked_at', 'timestamp', 0, 0],
      ['pem', 'blob', 1, 0],
      ['issued_at', 'timestamp', 0, 0],
      ['not_before', 'timestamp', 0, 0],
      ['metadata', 'text', 0, 0],
      ['sans', 'text', 0, 0],
      ['common_name', 'text', 0, 0],
    ],
    [
      ['serial_number', 'blob', 1, 1],
      ['authority_key_identifier', 'blob', 1, 2],
      ['body', 'blob', 1, 0],
      ['expiry', 'timestamp', 0, 0],
    ],
    [
      ['certificates', 'serial_number', 'serial_number'],
      ['certificates', 'authority_key_identifier', 'authority_key_identifier'],
    ],
  ]);
});

test('a database of cfssl 1.2.0 gets the later columns, and its rows the key that only their certificates tell', async (t) => {
  const { file, open, messages } = folder(t);
  const { pem, authorityKeyId, serial } = realCertificate('system:node:old', ['old', 'old.example']);
  python(
    file,
    `${first}goose(0, 1)
db.execute("INSERT INTO certificates VALUES (?, '', '', 'good', 0, '2027-11-20 07:21:00+00:00', '0001-01-01 00:00:00+00:00', ?)", (sys.argv[2], sys.argv[3]))
db.execute("INSERT INTO certificates VALUES ('5', '', '', 'good', 0, '2027-11-20 07:21:00+00:00', '0001-01-01 00:00:00+00:00', 'no certificate')")
db.execute("INSERT INTO ocsp_responses VALUES (?, '', 'answer', '2027-01-01 00:00:00+00:00')", (sys.argv[2],))`,
    serial,
    pem,
  );
  const { store } = await open({ server: true });
  assert.deepEqual(store.list({ node: 'old' }), [
    {
      ...record(serial, { authorityKeyId, pem, commonName: 'system:node:old', sans: ['old', 'old.example'] }),
      issuedAt: undefined,
      notBefore: Math.floor(start / 1000) * 1000,
    },
  ]);
  assert.deepEqual(python(file, `print(json.dumps(list(db.execute('SELECT authority_key_identifier FROM ocsp_responses'))))`), [
    [authorityKeyId],
  ]);
  assert.deepEqual(python(file, `print(json.dumps(list(db.execute('SELECT version_id FROM goose_db_version ORDER BY id'))))`), [
    [0],
    [1],
    [2],
  ]);
  assert.equal(store.find({ serial: '5', authorityKeyId: '' })?.pem, 'no certificate');
  assert.ok(messages.some((line) => line.includes('holds no certificate that can be read') && line.includes('serial=5')));
  await store.revoke({ serial, authorityKeyId }, { reason: 1, at: start });
  assert.equal(store.find({ serial, authorityKeyId })?.status, 'revoked');
});

test('a database made by hand, with blobs for texts, without a list of migrations and readable for all, is taken over', async (t) => {
  const { file, open, messages } = folder(t);
  python(
    file,
    `${first}
for name in 'issued_at timestamp', 'not_before timestamp', 'metadata blob', 'sans blob', 'common_name blob': db.execute('ALTER TABLE certificates ADD COLUMN ' + name)
db.execute("INSERT INTO certificates VALUES ('7', 'ab', '', 'revoked', 4, '2027-11-20 07:21:00+00:00', '2026-11-20 08:00:00', ?, '2026-11-20 08:21:00.123456789+01:00', '2026-11-20 07:16:00+00:00', ?, ?, 'system:node:hand')", ('PEM', b'null', b'["hand"]'))`,
  );
  assert.equal(statSync(file).mode & 0o044, 0o044);
  const { store } = await open({ server: true });
  assert.deepEqual(store.list({}), [
    {
      ...record(7, { authorityKeyId: 'ab', status: 'revoked', reason: 4, pem: 'PEM', sans: ['hand'], commonName: 'system:node:hand' }),
      revokedAt: Date.parse('2026-11-20T08:00:00Z'),
      issuedAt: Date.parse('2026-11-20T07:21:00.123Z'),
    },
  ]);
  assert.deepEqual(
    store.revoked('ab', start).map(({ serial }) => serial),
    ['7'],
  );
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.ok(messages.some((line) => line.includes('could be read by others')));
  assert.deepEqual(python(file, `print(json.dumps(list(db.execute('SELECT version_id FROM goose_db_version ORDER BY id'))))`), [
    [0],
    [1],
    [2],
  ]);
});

test('opening one of ours again changes nothing', async (t) => {
  const { file, open } = folder(t);
  const one = await open({ server: true });
  await one.store.insert(record(1));
  await one.close();
  const dump = `print(json.dumps(list(db.iterdump())))`;
  const before = python(file, dump);
  await (await open({ server: true })).close();
  assert.deepEqual(python(file, dump), before);
});

for (const [what, script, problem] of [
  ['with other tables', `db.execute('CREATE TABLE people (name text)')`, /has tables, but none of certificates/],
  [
    'with a table of certificates of another kind',
    `db.execute('CREATE TABLE certificates (serial_number text, pem text)')`,
    /lacks authority_key_identifier/,
  ],
  ['of a newer cfssl', `${first}goose(0, 1, 2, 3)`, /a newer cfssl has migrated it \(3\)/],
  ['with columns that nobody knows', `${first}db.execute('ALTER TABLE certificates ADD COLUMN created_at timestamp')`, /created_at/],
  [
    'of a newer RFO',
    `${first}db.execute('CREATE TABLE rfo_state (name, value)')\ndb.execute("INSERT INTO rfo_state VALUES ('schema', 2)")`,
    /newer version of RFO/,
  ],
  [
    'that may hold a serial number twice',
    `db.execute('CREATE TABLE certificates (serial_number, authority_key_identifier, ca_label, status, reason, expiry, revoked_at, pem)')`,
    /given twice/,
  ],
] as const) {
  test(`a database ${what} is refused and left as it is`, async (t) => {
    const { file, open } = folder(t);
    python(file, script);
    const before = readFileSync(file);
    await assert.rejects(open({ server: true }), { code: 'ca-database-foreign', message: problem });
    assert.deepEqual(readFileSync(file), before);
  });
}

test('a file that is no database is refused and left as it is', async (t) => {
  const { file, open } = folder(t);
  writeFileSync(file, 'a text, not a database\n'.repeat(100));
  await assert.rejects(open(), { code: 'ca-database-foreign', message: /no SQLite database/ });
  assert.equal(readFileSync(file, 'utf8'), 'a text, not a database\n'.repeat(100));
});

test('a server does not begin on a damaged database', async (t) => {
  const { file, open } = folder(t);
  const one = await open();
  for (let serial = 0; serial < 200; serial++) await one.store.insert(record(serial, { expiry: start + serial * hour }));
  await one.close();
  const sound = readFileSync(file);
  // A page in the middle is lost.
  const damaged = Buffer.from(sound);
  damaged.fill(0x55, 40 * 4096, 41 * 4096);
  writeFileSync(file, damaged);
  await assert.rejects(open({ server: true }), { code: 'ca-database-damaged' });
  writeFileSync(file, sound);
  await open({ server: true });
});

test('a database that could not be taken over whole is as it was', async (t) => {
  const { file, open } = folder(t);
  // The table of ours that is made last is there already, so that making it fails when all else is done.
  python(file, `${first}goose(0, 1)\ndb.execute('CREATE TABLE rfo_audit (seq)')`);
  copyFileSync(file, `${file}.before`);
  const dump = `print(json.dumps(list(db.iterdump())))`;
  await assert.rejects(open(), { code: 'ca-store-failed', message: /rfo_audit/ });
  assert.deepEqual(python(file, dump), python(`${file}.before`, dump));
});
