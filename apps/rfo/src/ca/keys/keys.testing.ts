/** For the tests of keys: folders of CAs that go when the test ends, and a clock that can be moved. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Clock, Life, silentLog } from '@rfo/foundation';
import { openStore } from '../store/open-store.ts';
import { type InitOptions, initFolder } from './init.ts';

export const day = 86_400_000;

/** Stands still unless it is moved. @param start milliseconds since 1970 */
function movableClock(start = Date.now()): Clock & { pass: (milliseconds: number) => void } {
  let now = start;
  return {
    now: () => now,
    pass: (milliseconds) => {
      now += milliseconds;
    },
  };
}

/** An empty place, and a CA in it where `init` is called. */
export function caPlace() {
  const life = new Life();
  const place = mkdtempSync(join(tmpdir(), 'rfo-ca-keys-'));
  life.defer(() => rmSync(place, { recursive: true, force: true }));
  const dir = join(place, 'ca');
  const clock = movableClock();
  const init = (more: Partial<InitOptions> = {}): Promise<void> =>
    initFolder({
      ...{ dir, intermediate: undefined, name: 'Test CA', organization: undefined, algorithm: 'P-256', lifetime: 3650 * day },
      ...{ host: '192.0.2.10', ocspPort: 8889, env: {}, clock, ...more },
    });
  const store = async () => {
    const opened = await openStore({ file: join(dir, 'certdb.db'), clock, log: silentLog });
    life.defer(() => opened.close());
    return opened;
  };
  return { place, dir, clock, life, init, store, [Symbol.asyncDispose]: () => life.end() };
}

/** What the `openssl` program says; its exit code as an error. */
export async function openssl(...args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)('openssl', [...args], { timeout: 30_000 });
  return stdout;
}
