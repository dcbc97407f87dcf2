/** The database and the configuration of a cfssl go to RFO, and back. */
import assert from 'node:assert/strict';
import { rfoCommand } from '../../harness/node.ts';
import type { Service } from '../../lab/index.ts';
import { cfssl } from './clients.ts';
import { lenient, lenientFolder, real, resultOf, type Stage, startLenient, startReal, stop } from './faces.ts';
import type { Inputs } from './inputs.ts';
import type { Known } from './requests.ts';
import { issueKnown } from './same-answers.ts';

export async function takeOverAndGiveBack(
  stage: Stage,
  inputs: Inputs,
  running: { readonly real: Service; readonly lenient: Service },
): Promise<void> {
  const old = await issueKnown(stage, real, inputs);
  const before = await countRows(stage);
  await Promise.all([stop(running.real, stage), stop(running.lenient, stage)]);

  const rfo = await startLenient(stage, ['--db-config', real.databaseConfig]);
  const list = ['ca', 'list', '--dir', lenientFolder, '--db-config', real.databaseConfig, '--all', '-o', 'json'];
  const listed = JSON.parse(await stage.host.must([...rfoCommand, ...list])) as readonly object[];
  assert.equal(listed.length, before, 'certificates were lost, or came from nowhere');
  await resultOf(stage, lenient, 'certinfo', numbers(old));
  await resultOf(stage, lenient, 'revoke', { ...numbers(old), reason: 'superseded' });
  const own = await issueKnown(stage, lenient, inputs);
  await stop(rfo, stage);

  const back = await startReal(stage);
  assert.equal(await countRows(stage), before + 1);
  const theirs = (await resultOf(stage, real, 'certinfo', numbers(own))) as { readonly pem: string };
  assert.equal(theirs.pem, own.pem);
  await issueKnown(stage, real, inputs);
  const revoke = ['revoke', '-db-config', real.databaseConfig, '-serial', own.serial, '-aki', own.authorityKeyId, '-reason', 'superseded'];
  const { code, stderr } = await cfssl(stage, undefined, revoke);
  assert.equal(code, 0, stderr);
  await assertRevoked(stage, [old, own]);
  await stop(back, stage);
}

function numbers({ serial, authorityKeyId }: Known) {
  return { serial, authority_key_id: authorityKeyId };
}

/** By the driver of nobody: Python's own. */
async function query({ host }: Stage, sql: string): Promise<string> {
  const program = 'import sqlite3,sys; print(sqlite3.connect(sys.argv[1]).execute(sys.argv[2]).fetchall())';
  return (await host.must(['python3', '-c', program, real.database, sql])).trim();
}

async function countRows(stage: Stage): Promise<number> {
  return Number(/\d+/.exec(await query(stage, 'select count(*) from certificates'))?.[0]);
}

async function assertRevoked(stage: Stage, certificates: readonly Known[]): Promise<void> {
  for (const { serial } of certificates) {
    const row = await query(stage, `select status, reason, expiry, revoked_at from certificates where serial_number='${serial}'`);
    // The forms in which cfssl writes them: what does not read back as a time would keep it from ever listing the certificate.
    assert.match(row, /^\[\(b?'revoked', 4, '\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\+00:00', '\d{4}-\d\d-\d\d \d\d:\d\d:\d\d'\)\]$/);
  }
}
