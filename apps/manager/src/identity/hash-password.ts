/**
 * Passwords are kept as scrypt hashes (RFC 7914) with their parameters beside them, in the form `$scrypt$ln=15,r=8,p=3$salt$hash` of the PHC strings.
 * https://github.com/P-H-C/phc-string-format/blob/master/phc-sf-spec.md
 */
import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { fail } from '@rfo/foundation';
import { createLimit } from '@rfo/http';

/** `ln`: log2 of N. One hash takes 128·N·r bytes of memory, and time in proportion to N·r·p. */
export type Cost = { readonly ln: number; readonly r: number; readonly p: number };

export type PasswordHasher = {
  readonly hash: (password: string) => Promise<string>;
  /**
   * @param stored what `hash` gave; without it the answer is no, after as much work as with it
   * @returns `outdated`: the hash was made with other parameters than those in force
   */
  readonly verify: (password: string, stored: string | undefined) => Promise<{ readonly matches: boolean; readonly outdated: boolean }>;
};

/** 32 MiB and the work of three rounds: one of the settings that OWASP's cheat sheet for password storage calls equally strong. */
const defaultCost: Cost = { ln: 15, r: 8, p: 3 };

/** Hashes at once, so at most 64 MiB and half of Node's four threads, and those that wait for their turn: some ten seconds' worth. */
const [atOnce, waiting] = [2, 48];
const [saltLength, hashLength] = [16, 32];
const form = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]{22})\$([A-Za-z0-9+/]{43})$/;

/** Both functions throw sign-in-busy where too much waits already. */
export function createPasswordHasher(cost: Cost = defaultCost): PasswordHasher {
  const limited = createLimit({ inFlight: atOnce, waiting, refusal: () => fail('sign-in-busy', {}) });
  const derive = (password: string, salt: Buffer, by: Cost): Promise<Buffer> => limited(() => run(password, salt, by));
  /** What nobody's password leads to. */
  const nobody = { cost, salt: randomBytes(saltLength), hash: randomBytes(hashLength) };

  return {
    hash: async (password) => {
      const salt = randomBytes(saltLength);
      return format({ cost, salt, hash: await derive(password, salt, cost) });
    },
    verify: async (password, stored) => {
      const known = stored === undefined ? undefined : parse(stored);
      const expected = known ?? nobody;
      const actual = await derive(password, expected.salt, expected.cost);
      const same = timingSafeEqual(actual, expected.hash);
      return { matches: same && known !== undefined, outdated: formatCost(expected.cost) !== formatCost(cost) };
    },
  };
}

type Hashed = { readonly cost: Cost; readonly salt: Buffer; readonly hash: Buffer };

function run(password: string, salt: Buffer, { ln, r, p }: Cost): Promise<Buffer> {
  const N = 2 ** ln;
  // What OpenSSL counts, and a little more.
  const maxmem = 128 * r * (N + p + 4);
  return new Promise((resolve, reject) => {
    // The same text can be typed as different code points; NFKC makes them one.
    scrypt(password.normalize('NFKC'), salt, hashLength, { N, r, p, maxmem }, (error, key) => (error ? reject(error) : resolve(key)));
  });
}

function format({ cost, salt, hash }: Hashed): string {
  return `$scrypt$${formatCost(cost)}$${encode(salt)}$${encode(hash)}`;
}

function formatCost({ ln, r, p }: Cost): string {
  return `ln=${ln},r=${r},p=${p}`;
}

/** Undefined of what is no such hash, or would cost more than 256 MiB or sixteen times the work of today's: it was not written by us. */
function parse(text: string): Hashed | undefined {
  const [, ln, r, p, salt, hash] = form.exec(text) ?? [];
  if (salt === undefined || hash === undefined) return undefined;
  const cost = { ln: Number(ln), r: Number(r), p: Number(p) };
  const { ln: log, r: blocks, p: rounds } = cost;
  if (log < 1 || blocks < 1 || rounds < 1 || 128 * blocks * 2 ** log > 2 ** 28 || 2 ** log * blocks * rounds > work(defaultCost) * 16)
    return undefined;
  return { cost, salt: Buffer.from(salt, 'base64'), hash: Buffer.from(hash, 'base64') };
}

function work({ ln, r, p }: Cost): number {
  return 2 ** ln * r * p;
}

/** Base64 without padding, as the form wants it. */
function encode(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/, '');
}
