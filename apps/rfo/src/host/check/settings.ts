/** Kernel settings: what rfo sets itself, what it may not set, and what runs out. */
import { writeFileAtomic } from '@rfo/foundation';
import { execute } from '../execute.ts';
import { differingSettings, nodeSettings, protectsKernelDefaults, readSetting } from '../kernel-settings.ts';
import { type Check, type CheckInputs, type Finding, failed, ok, warn } from './finding.ts';

const settingsFile = '/etc/sysctl.d/90-rfo.conf';
const watchLimits = { 'fs.inotify.max_user_instances': 8192, 'fs.inotify.max_user_watches': 524_288 };

/** With protect-kernel-defaults the node refuses to start over a setting of kubelet's that differs. */
export const checkKernelDefaults: Check = async ({ config }: CheckInputs) => {
  if (!protectsKernelDefaults(config)) return [ok('kernel settings', 'written at the start where they differ')];
  const differing = await differingSettings(nodeSettings().filter(({ owner }) => owner === 'kubelet'));
  if (differing.length === 0) return [ok('kernel settings', 'as kubelet wants them')];
  const found = differing.map(({ key, now, value }) => `${key} is ${now ?? 'absent'} instead of ${value}`).join(', ');
  return [failed('kernel settings', found, `Write them to ${settingsFile}, then: sysctl --system`, fixSettings)];
};

export const checkWatchLimits: Check = async () => {
  const low: Finding[] = [];
  for (const [key, wanted] of Object.entries(watchLimits)) {
    const now = Number(await readSetting(key));
    if (now < wanted / 16)
      low.push(
        warn(
          'file watches',
          `${key} is ${now}; pods that watch files soon use that up`,
          `Set ${key}=${wanted} in ${settingsFile}`,
          fixSettings,
        ),
      );
  }
  return low.length > 0 ? low : [ok('file watches', 'enough for many pods')];
};

async function fixSettings(): Promise<string> {
  const limits = Object.entries(watchLimits).map(([key, value]) => `${key} = ${value}`);
  const kubelet = nodeSettings()
    .filter(({ owner }) => owner === 'kubelet')
    .map(({ key, value }) => `${key} = ${value}`);
  await writeFileAtomic(settingsFile, `# Made by rfo check --fix.\n${[...kubelet, ...limits].join('\n')}\n`, 0o644);
  const run = await execute('sysctl', ['-q', '-p', settingsFile]);
  return run.ok ? `written to ${settingsFile}` : `written to ${settingsFile}, but not all could be set: ${run.stderr}`;
}
