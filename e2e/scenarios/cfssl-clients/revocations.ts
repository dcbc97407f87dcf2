/** Revocation, lists and OCSP: by cfssl's commands on either database, and as openssl sees it. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { eventually } from '../../harness/eventually.ts';
import { untilLine } from '../../harness/node.ts';
import { cfssl } from './clients.ts';
import { cfsslFolder, type Face, folder, lenient, real, type Stage } from './faces.ts';
import type { Inputs } from './inputs.ts';
import type { Known } from './requests.ts';
import { issueKnown } from './same-answers.ts';

const issuer = join(folder, 'ca.pem');

/** `cfssl revoke` on the database of a running RFO: its responder and its list follow, and `cfssl crl` makes the same list of it. */
export async function compareRevocation(stage: Stage, inputs: Inputs): Promise<void> {
  const { host, life, programs } = stage;
  const [theirs, ours] = [await issueKnown(stage, real, inputs), await issueKnown(stage, lenient, inputs)];
  for (const hash of ['-sha1', '-sha256']) assert.match(await askResponder(stage, lenient, ours, hash), /: good$/m);
  for (const [face, { serial, authorityKeyId }] of [
    [real, theirs],
    [lenient, ours],
  ] as const) {
    const revoke = ['revoke', '-db-config', face.databaseConfig, '-serial', serial, '-aki', authorityKeyId, '-reason', 'superseded'];
    const { code, stderr } = await cfssl(stage, undefined, revoke);
    assert.equal(code, 0, stderr);
  }
  // cfssl signs its answers ahead, and serves those.
  const key = ['-responder', join(folder, 'ocsp.pem'), '-responder-key', join(folder, 'ocsp-key.pem')];
  const refreshed = await cfssl(stage, undefined, ['ocsprefresh', '-db-config', real.databaseConfig, '-ca', issuer, ...key]);
  assert.equal(refreshed.code, 0, refreshed.stderr);
  const service = await host.spawn('ocspserve', [programs.cfssl, 'ocspserve', '-port=7889', `-db-config=${real.databaseConfig}`]);
  await untilLine(service, /Now listening on/, { signal: life.signal, within: 30_000 });
  const revoked = /: revoked\n[\s\S]*Reason: superseded/;
  await eventually(
    'cfssl to answer that it is revoked',
    async () => revoked.test(await askResponder(stage, real, theirs, '-sha1')) || undefined,
    {
      signal: life.signal,
      within: 10_000,
    },
  );
  await eventually(
    'RFO to answer that it is revoked',
    async () => revoked.test(await askResponder(stage, lenient, ours, '-sha1')) || undefined,
    {
      signal: life.signal,
      within: 10_000,
    },
  );
  assert.match(await askResponder(stage, lenient, ours, '-sha256'), revoked);
  // The real one finds certificates by SHA-1 alone: that RFO does not, is why it is not compared.
  assert.match(await askResponder(stage, real, theirs, '-sha256'), /unauthorized/);
  await compareGet(stage, ours);
  await compareLists(stage, ours);
}

/** POST, as openssl does it; nonces are in it, which the real one leaves out of its answer. */
async function askResponder({ host, life }: Stage, face: Face, { pem, serial }: Known, hash: string): Promise<string> {
  const file = join(cfsslFolder, `${serial}.pem`);
  await host.writeFile(file, pem);
  const who = ['-issuer', issuer, hash, '-cert', file, '-CAfile', issuer, '-no_nonce'];
  const { stdout, stderr } = await host.exec(['openssl', 'ocsp', '-url', `${face.ocspUrl}/`, ...who], { signal: life.signal });
  return stdout + stderr;
}

/** GET (RFC 5019): the request in the path. */
async function compareGet(stage: Stage, { serial }: Known): Promise<void> {
  const [file, query, answer] = ['.pem', '.ocsp', '.answer'].map((suffix) => join(cfsslFolder, serial + suffix));
  const who = ['-issuer', issuer, '-cert', file ?? ''];
  await stage.host.must(['openssl', 'ocsp', ...who, '-no_nonce', '-reqout', query ?? '']);
  const encoded = (await stage.host.must(['base64', '-w0', query ?? ''])).trim();
  const url = `${lenient.ocspUrl}/${encodeURIComponent(encoded)}`;
  const [{ status = 0, type = '' } = {}] = await stage.send([{ url, method: 'GET', saveTo: answer ?? '' }]);
  assert.deepEqual([status, type], [200, 'application/ocsp-response']);
  const { stdout, stderr } = await stage.host.exec(['openssl', 'ocsp', '-respin', answer ?? '', ...who, '-CAfile', issuer]);
  assert.match(stdout, /: revoked$/m, stderr);
  assert.match(stderr, /Response verify OK/);
}

/** The list of RFO as clients of a certificate fetch it, and the one that cfssl makes of RFO's database. */
async function compareLists(stage: Stage, { serial }: Known): Promise<void> {
  const { host } = stage;
  const made = await cfssl(stage, undefined, [
    'crl',
    '-db-config',
    lenient.databaseConfig,
    '-ca',
    issuer,
    '-ca-key',
    join(folder, 'ca-key.pem'),
  ]);
  assert.equal(made.code, 0, made.stderr);
  const [theirs, ours] = [join(cfsslFolder, 'made.crl'), join(cfsslFolder, 'served.crl')];
  await host.writeFile(theirs, Buffer.from(made.stdout, 'base64'));
  const [{ status = 0, type = '' } = {}] = await stage.send([{ url: `${lenient.ocspUrl}/crl`, method: 'GET', saveTo: ours }]);
  assert.deepEqual([status, type], [200, 'application/pkix-crl']);
  const serials = async (file: string): Promise<readonly string[]> => {
    const told = await host.must(['openssl', 'crl', '-inform', 'DER', '-in', file, '-noout', '-text', '-CAfile', issuer]);
    return (told.match(/Serial Number: [0-9A-F]+/g) ?? []).sort();
  };
  const found = await serials(ours);
  assert.deepEqual(found, await serials(theirs));
  const hex = BigInt(serial).toString(16).toUpperCase();
  assert.ok(
    found.some((line) => line.endsWith(hex)),
    `${hex} is not on the list`,
  );
}
