/** How fast this machine is at the moment: what a time says depends on it. */
import { scrypt } from 'node:crypto';

/** Milliseconds of `work` on the machine whose times docs/benchmarks.md gives, with a cluster beside it. */
const usual = 60;
/** Beyond that nothing is learned from a time any more. */
const most = 4;

/**
 * How many times slower this machine is now than the one that the figures were measured on, from 1 (as fast, or faster) to 4: it may be a
 * smaller one, or one whose processors others use, unseen, from outside of it. A bound that a figure sets is multiplied by it.
 */
export async function slowness(): Promise<number> {
  const times = [await work(), await work(), await work()].sort((one, other) => one - other);
  return Math.min(most, Math.max(1, (times[1] ?? usual) / usual));
}

/** Some 35 ms of a processor and 16 MiB of memory, whatever the machine has for cryptography. */
function work(): Promise<number> {
  const begin = performance.now();
  return new Promise((resolve, reject) => {
    scrypt('password', 'salt', 32, { N: 2 ** 14, r: 8, p: 1 }, (error) =>
      error === null ? resolve(performance.now() - begin) : reject(error),
    );
  });
}
