import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import http, { Agent } from 'node:http';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { Life, silentLog } from '@rfo/foundation';
import { createOcspRequest, decodeCrl, decodeOcspResponse, type OcspHash, type OcspResponse, ocspCertificateId } from '@rfo/pki';
import { askOpenssl, caScene, day, type Leaf, makeCa, openssl, type ServedScene, servedScene } from './status.testing.ts';
import { createStatus } from './status.ts';

const hour = 3_600_000;

describe('the status of a certificate', () => {
  for (const delegated of [false, true]) {
    const signer = delegated ? 'a responder of its own' : 'the CA itself';
    for (const hash of ['sha1', 'sha256'] as const) {
      it(`is told to openssl with ${signer} signing, by ${hash} and with a nonce`, async () => {
        await using life = new Life();
        const scene = await servedScene(life, { delegated });
        const leaf = await scene.issue();
        const good = await askOpenssl(scene, leaf.serial, [`-${hash}`]);
        assert.match(good, /: good/);
        assert.match(good, /Response verify OK/);
        assert.doesNotMatch(good, /nonce/i);
        await scene.store.revoke(leaf.key, { reason: 4, at: Date.now() });
        for (const more of [[], ['-no_nonce']]) {
          const revoked = await askOpenssl(scene, leaf.serial, [`-${hash}`, ...more]);
          assert.match(revoked, /: revoked/);
          assert.match(revoked, /Reason: superseded/);
          assert.match(revoked, /Response verify OK/);
        }
      });
    }
  }

  it('is good the moment the certificate is issued, though its number was asked for before', async () => {
    await using life = new Life();
    const scene = await servedScene(life);
    const leaf = await scene.issue();
    const other = { ...leaf, serial: leaf.serial + 1n };
    assert.equal(describeAnswer(await ask(scene, other)), 'unauthorized');
    const { insert } = scene.store;
    const record = scene.store.find(leaf.key);
    assert.ok(record);
    await insert({ ...record, serial: other.serial.toString() });
    assert.equal(describeAnswer(await ask(scene, other)), 'good');
  });

  it('is revoked in every answer to whoever asks after the acknowledgement, while a hundred go on asking', {
    timeout: 60_000,
  }, async () => {
    await using life = new Life();
    const scene = await servedScene(life, { delegated: true });
    for (let round = 0; round < 3; round++) {
      const leaf = await scene.issue();
      let acknowledged = false;
      const seen = { good: 0, revoked: 0 };
      const readers = Array.from({ length: 100 }, async () => {
        for (let left = 5; left > 0; ) {
          const late = acknowledged;
          const answer = describeAnswer(await ask(scene, leaf));
          assert.ok(answer === 'revoked 1' || (answer === 'good' && !late), answer);
          seen[answer === 'good' ? 'good' : 'revoked']++;
          if (late) left--;
        }
      });
      await ask(scene, leaf);
      await scene.store.revoke(leaf.key, { reason: 1, at: Date.now() });
      acknowledged = true;
      await Promise.all(readers);
      assert.ok(seen.revoked >= 500);
    }
  });

  it('is given to nobody who asks after a revocation from a signature that was begun before it', { timeout: 30_000 }, async () => {
    await using life = new Life();
    const scene = await caScene(life);
    const leaf = await scene.issue();
    const { identity } = scene.authority;
    const begun = Promise.withResolvers<void>();
    const released = Promise.withResolvers<void>();
    let late: Promise<void> | undefined = released.promise;
    const sign = async (bytes: Uint8Array): Promise<Buffer> => {
      const wait = late;
      late = undefined;
      begun.resolve();
      await wait;
      return identity.key.sign(bytes);
    };
    const authority = { ...scene.authority, identity: { ...identity, key: { ...identity.key, sign } } };
    const { answerOcsp } = await createStatus({ store: scene.store, authorities: [authority], life, log: silentLog });
    const request = createOcspRequest({ certificates: [idOf(scene, leaf.serial)] });
    const ask = async (): Promise<string> => describeAnswer(decodeOcspResponse((await answerOcsp(request)).der));
    const before = ask();
    await begun.promise;
    await scene.store.revoke(leaf.key, { reason: 1, at: Date.now() });
    assert.equal(await ask(), 'revoked 1');
    released.resolve();
    assert.equal(await before, 'good');
    assert.equal(await ask(), 'revoked 1');
  });

  it('is the new one at once when another process revoked on the same database', async () => {
    await using life = new Life();
    const scene = await servedScene(life);
    const [leaf, bystander] = [await scene.issue(), await scene.issue()];
    for (const each of [leaf, bystander]) assert.equal(describeAnswer(await ask(scene, each)), 'good');
    const list = await scene.status.crl();
    revokeElsewhere(scene, leaf);
    const signed = signatures(scene);
    assert.equal(describeAnswer(await ask(scene, leaf)), 'revoked 5');
    assert.equal(describeAnswer(await ask(scene, bystander)), 'good');
    // The answer that is still right is not signed once more.
    assert.equal(signatures(scene), signed + 1);
    const next = await scene.status.crl();
    assert.deepEqual([list && decodeCrl(list.der).entries.length, next && decodeCrl(next.der).entries.length], [0, 1]);
  });

  it('is signed once and given until half of its validity has passed', async () => {
    await using life = new Life();
    let now = Date.now();
    const scene = await servedScene(life, { clock: { now: () => now }, windows: { ocspValidity: 4 * hour } });
    const leaf = await scene.issue();
    const first = await ask(scene, leaf);
    now += 2 * hour - 2000;
    assert.deepEqual(await ask(scene, leaf), first);
    assert.equal(signatures(scene), 1);
    now += 3000;
    const second = await ask(scene, leaf);
    assert.ok(second.kind === 'answer' && first.kind === 'answer');
    assert.equal((second.answers[0]?.thisUpdate ?? 0) - (first.answers[0]?.thisUpdate ?? 0), 2 * hour + 1000);
    assert.equal(second.answers[0]?.nextUpdate, (second.answers[0]?.thisUpdate ?? 0) + 4 * hour);
  });

  it('is signed once for all who ask at the same time', async () => {
    await using life = new Life();
    const scene = await servedScene(life);
    const leaf = await scene.issue();
    const answers = await Promise.all(Array.from({ length: 50 }, () => ask(scene, leaf)));
    for (const answer of answers) assert.deepEqual(answer, answers[0]);
    assert.equal(signatures(scene), 1);
  });

  it('is told of several certificates at once, of unknown ones and of those of other CAs too', async () => {
    await using life = new Life();
    const scene = await servedScene(life);
    const [good, revoked] = [await scene.issue(), await scene.issue()];
    await scene.store.revoke(revoked.key, { reason: 0, at: Date.now() });
    const foreign = makeCa('foreign');
    const ids = [idOf(scene, good.serial, 'sha512'), idOf(scene, revoked.serial), idOf(scene, 5n), idOf({ ca: foreign }, good.serial)];
    const answer = await askFor(scene, createOcspRequest({ certificates: ids }));
    assert.ok(answer.kind === 'answer');
    assert.deepEqual(
      answer.answers.map(({ id, status }) => [id.raw, status.kind]),
      [
        [ids[0]?.raw, 'good'],
        [ids[1]?.raw, 'revoked'],
        [ids[2]?.raw, 'unknown'],
        [ids[3]?.raw, 'unknown'],
      ],
    );
    assert.deepEqual(await askFor(scene, createOcspRequest({ certificates: ids.slice(2) })), { kind: 'error', error: 'unauthorized' });
  });

  it('with a nonce is signed for this once, and only so often', async () => {
    await using life = new Life();
    let now = Date.now();
    const scene = await servedScene(life, { clock: { now: () => now }, uncachedPerSecond: 3 });
    const leaf = await scene.issue();
    const answers: string[] = [];
    for (let count = 0; count < 5; count++) answers.push(await askWithNonce(scene, leaf, count));
    assert.deepEqual(answers, ['good', 'good', 'good', 'tryLater', 'tryLater']);
    assert.equal(describeAnswer(await ask(scene, leaf)), 'good');
    now += 400;
    assert.deepEqual([await askWithNonce(scene, leaf, 9), await askWithNonce(scene, leaf, 10)], ['good', 'tryLater']);
  });

  it('never says more of an answer than its signer lives', async () => {
    await using life = new Life();
    const scene = await servedScene(life);
    const responder = await scene.writeResponder({ notAfter: Date.now() + hour });
    const status = await createStatus({ store: scene.store, authorities: [{ ...scene.authority, responder }], life, log: silentLog });
    const leaf = await scene.issue();
    const { der } = await status.answerOcsp(createOcspRequest({ certificates: [idOf(scene, leaf.serial)] }));
    const answer = decodeOcspResponse(der);
    assert.ok(answer.kind === 'answer');
    assert.ok((answer.answers[0]?.nextUpdate ?? Number.POSITIVE_INFINITY) <= Date.now() + hour);
  });
});

