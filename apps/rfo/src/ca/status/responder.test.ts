import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { rename, writeFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { createLog, Life, type Log, systemClock } from '@rfo/foundation';
import { createOcspRequest, decodeCertificate, decodeOcspResponse, encodeKey, generateKey, ocspCertificateId } from '@rfo/pki';
import { loadResponder } from './responder.ts';
import { type CaScene, caScene, day, makeCa, type ResponderChange } from './status.testing.ts';
import { createStatus } from './status.ts';

describe('a certificate for OCSP answers', () => {
  const wrong: Record<string, { readonly change: (scene: CaScene) => ResponderChange; readonly problem: RegExp }> = {
    'of another CA': { change: () => ({ signer: makeCa('status-ca') }), problem: /the CA that it answers for has not signed it/ },
    'for something else': { change: () => ({ usages: ['serverAuth'] }), problem: /not for OCSP signing/ },
    'that has expired': { change: () => ({ notAfter: Date.now() - 1000 }), problem: /expired at/ },
    'of tomorrow': { change: () => ({ notBefore: Date.now() + day / 2 }), problem: /valid only from/ },
    'with another key': { change: () => ({ key: generateKey() }), problem: /is not its key/ },
  };
  for (const [what, { change, problem }] of Object.entries(wrong)) {
    it(`${what} is refused`, async () => {
      await using life = new Life();
      const scene = await caScene(life);
      const files = await scene.writeResponder(change(scene));
      await assert.rejects(loadResponder(files, scene.authority, systemClock), { code: 'ocsp-responder-unusable', message: problem });
    });
  }

  it('may be the CA itself, which then brings no certificate along', async () => {
    await using life = new Life();
    const scene = await caScene(life);
    const files = { certificate: `${scene.folder}/ca.pem`, key: `${scene.folder}/ca-key.pem` };
    await writeFile(files.key, encodeKey(scene.ca.key));
    const { delegated, certificate } = await loadResponder(files, scene.authority, systemClock);
    assert.deepEqual([delegated, certificate], [false, undefined]);
  });

  it('that is missing or no certificate is named', async () => {
    await using life = new Life();
    const scene = await caScene(life);
    const files = await scene.writeResponder();
    await assert.rejects(loadResponder({ ...files, key: `${scene.folder}/none` }, scene.authority, systemClock), {
      code: 'ocsp-responder-unusable',
    });
    await writeFile(files.certificate, 'nonsense');
    await assert.rejects(loadResponder(files, scene.authority, systemClock), { code: 'certificate-unreadable' });
  });

  it('is taken anew when its files are replaced, and cached answers with it; a bad one is left alone', { timeout: 30_000 }, async () => {
    await using life = new Life();
    const scene = await caScene(life);
    const { log, told } = listen();
    const responder = await scene.writeResponder();
    const status = await createStatus({ store: scene.store, authorities: [{ ...scene.authority, responder }], life, log });
    const leaf = await scene.issue();
    const signer = async (): Promise<string | undefined> => {
      const id = ocspCertificateId(
        leaf.serial,
        { name: scene.ca.certificate.rawSubject, publicKey: scene.ca.certificate.publicKey },
        'sha1',
      );
      const answer = decodeOcspResponse((await status.answerOcsp(createOcspRequest({ certificates: [id] }))).der);
      assert.ok(answer.kind === 'answer');
      const [certificate] = answer.certificates;
      return certificate && decodeCertificate(certificate).serial;
    };
    const first = await signer();

    const refused = once(told, 'warn');
    await scene.writeResponder({ usages: ['clientAuth'] });
    await refused;
    assert.equal(await signer(), first);

    const taken = once(told, 'info');
    await scene.writeResponder();
    await taken;
    const second = await signer();
    assert.notEqual(second, first);

    // By renaming, as careful programs do it.
    const again = once(told, 'info');
    const { certificate, key } = await scene.writeResponder();
    await rename(certificate, `${certificate}.new`);
    await rename(key, `${key}.new`);
    await rename(`${key}.new`, key);
    await rename(`${certificate}.new`, certificate);
    await again;
    assert.notEqual(await signer(), second);
  });

  it('that expires while it is in use leaves the answers to the CA itself, and an error in the log', async () => {
    await using life = new Life();
    let now = Date.now();
    const scene = await caScene(life);
    const { log, errors } = listen();
    const responder = await scene.writeResponder({ notAfter: now + day / 2 });
    const clock = { now: () => now };
    const status = await createStatus({ store: scene.store, authorities: [{ ...scene.authority, responder }], life, log, clock });
    assert.equal(status.health().authorities[0]?.responder.delegated, true);
    now += day / 2;
    for (let count = 0; count < 3; count++) assert.equal(status.health().authorities[0]?.responder.delegated, false);
    assert.equal(errors.length, 1);
  });
});

/** A log that can be waited for, by level. */
function listen(): { readonly log: Log; readonly told: EventEmitter; readonly errors: readonly string[] } {
  const told = new EventEmitter();
  const errors: string[] = [];
  const write = (line: string): void => {
    const { level } = JSON.parse(line) as { level: string };
    if (level === 'error') errors.push(line);
    else told.emit(level, line);
  };
  return { log: createLog({ write, format: 'json' }), told, errors };
}
