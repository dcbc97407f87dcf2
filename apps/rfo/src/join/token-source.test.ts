import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { silentLog } from '@rfo/foundation';
import { memoryLog, never } from './join.testing.ts';
import { untilTokenChanges, waitForToken } from './token-source.ts';

const hash = 'a'.repeat(64);
const token = `K10${hash}::node:the-secret`;
const parsed = { caHash: hash, credential: { kind: 'password', user: 'node', password: 'the-secret' } };

class Folder implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), 'rfo-token-'));
  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true });
  }
}

/** Starts to wait for the file and does `then` as soon as the waiting was said. */
async function waitingFor(file: string, then: () => void, lookEvery = 30_000) {
  const { log, lines } = memoryLog();
  const said = Promise.withResolvers<void>();
  const telling = {
    ...log,
    info: (message: string, fields?: Readonly<Record<string, unknown>>): void => {
      log.info(message, fields);
      said.resolve();
    },
  };
  const waiting = waitForToken({ config: { 'token-file': file }, signal: never, log: telling, lookEvery });
  await said.promise;
  then();
  return { found: await waiting, lines };
}

describe('the token of a joining node', { timeout: 20_000 }, () => {
  it('is the configured one, the content of the configured file, or none', async () => {
    using folder = new Folder();
    const file = join(folder.path, 'token');
    writeFileSync(file, `${token}\n`);
    const common = { signal: never, log: silentLog };
    assert.deepEqual(await waitForToken({ ...common, config: { token } }), parsed);
    assert.deepEqual(await waitForToken({ ...common, config: { 'token-file': file } }), parsed);
    assert.equal(await waitForToken({ ...common, config: {} }), undefined);
  });

  it('is looked at again when its file is replaced', async () => {
    using folder = new Folder();
    const file = join(folder.path, 'token');
    writeFileSync(file, 'a wrong one');
    const ended = new AbortController();
    const [changed, without] = [
      untilTokenChanges({ config: { 'token-file': file }, signal: never }),
      untilTokenChanges({ config: {}, signal: ended.signal }),
    ];
    // Until it is watched, nothing is seen.
    for (let count = 0; (await Promise.race([changed.then(() => 'seen'), setImmediate('not yet')])) === 'not yet'; count++) {
      writeFileSync(`${file}.new`, `${token} ${count}`);
      renameSync(`${file}.new`, file);
    }
    ended.abort(new Error('enough'));
    await assert.rejects(without, /enough/);
  });

  it('is waited for while the file is not there, which is said once', async () => {
    using folder = new Folder();
    const file = join(folder.path, 'token');
    const { found, lines } = await waitingFor(file, () => {
      writeFileSync(`${file}.new`, token);
      renameSync(`${file}.new`, file);
    });
    assert.deepEqual(found, parsed);
    assert.equal(lines.length, 1);
    assert.match(lines[0] ?? '', /info .*waiting for it.*\/token\n$/);
  });

  it('is waited for while the file is empty', async () => {
    using folder = new Folder();
    const file = join(folder.path, 'token');
    writeFileSync(file, '\n');
    const { found, lines } = await waitingFor(file, () => writeFileSync(file, token));
    assert.deepEqual(found, parsed);
    assert.equal(lines.length, 1);
  });

  it('is waited for while not even the folder of the file is there', async () => {
    using folder = new Folder();
    const file = join(folder.path, 'etc', 'rfo', 'token');
    const { found } = await waitingFor(file, () => {
      mkdirSync(join(folder.path, 'etc', 'rfo'), { recursive: true });
      writeFileSync(file, token);
    });
    assert.deepEqual(found, parsed);
  });

  it('is found after a while where no event tells of it', async () => {
    using folder = new Folder();
    const [real, file] = [join(folder.path, 'real'), join(folder.path, 'mount', 'token')];
    mkdirSync(real);
    mkdirSync(join(folder.path, 'mount'));
    // The folder that is watched is put aside: the events of the one that takes its place are not heard.
    const { found } = await waitingFor(
      file,
      () => {
        writeFileSync(join(real, 'token'), token);
        renameSync(join(folder.path, 'mount'), join(folder.path, 'gone'));
        renameSync(real, join(folder.path, 'mount'));
      },
      200,
    );
    assert.deepEqual(found, parsed);
  });

  it('is refused where it is no token or cannot be read, without a part of it in the error', async () => {
    using folder = new Folder();
    const file = join(folder.path, 'token');
    writeFileSync(file, 'K10abc::node:the-secret');
    const waiting = (at: string) => waitForToken({ config: { 'token-file': at }, signal: never, log: silentLog });
    await assert.rejects(waiting(file), (error: Error) => {
      assert.match(error.message, /token-file .* is not a token/);
      assert.doesNotMatch(error.message, /the-secret/);
      return true;
    });
    await assert.rejects(waiting(folder.path), { code: 'token-unreadable', message: /EISDIR/ });
  });

  it('is no longer waited for after the end', async () => {
    using folder = new Folder();
    const controller = new AbortController();
    const log = { ...silentLog, info: () => controller.abort(new Error('over')) };
    const waiting = waitForToken({ config: { 'token-file': join(folder.path, 'token') }, signal: controller.signal, log });
    await assert.rejects(waiting, { message: 'over' });
  });
});