describe('the revocation list', () => {
  it('is verified by openssl, and grows at once with each revocation', async () => {
    await using life = new Life();
    const scene = await servedScene(life);
    const leaf = await scene.issue();
    assert.match(await judgeList(scene), /verify OK[\s\S]*No Revoked Certificates|No Revoked Certificates[\s\S]*verify OK/);
    await scene.store.revoke(leaf.key, { reason: 1, at: Date.now() });
    const text = await judgeList(scene);
    assert.match(text, new RegExp(`Serial Number: 0?${leaf.serial.toString(16)}`, 'i'));
    assert.match(text, /Key Compromise/);
    assert.match(text, /X509v3 CRL Number/);
    const pem = await (await fetch(`${scene.url}/crl.pem`)).text();
    await writeFile(join(scene.folder, 'list.pem'), pem);
    assert.match(await openssl(scene.folder, ['crl', '-in', 'list.pem', '-noout', '-CAfile', 'ca.pem']), /verify OK/);
  });

  it('is signed anew for a revocation and for its age, and for nothing else', async () => {
    await using life = new Life();
    let now = Date.now();
    const scene = await servedScene(life, { clock: { now: () => now } });
    const numbers: bigint[] = [];
    const look = async (): Promise<void> => {
      const list = await scene.status.crl();
      numbers.push((list?.number ?? 0n) - (numbers[0] ?? 0n));
    };
    await look();
    const leaf = await scene.issue();
    await look();
    now += 3 * day;
    await look();
    now += day;
    await look();
    await scene.store.revoke(leaf.key, { reason: 1, at: now });
    await look();
    await look();
    assert.deepEqual(numbers.slice(1), [0n, 0n, 1n, 2n, 2n]);
  });

  it('is right for everybody who asks after the acknowledgement', async () => {
    await using life = new Life();
    const scene = await servedScene(life);
    const leaves = await Promise.all(Array.from({ length: 20 }, scene.issue));
    await Promise.all(
      leaves.map(async (leaf) => {
        const reading = scene.status.crl();
        await scene.store.revoke(leaf.key, { reason: 3, at: Date.now() });
        const list = await scene.status.crl();
        assert.ok(list !== undefined && decodeCrl(list.der).entries.some(({ serial }) => serial === leaf.serial));
        await reading;
      }),
    );
  });

  it('is there for each CA key, and for no other', async () => {
    await using life = new Life();
    const scene = await servedScene(life);
    assert.equal((await fetch(`${scene.url}/crl/${scene.authorityKeyId}`)).status, 200);
    assert.equal((await fetch(`${scene.url}/crl/${scene.authorityKeyId}.pem`)).headers.get('content-type'), 'application/x-pem-file');
    assert.equal((await fetch(`${scene.url}/crl/${'00'.repeat(20)}`)).status, 404);
  });
});

