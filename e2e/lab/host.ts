/** A light host: its own network, mounts, processes, names and cgroups on top of this machine's files; made in a fraction of a second. */

import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fail } from '@rfo/foundation';
import { diskFolders, diskName, renderBootScript } from './boot-script.ts';
import { type Hierarchy, makeCgroup, removeCgroups } from './cgroups.ts';
import { joinCgroups, renderEnter } from './enter.ts';
import { childOf } from './process-facts.ts';
import { baseEnvironment, commandFailed, lastLines, must, type RunOptions, type RunResult, run } from './run.ts';
import { type Service, startService } from './service.ts';

export type Host = {
  readonly name: string;
  readonly ip: string;
  /** Its folder on this machine: `upper` holds what it changed of the root, `disk` its private folders, `logs` what its services said. */
  readonly dir: string;
  /** Process 1 of the host, by its number out here. */
  readonly init: () => number;
  /** Runs a command to its end; a code other than 0 is a result. `env` is added to a minimal environment. */
  readonly exec: (command: readonly string[], options?: RunOptions) => Promise<RunResult>;
  /** Like `exec`, but a code other than 0 throws; gives stdout. */
  readonly must: (command: readonly string[], options?: RunOptions) => Promise<string>;
  /** Starts a long-running command whose output goes to `logs/<name>.log`. */
  readonly spawn: (name: string, command: readonly string[], env?: Readonly<Record<string, string>>) => Promise<Service>;
  readonly readFile: (path: string) => Promise<string>;
  /** Makes missing folders; `mode` in octal text, such as `0600`. */
  readonly writeFile: (path: string, content: string | Uint8Array, mode?: string) => Promise<void>;
  /** Every process dies at once, memory file systems and network are gone, disks stay (what was written, synced or not). */
  readonly powerCut: () => Promise<void>;
  /** Power comes back. */
  readonly boot: () => Promise<void>;
  readonly linkDown: () => Promise<void>;
  readonly linkUp: () => Promise<void>;
  /** Power cut, and the disks go too. */
  readonly destroy: () => Promise<void>;
};

export type HostInputs = {
  readonly labId: string;
  readonly name: string;
  readonly ip: string;
  readonly prefix: number;
  readonly gateway: string;
  readonly dir: string;
  readonly switchNamespace: string;
  /** Our directory in each hierarchy, not made yet. */
  readonly cgroups: readonly { readonly hierarchy: Hierarchy; readonly path: string }[];
  /** Where processes that belong to the lab but to no host go, in v2 hierarchies. */
  readonly outside: readonly string[];
  readonly shared: readonly string[];
};

