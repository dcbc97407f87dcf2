/** The kernel settings a node needs: as data, compared and written here, remembered so that cleaning up can put the old values back. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fail, readFileIfExists, systemCode, writeFileAtomic } from '@rfo/foundation';
import type { NodeConfig } from '@rfo/schema';

export type Setting = {
  /** As sysctl(8) writes it, dots for slashes. */
  readonly key: string;
  readonly value: string;
  /** `kubelet`: what kubelet writes by itself, unless it is told to protect the kernel's defaults. */
  readonly owner: 'rfo' | 'kubelet';
};
/** Old and new value of each changed setting, in the file of this run. */
export type Remembered = Readonly<Record<string, { readonly old: string; readonly set: string }>>;

/** The settings of a node. None of IPv6, as pods have none: forwarding it would turn off router advertisements on the host. */
export function nodeSettings(): Setting[] {
  const own = (key: string, value: string): Setting => ({ key, value, owner: 'rfo' });
  const kubelet = (key: string, value: string): Setting => ({ key, value, owner: 'kubelet' });
  return [
    own('net.ipv4.ip_forward', '1'),
    own('net.ipv4.conf.all.forwarding', '1'),
    own('net.ipv4.conf.default.forwarding', '1'),
    own('net.bridge.bridge-nf-call-iptables', '1'),
    kubelet('vm.overcommit_memory', '1'),
    kubelet('vm.panic_on_oom', '0'),
    kubelet('kernel.panic', '10'),
    kubelet('kernel.panic_on_oops', '1'),
    kubelet('kernel.keys.root_maxkeys', '1000000'),
    kubelet('kernel.keys.root_maxbytes', '25000000'),
  ];
}

/** Whether kubelet's settings must be there already, instead of being written. */
export function protectsKernelDefaults(config: Pick<NodeConfig, 'protect-kernel-defaults' | 'profile'>): boolean {
  return config['protect-kernel-defaults'] || config.profile === 'cis';
}

/** The settings that are not as wanted, with their present values; undefined where the kernel has no such setting. */
export async function differingSettings(settings: readonly Setting[]): Promise<(Setting & { readonly now: string | undefined })[]> {
  const read = await Promise.all(settings.map(async (setting) => ({ ...setting, now: await readSetting(setting.key) })));
  return read.filter((setting) => setting.now !== setting.value);
}

/**
 * Writes what differs and remembers what was there before.
 * @param memory file of this run that keeps the old values; values kept there from an earlier start are not overwritten
 * @returns the keys written
 * @throws sysctl-refused
 */
export async function applySettings(settings: readonly Setting[], memory: string): Promise<string[]> {
  const differing = await differingSettings(settings);
  if (differing.length === 0) return [];
  const before = await readRemembered(memory);
  const added = Object.fromEntries(
    differing
      .filter(({ key, now }) => now !== undefined && before[key] === undefined)
      .map(({ key, now, value }) => [key, { old: now, set: value }]),
  );
  await writeFileAtomic(memory, `${JSON.stringify({ ...added, ...before })}\n`, 0o600);
  for (const { key, value } of differing) await writeSetting(key, value);
  return differing.map(({ key }) => key);
}

/** Puts back the remembered values where nobody has changed ours since, newest first. Tells what could not be put back. */
export async function restoreSettings(memory: string): Promise<string[]> {
  const left: string[] = [];
  for (const [key, { old, set }] of Object.entries(await readRemembered(memory)).reverse()) {
    if ((await readSetting(key)) !== set) continue;
    try {
      await writeSetting(key, old);
    } catch (error) {
      left.push(error instanceof Error ? error.message : String(error));
    }
  }
  return left;
}

/** Value of a setting with its blanks made single, or undefined where the kernel has none of that name. */
export async function readSetting(key: string): Promise<string | undefined> {
  const text = await readFileIfExists(settingPath(key));
  return text?.trim().replace(/\s+/g, ' ');
}

async function writeSetting(key: string, value: string): Promise<void> {
  try {
    await writeFile(settingPath(key), value, { flag: 'r+' });
  } catch (error) {
    const problem =
      systemCode(error) === 'ENOENT' ? 'this kernel has no such setting' : error instanceof Error ? error.message : String(error);
    throw fail('sysctl-refused', { key, value, problem }, error);
  }
}

async function readRemembered(memory: string): Promise<Remembered> {
  try {
    return JSON.parse(await readFile(memory, 'utf8')) as Remembered;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return {};
    throw error;
  }
}

function settingPath(key: string): string {
  return join('/proc/sys', ...key.split('.'));
}
