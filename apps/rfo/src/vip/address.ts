/** The virtual IP on this host's interface: set, prolonged, announced and removed. */
import { readFile, rm } from 'node:fs/promises';
import { fail, readFileIfExists, systemCode, writeFileIfChanged } from '@rfo/foundation';
import { type Executed, execute } from '../host/execute.ts';
import {
  foreignHolder,
  isSet,
  parseRecord,
  renderAnnouncement,
  renderDrop,
  renderHold,
  renderRecord,
  type VipAddress,
} from './render-address.ts';

/** What the contest for the address does with it. All throw `vip-not-set` when ip(8) refuses. */
export type AddressPort = {
  /** Why this host cannot carry the address now; undefined when it can. */
  readonly problem: () => Promise<string | undefined>;
  /** Sets it, or prolongs it: the kernel removes it after so many seconds. */
  readonly hold: (seconds: number) => Promise<void>;
  /** Tells the neighbours that it is here now. */
  readonly announce: () => Promise<void>;
  readonly drop: () => Promise<void>;
};

/** Milliseconds that ip(8), which takes 5, may take. */
const within = 2_000;

/** @param recordFile says what was set, for the next rfo and for the clean-up */
export function addressPort(address: VipAddress, recordFile: string): AddressPort {
  const must = (run: Executed): void => {
    if (!run.ok) throw fail('vip-not-set', { address: address.ip, iface: address.iface, problem: problemOf(run) });
  };
  return {
    problem: async () => ((await isUp(address.iface)) ? undefined : `the interface ${address.iface} is down`),
    hold: async (seconds) => {
      // First: what is set must be known to whoever cleans up.
      await writeFileIfChanged(recordFile, renderRecord(address), 0o600);
      must(await ip(renderHold(address, seconds)));
    },
    announce: async () => must(await ip(['-batch', '-'], renderAnnouncement(address))),
    drop: async () => {
      const problem = await remove(address);
      if (problem !== undefined) throw fail('vip-not-set', { address: address.ip, iface: address.iface, problem });
      await rm(recordFile, { force: true });
    },
  };
}

/**
 * Removes what the record tells of, and the record. For the clean-up of a host, and for an rfo that was started with other settings.
 * @returns what could not be removed, as sentences
 */
export async function removeRecordedAddress(recordFile: string): Promise<string[]> {
  const text = await readFileIfExists(recordFile);
  if (text === undefined) return [];
  const recorded = parseRecord(text);
  const problem = recorded === undefined ? undefined : await remove(recorded);
  if (problem !== undefined) return [`virtual IP ${recorded?.ip}: ${problem}`];
  await rm(recordFile, { force: true });
  return [];
}

/** The address that an earlier rfo set, or undefined. */
export async function recordedAddress(recordFile: string): Promise<VipAddress | undefined> {
  const text = await readFileIfExists(recordFile);
  return text === undefined ? undefined : parseRecord(text);
}

/**
 * @throws vip-is-host-address when the address is one that the host has by itself, vip-interface-missing
 */
export async function checkAddress({ ip: wanted, iface }: VipAddress): Promise<void> {
  const shown = await ip(['-j', '-4', 'address', 'show']);
  if (!shown.ok) throw fail('vip-not-set', { address: wanted, iface, problem: problemOf(shown) });
  const holder = foreignHolder(shown.stdout, wanted);
  if (holder !== undefined) throw fail('vip-is-host-address', { address: wanted, iface: holder });
  if ((await operationalState(iface)) === undefined) throw fail('vip-interface-missing', { iface });
}

function ip(args: readonly string[], input?: string): Promise<Executed> {
  return execute('ip', args, { timeout: within, ...(input !== undefined && { input }) });
}

/** Gives why not; what is gone already counts as removed. */
async function remove(address: VipAddress): Promise<string | undefined> {
  const run = await ip(renderDrop(address));
  if (run.ok) return undefined;
  // Kernels say in different words that there is no such address.
  const shown = await ip(['-j', '-4', 'address', 'show']);
  return shown.ok && !isSet(shown.stdout, address) ? undefined : problemOf(run);
}

/** As it stands within a sentence. */
function problemOf({ stderr }: Executed): string {
  return stderr.replace(/\.$/, '');
}

/** Some kinds of interface never say more than `unknown`. */
async function isUp(iface: string): Promise<boolean> {
  return ['up', 'unknown'].includes((await operationalState(iface)) ?? '');
}

async function operationalState(iface: string): Promise<string | undefined> {
  try {
    return (await readFile(`/sys/class/net/${iface}/operstate`, 'utf8')).trim();
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
