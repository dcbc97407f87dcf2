/** Kernel modules that nothing loads by itself when it is first used. */
import { access } from 'node:fs/promises';
import { readFileIfExists, systemCode } from '@rfo/foundation';
import { execute } from './execute.ts';

export type Module = { readonly name: string; readonly why: string; readonly present: () => Promise<boolean> };

export const nodeModules: readonly Module[] = [
  { name: 'overlay', why: 'the filesystems of containers', present: async () => (await filesystems()).includes('overlay') },
  { name: 'br_netfilter', why: 'Services between pods of one node', present: () => exists('/proc/sys/net/bridge/bridge-nf-call-iptables') },
  { name: 'nf_conntrack', why: 'Services', present: () => exists('/proc/sys/net/netfilter/nf_conntrack_max') },
];

/**
 * Loads the modules that are neither built in nor loaded yet.
 * @returns those that are still missing, each with the reason
 */
export async function loadModules(modules: readonly Module[] = nodeModules): Promise<{ name: string; why: string; problem: string }[]> {
  const missing = await absent(modules);
  if (missing.length === 0) return [];
  const loaded = await Promise.all(missing.map(async (module) => ({ module, run: await execute('modprobe', [module.name]) })));
  const still = await absent(missing);
  return still.map(({ name, why }) => ({ name, why, problem: loaded.find(({ module }) => module.name === name)?.run.stderr ?? '' }));
}

async function absent(modules: readonly Module[]): Promise<Module[]> {
  const states = await Promise.all(modules.map((module) => module.present()));
  return modules.filter((_, at) => states[at] === false);
}

async function filesystems(): Promise<string[]> {
  const text = (await readFileIfExists('/proc/filesystems')) ?? '';
  return text.split('\n').map((line) => line.split('\t')[1] ?? '');
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false;
    throw error;
  }
}
