/** A configuration of Ignition, for Fedora CoreOS, Flatcar and openSUSE MicroOS. Pure. */
import type { HostPlan } from './types.ts';

/** Specification 3.3.0, https://coreos.github.io/ignition/configuration-v3_3/: what all releases since 2021 read. Modes are decimal there. */
export function renderIgnition({ files, units }: HostPlan): string {
  const config = {
    ignition: { version: '3.3.0' },
    storage: {
      files: files.map(({ path, mode, content }) => ({
        path,
        mode: Number.parseInt(mode, 8),
        overwrite: true,
        contents: { source: `data:;base64,${Buffer.from(content).toString('base64')}` },
      })),
    },
    systemd: { units: units.map(({ name, content, enabled }) => ({ name, contents: content, ...(enabled && { enabled }) })) },
  };
  return `${JSON.stringify(config, undefined, 2)}\n`;
}
