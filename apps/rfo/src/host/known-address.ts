/** What this node was known by when it ran last: an address that is gone now must not pass for one that never was. */
import { fail, readFileIfExists, writeFileIfChanged } from '@rfo/foundation';
import * as z from 'zod/mini';
import type { Paths } from '../paths.ts';
import type { KnownAddress } from './node-address.ts';

const file = z.object({ nodeIps: z.tuple([z.string()], z.string()), iface: z.string(), configured: z.boolean() });

/** Undefined on a host where no node has run. @throws data-unreadable */
export async function readKnownAddress({ nodeAddress }: Pick<Paths, 'nodeAddress'>): Promise<KnownAddress | undefined> {
  const text = await readFileIfExists(nodeAddress);
  if (text === undefined) return undefined;
  try {
    return z.parse(file, JSON.parse(text));
  } catch (error) {
    throw fail('data-unreadable', { file: nodeAddress }, error);
  }
}

/** Keeps what a start has found, for the next one. */
export async function keepAddress({ nodeAddress }: Pick<Paths, 'nodeAddress'>, known: KnownAddress): Promise<void> {
  const { nodeIps, iface, configured } = known;
  await writeFileIfChanged(nodeAddress, `${JSON.stringify({ nodeIps, iface, configured })}\n`, 0o600);
}
