/** One host of the seed server: who may have its user data, and until when. */
import { readFile } from 'node:fs/promises';
import { BlockList, isIPv6 } from 'node:net';
import { join } from 'node:path';
import { readFileIfExists, systemCode, writeFileAtomic } from '@rfo/foundation';
import * as z from 'zod/mini';
import { macOf } from './seed-names.ts';

/** `access.json` in the folder of a host: written by `rfo ca join-config`, or by hand. Without it nothing is bound but by the first who comes. */
const accessSchema = z.strictObject({
  /** Addresses or CIDRs that may ask. */
  addresses: z.optional(z.array(z.string())),
  /** After this time nobody gets the secret any more; ISO 8601. */
  until: z.optional(z.iso.datetime()),
});
export type SeedAccess = z.output<typeof accessSchema>;

/** `state.json` beside it: what has happened. */
const stateSchema = z.object({ holder: z.string(), since: z.string(), joined: z.optional(z.string()) });
export type SeedState = z.output<typeof stateSchema>;

export type SeedVerdict = 'give' | 'joined' | 'wrong-address' | 'wrong-mac' | 'held-by-another' | 'too-late';

/**
 * Whether an address may have the secret of a host. The first that is given it holds it from then on: cloud-init asks more than once, and so does a
 * host that loses power before it has joined. Once it has joined nobody is given it again.
 * @param asked `mac`: of the asking neighbour, undefined where it is none; `now` in milliseconds since 1970
 */
export function judgeSeed(
  host: { readonly id: string; readonly access: SeedAccess; readonly state: SeedState | undefined },
  asked: { readonly address: string; readonly mac: string | undefined; readonly now: number },
): SeedVerdict {
  const { id, access, state } = host;
  const { address, mac, now } = asked;
  if (access.addresses !== undefined && !includes(access.addresses, address)) return 'wrong-address';
  if (macOf(id) !== undefined && mac !== undefined && mac !== id) return 'wrong-mac';
  if (state !== undefined && state.holder !== address) return 'held-by-another';
  if (state?.joined !== undefined) return 'joined';
  return access.until !== undefined && now > Date.parse(access.until) ? 'too-late' : 'give';
}

/** @throws the errors of zod and of JSON for a file that is not as it must be: then nothing is given to anybody */
export async function readSeedHost(
  folder: string,
): Promise<{ readonly access: SeedAccess; readonly state: SeedState | undefined } | undefined> {
  const [access, state] = await Promise.all(['access.json', 'state.json'].map((name) => readFileIfExists(join(folder, name))));
  if (access === undefined && state === undefined && (await missing(folder))) return undefined;
  return {
    access: access === undefined ? {} : z.parse(accessSchema, JSON.parse(access)),
    state: state === undefined ? undefined : z.parse(stateSchema, JSON.parse(state)),
  };
}

export async function writeSeedState(folder: string, state: SeedState): Promise<void> {
  await writeFileAtomic(join(folder, 'state.json'), `${JSON.stringify(state)}\n`, 0o600);
}

async function missing(folder: string): Promise<boolean> {
  try {
    await readFile(join(folder, 'meta-data'));
    return false;
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return true;
    throw error;
  }
}

function includes(ranges: readonly string[], address: string): boolean {
  const list = new BlockList();
  for (const range of ranges) {
    const [base = '', prefix] = range.split('/');
    const family = isIPv6(base) ? 'ipv6' : 'ipv4';
    list.addSubnet(base, prefix === undefined ? (family === 'ipv6' ? 128 : 32) : Number(prefix), family);
  }
  return list.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
}
