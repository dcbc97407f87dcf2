/**
 * A program that issues until it is killed or the disk is full: `node filler.testing.ts FILE FIRST [BALLAST]`. Prints each serial number when it is
 * acknowledged. With BALLAST, a file, it makes room by removing it once the disk is full, goes on a little, and prints what it met as its last line.
 */
import { rmSync, writeSync } from 'node:fs';
import { createLog, RfoError, systemClock } from '@rfo/foundation';
import { openStore } from './open-store.ts';
import { record } from './store.testing.ts';

const [file = '', first = '', ballast] = process.argv.slice(2);
const log = createLog({ write: (line) => writeSync(2, line) });
const { store, audit, close } = await openStore({ file, clock: systemClock, log, server: true });
let next = Number(first);

async function issue(): Promise<void> {
  const serial = String(next++);
  await store.insert(record(serial), audit.within({ act: 'sign', serial, result: 'done' }));
  writeSync(1, `${serial}\n`);
}

/** One batch; gives the serial numbers of those that were refused, with the codes. */
async function burst(): Promise<{ refused: number[]; codes: string[] }> {
  const from = next;
  const ended = await Promise.allSettled(Array.from({ length: 20 }, issue));
  const refused = ended.flatMap(({ status }, index) => (status === 'rejected' ? [from + index] : []));
  const codes = ended.flatMap((one) =>
    one.status === 'rejected' ? [one.reason instanceof RfoError ? one.reason.code : String(one.reason)] : [],
  );
  return { refused, codes };
}

if (ballast === undefined) {
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      for (;;) await issue();
    }),
  );
} else {
  let failed = await burst();
  while (failed.refused.length === 0) failed = await burst();
  const still = failed.refused.filter((serial) => store.find(record(serial)));
  rmSync(ballast);
  const after = await burst();
  const known = store.list({}).length;
  await close();
  writeSync(1, `${JSON.stringify({ ...failed, still, after: after.codes, known })}\n`);
}
