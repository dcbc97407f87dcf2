/** A light host: its own network, mounts, processes, names and cgroups on top of this machine's files; up in a tenth of a second. */
import { join } from 'node:path';
import { diskFolders, diskName, renderBootScript } from './boot-script.ts';
import type { HostPlace } from './cgroups.ts';
import { portsOf } from './faults.ts';
import type { Machine } from './host.ts';
import { startHost } from './power.ts';

export type LightInputs = {
  readonly labId: string;
  readonly name: string;
  readonly dir: string;
  readonly switchNamespace: string;
  readonly places: readonly HostPlace[];
  readonly outside: readonly string[];
  /** Folders of this machine that it sees. */
  readonly shared: readonly string[];
};

const namespaces = ['--mount', '--uts', '--ipc', '--pid', '--net', '--cgroup', '--fork', '--kill-child=KILL'];

export function lightMachine(inputs: LightInputs): Machine {
  const { labId, name, dir, switchNamespace, places, outside, shared } = inputs;
  return {
    disks: ['upper', 'work', ...diskFolders.map((path) => join('disk', diskName(path)))],
    members: places.map(({ hierarchy, path }) => join(path, hierarchy.unified ? 'init' : '', 'cgroup.procs')),
    install: async () => undefined,
    powerOn: (identity) => {
      const port = portsOf(name).port;
      const script = renderBootScript({ ...identity, name, dir, switchNamespace, port, hierarchies: places, shared });
      return startHost({ labId, name, places, outside, namespaces, script, logFile: join(dir, 'logs', 'boot.log') });
    },
  };
}