export async function makeHost(inputs: HostInputs): Promise<Host> {
  const { name, ip, dir, cgroups } = inputs;
  const port = `v-${name}`;
  const disks = diskFolders.map((path) => join('disk', diskName(path)));
  for (const folder of ['root', 'upper', 'work', 'logs', ...disks]) await mkdir(join(dir, folder), { recursive: true });
  const members = cgroups.map(({ hierarchy, path }) => join(path, hierarchy.unified ? 'init' : '', 'cgroup.procs'));
  let power: Power | undefined;
  const init = (): number => {
    if (power === undefined) throw fail('internal', { what: `host ${name} is switched off` });
    return power.init;
  };
  const environment = (env: Readonly<Record<string, string>> = {}): Record<string, string> => ({
    ...baseEnvironment(),
    RFO_LAB_ID: inputs.labId,
    ...env,
  });
  const inside = (command: readonly string[]): readonly string[] => renderEnter({ init: init(), cgroups: members }, command);
  const exec = (command: readonly string[], options: RunOptions = {}): Promise<RunResult> =>
    run(inside(command), { ...options, env: environment(options.env) });
  const mustExec = async (command: readonly string[], options: RunOptions = {}): Promise<string> => {
    const result = await exec(command, options);
    if (result.code !== 0) throw commandFailed(command, result);
    return result.stdout;
  };
  const setLink = async (state: 'up' | 'down'): Promise<void> => {
    await must(['nsenter', `--net=${inputs.switchNamespace}`, 'ip', 'link', 'set', port, state]);
  };
  const powerCut = async (): Promise<void> => {
    const old = power;
    power = undefined;
    if (old !== undefined) {
      await old.off();
    }
    await removeCgroups(cgroups.map(({ path }) => path));
  };
  const boot = async (): Promise<void> => {
    if (power !== undefined) throw fail('internal', { what: `host ${name} is switched on already` });
    for (const { hierarchy, path } of cgroups) await makeCgroup(hierarchy, path);
    // The old cable's end may still be there: the kernel removes the network of a dead host when it has time.
    await run(['nsenter', `--net=${inputs.switchNamespace}`, 'ip', 'link', 'del', port]);
    power = await powerOn(inputs, port);
    await must(['nsenter', `--net=${inputs.switchNamespace}`, 'ip', 'link', 'set', port, 'master', 'lab0', 'up']);
  };
  await boot();
  return {
    name,
    ip,
    dir,
    init,
    exec,
    must: mustExec,
    spawn: (service, command, env) =>
      startService(inside(command), { env: environment(env), logFile: join(dir, 'logs', `${service}.log`) }),
    readFile: (path) => mustExec(['cat', path]),
    writeFile: async (path, content, mode = '0644') => {
      // By a program inside, so that links are followed as the host sees them.
      const script = 'mkdir -p "$(dirname "$1")"; cat > "$1"; chmod "$2" "$1"';
      await mustExec(['sh', '-ec', script, 'sh', path, mode], { input: content });
    },
    powerCut,
    boot,
    linkDown: () => setLink('down'),
    linkUp: () => setLink('up'),
    destroy: async () => {
      await powerCut();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** A running host: its process 1, and the order that kills it and waits for its end. */
type Power = { readonly init: number; readonly off: () => Promise<void> };

async function powerOn(inputs: HostInputs, port: string): Promise<Power> {
  const { dir, cgroups } = inputs;
  const script = renderBootScript({
    ...inputs,
    port,
    address: `${inputs.ip}/${inputs.prefix}`,
    machineId: createHash('md5').update(`${inputs.labId}/${inputs.name}`).digest('hex'),
    hierarchies: cgroups,
  });
  const namespaces = ['--mount', '--uts', '--ipc', '--pid', '--net', '--cgroup', '--fork', '--kill-child=KILL', '--propagation', 'private'];
  const enter = cgroups.map(({ path }) => join(path, 'cgroup.procs'));
  const [file = '', ...args] = joinCgroups(enter, ['unshare', ...namespaces, 'sh', '-ec', script]);
  const logFile = join(dir, 'logs', 'boot.log');
  const log = openSync(logFile, 'a');
  const child = spawn(file, args, {
    detached: true,
    env: { ...baseEnvironment(), RFO_LAB_ID: inputs.labId },
    stdio: ['ignore', log, log, 'pipe'],
  });
  closeSync(log);
  const over = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  await once(child, 'spawn');
  const ready = child.stdio[3];
  if (!ready || !('readable' in ready)) throw fail('internal', { what: 'no pipe to the boot script' });
  // Not until its end: unshare holds the pipe open as well.
  const said = await Promise.race([once(ready, 'data').then(([chunk]) => String(chunk)), over.then(() => '')]);
  ready.destroy();
  const init = await childOf(child.pid ?? 0);
  if (said.trim() !== 'ready' || init === undefined) {
    await over;
    const output = `:\n${lastLines(await readFile(logFile, 'utf8'), 20)}`;
    throw fail('process-failed', { name: `the boot of host ${inputs.name}`, status: 'an error', output, log: logFile });
  }
  // The test may end while the host runs: the keeper removes it then.
  child.unref();
  for (const path of inputs.outside) await must(['sh', '-c', `echo ${child.pid} > ${path}`]);
  return {
    init,
    off: async () => {
      child.ref();
      process.kill(init, 'SIGKILL');
      await over;
    },
  };
}
