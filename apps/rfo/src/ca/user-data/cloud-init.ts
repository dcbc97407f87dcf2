/** User data of cloud-init, and the other documents of its NoCloud data source. Pure. */
import { createHash } from 'node:crypto';
import { stringify } from 'yaml';
import type { HostPlan } from './types.ts';

/** `#cloud-config`: the files, and the order to start the units. What is to be done stands in one script, not in `runcmd`, which goes on after a failure. */
export function renderCloudInit(plan: HostPlan): string {
  return `#cloud-config\n# ${plan.summary}\n${toYaml(cloudConfig(plan))}`;
}

/** The same as an object: the installer of Ubuntu carries it within its own document. */
export function cloudConfig({ files, units }: HostPlan): object {
  const enabled = units.filter((unit) => unit.enabled).map(({ name }) => name);
  return {
    write_files: [
      ...files.map(({ path, mode, content }) => ({ path, owner: 'root:root', permissions: mode, content })),
      ...units.map(({ name, content }) => ({ path: `/etc/systemd/system/${name}`, owner: 'root:root', permissions: '0644', content })),
    ],
    runcmd: [
      ['systemctl', 'daemon-reload'],
      ['systemctl', 'enable', '--now', ...enabled],
    ],
  };
}

/**
 * `meta-data` of NoCloud.
 * @param userData by a change of which cloud-init takes the machine for a new one
 */
export function renderMetaData(host: { readonly id: string; readonly nodeName: string | undefined; readonly userData: string }): string {
  const hash = createHash('sha256').update(host.userData).digest('hex').slice(0, 12);
  return stringify({ 'instance-id': `${host.id}-${hash}`, ...(host.nodeName !== undefined && { 'local-hostname': host.nodeName }) });
}

/** YAML in which scripts stay readable, and permissions stay texts. */
export function toYaml(value: unknown): string {
  return stringify(value, { lineWidth: 0, blockQuote: 'literal' });
}
