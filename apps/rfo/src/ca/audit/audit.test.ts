import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { appendFileSync, copyFileSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { folder, python, record } from '../store/store.testing.ts';
import { verifyAudit } from './verify.ts';

type Line = { seq: number; act: string; prev: string; reason?: string };

test('an act is one line of JSON with who, what and how it ended, chained to the one before', async (t) => {
  const { auditFile, open } = folder(t);
  const { store, audit } = await open();
  await store.insert(
    record(5),
    audit.within({ act: 'sign', remote: '10.0.0.7', token: 'abc', profile: 'kubelet', subject: 'CN=a\nb', serial: '5', result: 'done' }),
  );
  await audit.write({ act: 'sign', remote: '10.0.0.8', result: 'refused', reason: 'invalid token', code: 400 });
  const [first = '', second = '', ...rest] = readFileSync(auditFile, 'utf8').split('\n');
  assert.deepEqual(rest, ['']);
  assert.equal(
    first,
    '{"seq":1,"time":"2026-11-20T07:21:00.250Z","act":"sign","remote":"10.0.0.7","token":"abc","profile":"kubelet","subject":"CN=a\\nb","serial":"5","result":"done",' +
      `"prev":"${'0'.repeat(64)}"}`,
  );
  assert.equal(
    second,
    '{"seq":2,"time":"2026-11-20T07:21:00.250Z","act":"sign","remote":"10.0.0.8","result":"refused","reason":"invalid token","code":400,' +
      `"prev":"${hash('sha256', first)}"}`,
  );
});

test('what a client makes long does not make the log long', async (t) => {
  const { auditFile, open } = folder(t);
  const { audit } = await open();
  await audit.write({ act: 'sign', subject: 'x'.repeat(1_000_000), names: Array<string>(5000).fill('y'), result: 'refused' });
  assert.ok(readFileSync(auditFile).length < 4096);
  assert.match(readFileSync(auditFile, 'utf8'), /\(1000000 characters\).*\(5000 of them\)/);
});

test('programs beside each other write one chain', async (t) => {
  const { auditFile, open } = folder(t);
  const server = await open({ server: true });
  const command = await open();
  for (let round = 0; round < 10; round++) {
    await Promise.all([server, command].map(({ audit }, index) => audit.write({ act: `act ${round} of ${index}`, result: 'done' })));
  }
  const verified = await verifyAudit(auditFile);
  assert.deepEqual([verified.lines, verified.first, verified.last], [20, 1, 20]);
});

test('a line that was changed, left out, doubled, put in or cut off is found', async (t) => {
  const { auditFile, open } = folder(t);
  const { audit, close } = await open();
  for (let act = 1; act <= 5; act++) await audit.write({ act: `act ${act}`, result: 'done' });
  await close();
  const sound = readFileSync(auditFile, 'utf8');
  const lines = sound.trimEnd().split('\n');
  const verdict = async (text: string): Promise<string> => {
    writeFileSync(auditFile, text);
    return verifyAudit(auditFile).then(
      () => 'sound',
      (error) => `${error.code}: ${/line (\d+)/.exec(error.message)?.[1]}`,
    );
  };
  const joined = (changed: readonly (string | undefined)[]): string => `${changed.join('\n')}\n`;
  assert.equal(await verdict(sound), 'sound');
  assert.equal(await verdict(sound.replace('act 2', 'act 9')), 'ca-audit-broken: 3');
  assert.equal(await verdict(joined(lines.toSpliced(2, 1))), 'ca-audit-broken: 3');
  assert.equal(await verdict(joined(lines.toSpliced(2, 0, lines[2] ?? ''))), 'ca-audit-broken: 4');
  assert.equal(await verdict(joined(lines.toSpliced(2, 0, 'hello'))), 'ca-audit-broken: 3');
  assert.equal(await verdict(joined(lines.toSpliced(0, 1))), 'sound');
  assert.equal(await verdict(sound.slice(0, -10)), 'ca-audit-broken: 5');
  rmSync(auditFile);
  await assert.rejects(verifyAudit(auditFile), { code: 'ca-audit-unreadable' });
});

test('lines that a lost power supply has swallowed are written again from the database', async (t) => {
  const { auditFile, file, open } = folder(t);
  const before = await open();
  for (let act = 1; act <= 9; act++) await before.audit.write({ act: `act ${act}`, result: 'done' });
  const whole = readFileSync(auditFile);
  // As it is before it is closed: what is kept is in the database still.
  for (const suffix of ['', '-wal']) copyFileSync(`${file}${suffix}`, `${file}.saved${suffix}`);
  await before.close();
  for (const lose of [
    () => truncateSync(auditFile, whole.length - 500),
    () => truncateSync(auditFile, 0),
    () => writeFileSync(auditFile, Buffer.from(whole).fill(0, 300, 900)),
    () => writeFileSync(auditFile, Buffer.concat([whole, Buffer.alloc(100)])),
    () => writeFileSync(auditFile, Buffer.concat([whole, Buffer.from('{"seq":10,"ti')])),
  ]) {
    for (const suffix of ['', '-wal']) copyFileSync(`${file}.saved${suffix}`, `${file}${suffix}`);
    lose();
    const after = await open();
    await after.audit.write({ act: 'after', result: 'done' });
    await after.close();
    const lines = readLines(auditFile);
    assert.deepEqual(
      lines.map(({ act }) => act),
      [...Array.from({ length: 9 }, (_, index) => `act ${index + 1}`), 'after'],
    );
    await verifyAudit(auditFile);
  }
});

test('lines of what was not brought to its end stay, with a line that says so', async (t) => {
  const { auditFile, file, open } = folder(t);
  const one = await open();
  await one.audit.write({ act: 'act 1', result: 'done' });
  await one.close();
  copyFileSync(file, `${file}.saved`);
  const two = await open();
  await two.audit.write({ act: 'act 2', result: 'done' });
  await two.audit.write({ act: 'act 3', result: 'done' });
  await two.close();
  copyFileSync(`${file}.saved`, file);
  const restored = await open();
  await restored.audit.write({ act: 'act 4', result: 'done' });
  assert.deepEqual(
    readLines(auditFile).map(({ act }) => act),
    ['act 1', 'act 2', 'act 3', 'audit-log', 'act 4'],
  );
  assert.match(readLines(auditFile)[3]?.reason ?? '', /2 lines up to number 3/);
  await verifyAudit(auditFile);
});

test('a log that is moved away goes on in a new file that follows from it', async (t) => {
  const { auditFile, open, messages } = folder(t);
  const before = await open();
  for (const act of ['one', 'two']) await before.audit.write({ act, result: 'done' });
  // All of it is on the disk then: what the database still keeps would be written into the new file as a whole.
  await before.close();
  const { audit, close } = await open();
  const old = `${auditFile}.1`;
  renameSync(auditFile, old);
  await audit.write({ act: 'three', result: 'done' });
  await close();
  const first = await verifyAudit(old);
  await verifyAudit(auditFile);
  assert.equal(first.last, 2);
  assert.equal(readLines(auditFile).at(-1)?.act, 'three');
  assert.ok(readLines(auditFile).some(({ reason }) => reason?.includes('moved away')));
  assert.deepEqual(readLines(auditFile)[0], readLines(old)[1], 'the last line of the old one is the first of the new one');
  assert.ok(messages.some((line) => line.includes('moved away')));
});

test('with lines in the log that nobody of us has written nothing is issued until it is moved away', async (t) => {
  const { auditFile, open } = folder(t);
  const { store, audit } = await open();
  await audit.write({ act: 'one', result: 'done' });
  appendFileSync(auditFile, 'hello\n');
  await assert.rejects(store.insert(record(1)), { code: 'ca-audit-broken' });
  assert.deepEqual(store.list({}), []);
  renameSync(auditFile, `${auditFile}.evidence`);
  await store.insert(record(1), audit.within({ act: 'sign', result: 'done' }));
  await verifyAudit(auditFile);
});

test('a new database goes on with the log that is there', async (t) => {
  const { auditFile, file, open } = folder(t);
  const one = await open();
  await one.audit.write({ act: 'one', result: 'done' });
  await one.close();
  rmSync(file);
  const two = await open();
  await two.audit.write({ act: 'two', result: 'done' });
  assert.deepEqual(
    readLines(auditFile).map(({ act }) => act),
    ['one', 'audit-log', 'two'],
  );
  await verifyAudit(auditFile);
});

test('the database forgets lines when they are on the disk', async (t) => {
  const { auditFile, file, open } = folder(t);
  const { audit, close } = await open();
  const count = (): unknown => python(file, `print(json.dumps(db.execute('SELECT count(*), max(seq) FROM rfo_audit').fetchone()))`);
  for (let batch = 0; batch < 40; batch++) {
    await Promise.all(Array.from({ length: 100 }, () => audit.write({ act: 'much', result: 'done' })));
  }
  const [kept] = count() as [number];
  assert.ok(kept < 4000, `${kept} of 4000`);
  await close();
  assert.deepEqual(count(), [1, 4000]);
  assert.equal((await verifyAudit(auditFile)).lines, 4000);
});

test('an entry outside of a transaction is a defect that shows', async (t) => {
  const { open } = folder(t);
  const { audit } = await open();
  assert.throws(() => audit.within({ act: 'x', result: 'done' })(), { code: 'internal' });
});

function readLines(file: string): Line[] {
  return readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
}
