/** How the password of a node is kept: `$1:<salt hex>:<log2 N>:<r>:<p>:<64 bytes in base64>`, the form of K3s, by scrypt. */

import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { fail } from '@rfo/foundation';
import { createLimit } from '@rfo/http';

/** N = 2^15: 32 MiB and some 70 ms of a processor for each guess. */
const forChosen = { logN: 15, r: 8, p: 1 };
/**
 * N = 2^8, less than a millisecond. Every rfo makes its node's password of 16 random bytes, which no amount of guessing finds however fast it
 * is; work put on top would only hold up the nodes of a large cluster that join all at once.
 */
const forRandom = { logN: 8, r: 8, p: 1 };
const randomPassword = /^[0-9a-f]{32}$/;

/** Two at once: the threads are those of the file system as well, and the memory is the server's. */
const limit = createLimit({ inFlight: 2, waiting: 1000, patience: 30_000 });

/** Throws server-overloaded, or the signal's reason. */
export async function hashPassword(password: string, signal: AbortSignal): Promise<string> {
  const salt = randomBytes(16);
  const costs = randomPassword.test(password) ? forRandom : forChosen;
  const key = await limit(() => derive(password, { salt, ...costs }), signal);
  return `$1:${salt.toString('hex')}:${costs.logN}:${costs.r}:${costs.p}:${key.toString('base64')}`;
}

/** Throws internal when the hash has another form or asks for too much work, server-overloaded, or the signal's reason. */
export async function matchesHash(password: string, hash: string, signal: AbortSignal): Promise<boolean> {
  const [, salt = '', logN, r, p, expected = ''] = /^\$1:([0-9a-f]{2,}):(\d+):(\d+):(\d+):([A-Za-z0-9+/]{86}==)$/.exec(hash) ?? [];
  const costs = { logN: Number(logN), r: Number(r), p: Number(p) };
  if (!(costs.logN >= 1 && costs.logN <= 17 && costs.r >= 1 && costs.r <= 8 && costs.p >= 1 && costs.p <= 4))
    throw fail('internal', { what: 'the hash of a node password has a form that is not known' });
  const key = await limit(() => derive(password, { salt: Buffer.from(salt, 'hex'), ...costs }), signal);
  return timingSafeEqual(key, Buffer.from(expected, 'base64'));
}

function derive(password: string, input: { salt: Buffer; logN: number; r: number; p: number }): Promise<Buffer> {
  const { salt, logN, r, p } = input;
  const cost = 2 ** logN;
  return new Promise((resolve, reject) => {
    scrypt(password, salt, 64, { cost, blockSize: r, parallelization: p, maxmem: 256 * cost * r }, (error, key) => {
      if (error === null) resolve(key);
      else reject(error);
    });
  });
}
