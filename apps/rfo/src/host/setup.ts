/** Makes the host fit for pods before any component starts: modules, kernel settings, the name servers that pods are given. */
import { join } from 'node:path';
import { fail, type Log } from '@rfo/foundation';
import type { Paths } from '../paths.ts';
import { loadModules } from './kernel-modules.ts';
import { applySettings, differingSettings, nodeSettings, readSetting } from './kernel-settings.ts';
import { prepareResolvConf } from './resolv-conf.ts';

export type SetupOptions = {
  readonly paths: Paths;
  readonly nodeIp: string;
  readonly protectKernelDefaults: boolean;
  readonly resolvConf: string | undefined;
  readonly log: Log;
};

/** File of this run that remembers the kernel settings as they were. */
export function settingsMemory(paths: Paths): string {
  return join(paths.run, 'kernel-settings.json');
}

/**
 * @returns the path of the resolv.conf for pods
 * @throws kernel-defaults, sysctl-refused, resolv-conf-missing
 */
export async function prepareHost(options: SetupOptions): Promise<{ resolvConf: string }> {
  const { paths, log } = options;
  const resolvConf = prepareResolvConf(options);
  const missing = await loadModules();
  for (const { name, why, problem } of missing) log.warn(`kernel module ${name} is missing, needed for ${why}`, { problem });
  const settings = nodeSettings();
  if (options.protectKernelDefaults) await checkKernelDefaults();
  const absent = new Set(missing.map(({ name }) => name));
  const possible = settings.filter(({ key }) => !(absent.has('br_netfilter') && key.startsWith('net.bridge.')));
  const written = await applySettings(
    possible.filter(({ owner }) => owner === 'rfo' || !options.protectKernelDefaults),
    settingsMemory(paths),
  );
  if (written.length > 0) log.info('kernel settings written', { keys: written.join(',') });
  await hintInotify(log);
  return { resolvConf: await resolvConf };
}

/** With protect-kernel-defaults kubelet ends itself over a differing setting: said here first, all of them at once. */
async function checkKernelDefaults(): Promise<void> {
  const differing = await differingSettings(nodeSettings().filter(({ owner }) => owner === 'kubelet'));
  if (differing.length === 0) return;
  throw fail('kernel-defaults', {
    found: differing.map(({ key, now, value }) => `${key} is ${now ?? 'absent'} instead of ${value}`).join(', '),
  });
}

/** The kernel's default of 128 inotify instances a user is used up by a handful of pods that watch files; it is the administrator's to raise. */
async function hintInotify(log: Log): Promise<void> {
  const instances = Number(await readSetting('fs.inotify.max_user_instances'));
  if (instances < 512)
    log.info(`fs.inotify.max_user_instances is ${instances}: pods that watch files may meet "too many open files"; 8192 is usual`);
}