describe('what is told of the freshness', () => {
  it('names ages and what is left in numbers', async () => {
    await using life = new Life();
    let now = Date.now();
    const scene = await servedScene(life, { clock: { now: () => now }, delegated: true });
    assert.equal(scene.status.health().authorities[0]?.crl, undefined);
    await scene.status.crl();
    now += 90_000;
    const [health] = scene.status.health().authorities;
    assert.equal(health?.authority, scene.authorityKeyId);
    assert.deepEqual([health?.responder.delegated, health?.responder.daysLeft], [true, 0]);
    assert.ok((health?.crl?.ageSeconds ?? 0) >= 90 && (health?.crl?.ageSeconds ?? 0) <= 91);
    const names = scene.status.metrics().map(({ name }) => name);
    assert.ok(names.includes('rfo_ca_crl_age_seconds') && names.includes('rfo_ca_ocsp_responder_seconds_left'));
  });
});

function idOf({ ca }: Pick<ServedScene, 'ca'>, serial: bigint, hash: OcspHash = 'sha1') {
  return ocspCertificateId(serial, { name: ca.certificate.rawSubject, publicKey: ca.certificate.publicKey }, hash);
}

function ask(scene: ServedScene, { serial }: Pick<Leaf, 'serial'>): Promise<OcspResponse> {
  return askFor(scene, createOcspRequest({ certificates: [idOf(scene, serial)] }));
}

