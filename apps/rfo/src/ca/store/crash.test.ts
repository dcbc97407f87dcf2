import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { verifyAudit } from '../audit/verify.ts';
import { folder, python, record } from './store.testing.ts';

const filler = fileURLToPath(new URL('./filler.testing.ts', import.meta.url));

test('however often it is killed while it issues, what was acknowledged is there, once, with its line in the audit log', async (t) => {
  const { file, auditFile, open } = folder(t);
  const acknowledged = new Set<string>();
  for (let round = 0; round < 8; round++) {
    for (const serial of await issueUntilKilled(file, (round + 1) * 1_000_000, randomInt(1, 150))) acknowledged.add(serial);
    const { store, close } = await open({ server: true });
    const known = store.list({}).map(({ serial }) => serial);
    assert.equal(new Set(known).size, known.length, 'a serial number twice');
    assert.deepEqual(
      [...acknowledged].filter((serial) => !known.includes(serial)),
      [],
      `lost in round ${round}`,
    );
    const [last = ''] = acknowledged;
    await assert.rejects(store.insert(record(last)), { code: 'ca-certificate-known' });
    await close();
    await verifyAudit(auditFile);
    const audited = serialsOf(auditFile);
    assert.deepEqual(
      known.filter((serial) => !audited.has(serial)),
      [],
      `without a line in round ${round}`,
    );
  }
  assert.deepEqual(python(file, `print(json.dumps(list(db.execute('PRAGMA integrity_check'))))`), [['ok']]);
  assert.ok(acknowledged.size > 8);
});

test('on a full disk nothing is issued, what was refused is nowhere, and it goes on when there is room', async (t) => {
  const { file } = folder(t);
  const mount = join(dirname(file), 'small');
  mkdirSync(mount);
  // Its own mount namespace: the little file system ends with the last process in it.
  const script = `mount -t tmpfs -o size=3m none "$1" && head -c 1000000 /dev/zero > "$1/ballast" && "$2" "$3" "$1/certdb.db" 1 "$1/ballast" && cat "$1/audit.log"`;
  const child = spawn('unshare', ['--map-root-user', '--mount', 'sh', '-c', script, 'sh', mount, process.execPath, filler], {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 60_000,
  });
  const complaints: Buffer[] = [];
  child.stderr.on('data', (chunk) => complaints.push(chunk));
  const lines: string[] = [];
  createInterface(child.stdout).on('line', (line) => lines.push(line));
  const [code] = await once(child, 'close');
  assert.equal(code, 0, Buffer.concat(complaints).toString());

  const acknowledged = lines.filter((line) => /^\d+$/.test(line));
  const [met = ''] = lines.filter((line) => line.startsWith('{"refused"'));
  const { refused, codes, still, after, known } = JSON.parse(met);
  assert.ok(acknowledged.length > 100 && refused.length === 20, `${acknowledged.length} ${refused.length}`);
  assert.deepEqual(new Set(codes), new Set(['ca-store-failed']));
  assert.deepEqual(still, []);
  assert.deepEqual(after, []);
  assert.equal(known, acknowledged.length);
  const audited = lines.filter((line) => line.startsWith('{"seq"')).map((line): string => JSON.parse(line).serial);
  assert.deepEqual(audited, acknowledged);
});

/** Gives what was acknowledged before the program was killed, right after the given number of acknowledgements. */
async function issueUntilKilled(file: string, first: number, count: number): Promise<string[]> {
  const child = spawn(process.execPath, [filler, file, String(first)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const acknowledged: string[] = [];
  for await (const line of createInterface(child.stdout)) {
    acknowledged.push(line);
    if (acknowledged.length === count) child.kill('SIGKILL');
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  assert.equal(child.signalCode, 'SIGKILL');
  return acknowledged;
}

function serialsOf(auditFile: string): Set<string> {
  const lines = readFileSync(auditFile, 'utf8').trimEnd().split('\n');
  return new Set(lines.map((line): string => JSON.parse(line).serial));
}