const agent = new Agent({ keepAlive: true, maxSockets: 100 });

/** On kept connections. */
async function askFor({ port }: ServedScene, request: Buffer): Promise<OcspResponse> {
  const headers = { 'content-type': 'application/ocsp-request', 'content-length': request.length };
  const asked = http.request({ host: '127.0.0.1', port, method: 'POST', agent, headers }).end(request);
  const [response] = (await once(asked, 'response')) as [http.IncomingMessage];
  return decodeOcspResponse(Buffer.concat(await response.toArray()));
}

/** Fails when the answer repeats another nonce. */
async function askWithNonce(scene: ServedScene, { serial }: Leaf, count: number): Promise<string> {
  const nonce = Buffer.alloc(16, count);
  const answer = await askFor(scene, createOcspRequest({ certificates: [idOf(scene, serial)], nonce }));
  if (answer.kind === 'answer') assert.deepEqual(answer.nonce, nonce);
  return describeAnswer(answer);
}

function describeAnswer(answer: OcspResponse): string {
  if (answer.kind === 'error') return answer.error;
  const status = answer.answers[0]?.status;
  return status?.kind === 'revoked' ? `revoked ${status.reason}` : (status?.kind ?? 'nothing');
}

function signatures({ status }: ServedScene): number {
  const answers = status.metrics().find(({ name }) => name === 'rfo_ca_ocsp_answers_total');
  return answers?.samples.find(({ labels }) => labels.from === 'signature')?.value ?? Number.NaN;
}

/** As `rfo ca revoke` does beside a running server: another process, the same file. */
function revokeElsewhere({ database }: ServedScene, { key }: Leaf): void {
  const program = `
    import { openStore } from '${import.meta.resolve('../store/open-store.ts')}';
    import { silentLog, systemClock } from '${import.meta.resolve('@rfo/foundation')}';
    const { store, close } = await openStore({ file: ${JSON.stringify(database)}, clock: systemClock, log: silentLog });
    await store.revoke(${JSON.stringify(key)}, { reason: 5, at: Date.now() });
    await close();`;
  const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8', timeout: 30_000 });
  assert.equal(status, 0, stderr);
}

async function judgeList({ folder, url }: ServedScene): Promise<string> {
  await writeFile(join(folder, 'list.der'), Buffer.from(await (await fetch(`${url}/crl`)).arrayBuffer()));
  return openssl(folder, ['crl', '-inform', 'DER', '-in', 'list.der', '-noout', '-text', '-CAfile', 'ca.pem']);
}
