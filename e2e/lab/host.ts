/** A host of a lab, light or full: what can be done in it and to it. */

import { createHash } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fail } from '@rfo/foundation';
import type { BootInputs } from './boot-script.ts';
import { type HostPlace, makeCgroup, removeCgroups } from './cgroups.ts';
import { renderEnter } from './enter.ts';
import { portsOf, renderInboundBlock } from './faults.ts';
import { setFrozen } from './freeze.ts';
import { findInit, isInit, type Starter } from './power.ts';
import { baseEnvironment, commandFailed, must, type RunOptions, type RunResult, run } from './run.ts';
import { type Service, startService } from './service.ts';
import type { HostState } from './state.ts';
import { GATEWAY, PREFIX, type Switch } from './switch.ts';

export type Host = {
  readonly name: string;
  readonly kind: HostState['kind'];
  /** Its address at this moment. */
  readonly ip: string;
  /** Its folder on this machine: `upper` holds what it changed of the root, `disk` its private folders, `logs` what its services said. */
  readonly dir: string;
  /** Process 1 of the host, by its number out here. Throws when it is switched off. */
  readonly init: () => number;
  /** The same, undefined when it is switched off. */
  readonly findInit: () => number | undefined;
  /** Runs a command to its end; a code other than 0 is a result. `env` is added to a minimal environment. */
  readonly exec: (command: readonly string[], options?: RunOptions) => Promise<RunResult>;
  /** Like `exec`, but a code other than 0 throws; gives stdout. */
  readonly must: (command: readonly string[], options?: RunOptions) => Promise<string>;
  /** The command line that runs a command inside, for whoever starts it himself. */
  readonly inside: (command: readonly string[]) => readonly string[];
  /** Starts a long-running command whose output goes to `logs/<name>.log`. */
  readonly spawn: (name: string, command: readonly string[], env?: Readonly<Record<string, string>>) => Promise<Service>;
  readonly readFile: (path: string) => Promise<string>;
  /** Makes missing folders; `mode` in octal text, such as `0600`. */
  readonly writeFile: (path: string, content: string | Uint8Array, mode?: string) => Promise<void>;
  /** Every process dies at once, memory file systems and network are gone, disks stay (what was written, synced or not). */
  readonly powerCut: () => Promise<void>;
  /** Power comes back. A full host still has to start its units then: see `untilBooted`. */
  readonly boot: () => Promise<void>;
  /** Power cut, empty disks, power: the machine was installed anew under the same name and address. */
  readonly wipe: () => Promise<void>;
  readonly linkDown: () => Promise<void>;
  readonly linkUp: () => Promise<void>;
  /** The machine hangs: no process runs, but its kernel still acknowledges what the network brings. */
  readonly freeze: () => Promise<void>;
  readonly thaw: () => Promise<void>;
  /** Gives eth0 this address in the place of the old one while everything runs; /etc/hosts follows. */
  readonly changeAddress: (ip: string) => Promise<void>;
  /** Nobody outside can open a TCP connection to these ports of the host itself; open ones stay. In the place of an earlier order. */
  readonly blockInbound: (ports: readonly number[] | 'all') => Promise<void>;
  /** Undoes freeze, linkDown and blockInbound. */
  readonly heal: () => Promise<void>;
  /** Power cut, and the disks go too. */
  readonly destroy: () => Promise<void>;
};

/** What makes one kind of host. */
export type Machine = {
  /** Below the host's folder: what `wipe` empties. */
  readonly disks: readonly string[];
  /** `cgroup.procs` files that a command enters before it enters the namespaces. */
  readonly members: readonly string[];
  /** Before the first boot with empty disks. */
  readonly install: () => Promise<void>;
  readonly powerOn: (identity: BootIdentity) => Promise<Starter>;
};
export type BootIdentity = Pick<BootInputs, 'address' | 'gateway' | 'mac' | 'machineId'>;

export type HostInputs = {
  readonly labId: string;
  readonly state: HostState;
  readonly dir: string;
  readonly at: Switch;
  /** Our directory in each hierarchy, not made yet. */
  readonly places: readonly HostPlace[];
  readonly machine: Machine;
  /** The other end of the cable. */
  readonly cable: { readonly plug: (namespace: string) => Promise<void>; readonly unplug: (namespace: string) => Promise<void> };
  /** Notes what changed of the host; undefined when it is gone. Throws where an address cannot be had. */
  readonly save: (state: HostState | undefined) => Promise<void>;
};

/** Makes a host with empty disks and switches it on. */
export async function makeHost(inputs: HostInputs): Promise<Host> {
  const host = assembleHost(inputs);
  await makeDisks(inputs);
  await host.boot();
  return host;
}

/** A host that another process made: running or switched off. */
export function assembleHost(inputs: HostInputs): Host {
  const { labId, dir, at, places, machine, cable, save } = inputs;
  const { name, kind } = inputs.state;
  const { port } = portsOf(name);
  let { state } = inputs;
  let starter: Starter | undefined;
  let known = findInit(places);
  let blocked: readonly number[] | 'all' | 'none' = 'none';
  /** A full host that reboots by itself gets a new one. */
  const findPower = (): number | undefined => {
    if (known === undefined || !isInit(known)) known = findInit(places);
    return known;
  };
  const init = (): number => {
    const pid = findPower();
    if (pid === undefined) throw fail('internal', { what: `host ${name} is switched off` });
    return pid;
  };
  const namespace = (): string => `/proc/${init()}/ns/net`;
  const change = async (next: HostState): Promise<void> => {
    await save(next);
    state = next;
  };
  const environment = (env: Readonly<Record<string, string>> = {}): Record<string, string> => ({
    ...baseEnvironment(),
    RFO_LAB_ID: labId,
    ...env,
  });
  const inside = (command: readonly string[]): readonly string[] => renderEnter({ init: init(), cgroups: machine.members }, command);
  const exec = (command: readonly string[], options: RunOptions = {}): Promise<RunResult> =>
    run(inside(command), { ...options, env: environment(options.env) });
  const mustExec = async (command: readonly string[], options: RunOptions = {}): Promise<string> => {
    const result = await exec(command, options);
    if (result.code !== 0) throw commandFailed(command, result);
    return result.stdout;
  };
  /** The programs of this machine in the host's network: they are there whatever the host has installed. */
  const inNetwork = (command: readonly string[], input?: string): Promise<string> =>
    must(['nsenter', `--net=${namespace()}`, ...command], input === undefined ? {} : { input });
  const setLink = async (to: 'up' | 'down'): Promise<void> => void (await at.must(['ip', 'link', 'set', port, to]));
  const setBlocked = async (ports: typeof blocked): Promise<void> => {
    await inNetwork(['nft', '-f', '-'], renderInboundBlock(ports));
    blocked = ports;
  };
  const powerCut = async (): Promise<void> => {
    const pid = findPower();
    if (pid !== undefined) {
      await cable.unplug(namespace());
      starter?.ref();
      // All others of its process namespace die with it at once.
      process.kill(pid, 'SIGKILL');
    }
    await removeCgroups(places.map(({ path }) => path));
    await starter?.over;
    starter = undefined;
    known = undefined;
  };
  const boot = async (): Promise<void> => {
    if (findPower() !== undefined) throw fail('internal', { what: `host ${name} is switched on already` });
    for (const { hierarchy, path } of places) await makeCgroup(hierarchy, path);
    // The old cable's end may still be there: the kernel removes the network of a dead host when it has time.
    await run(at.render(['ip', 'link', 'del', port]));
    starter = await machine.powerOn(identityOf(labId, state));
    await cable.plug(namespace());
    if (blocked !== 'none') await setBlocked(blocked);
  };

  return {
    name,
    kind,
    dir,
    get ip() {
      return state.ip;
    },
    init,
    findInit: findPower,
    inside,
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
    wipe: async () => {
      await powerCut();
      await Promise.all(machine.disks.map((disk) => rm(join(dir, disk), { recursive: true, force: true })));
      await change({ ...state, generation: state.generation + 1 });
      await makeDisks(inputs);
      await boot();
    },
    linkDown: () => setLink('down'),
    linkUp: () => setLink('up'),
    freeze: () => setFrozen(places, true),
    thaw: () => setFrozen(places, false),
    changeAddress: async (ip) => {
      const before = state.ip;
      await change({ ...state, ip });
      // The old one first: it would take a second one in the same network with it.
      await inNetwork(['ip', 'addr', 'del', `${before}/${PREFIX}`, 'dev', 'eth0']);
      await inNetwork(['ip', 'addr', 'add', `${ip}/${PREFIX}`, 'dev', 'eth0']);
      await inNetwork(['ip', 'route', 'replace', 'default', 'via', GATEWAY]);
      await mustExec(['sh', '-ec', 'sed -i "s/^$1 /$2 /" /etc/hosts', 'sh', before, ip]);
    },
    blockInbound: setBlocked,
    heal: async () => {
      const wasBlocked = blocked !== 'none';
      blocked = 'none';
      // A host that is off has none of these, and gets its cable when it is switched on.
      if (findPower() === undefined) return;
      await setFrozen(places, false);
      await setLink('up');
      if (wasBlocked) await setBlocked('none');
    },
    destroy: async () => {
      await powerCut();
      await rm(dir, { recursive: true, force: true });
      await save(undefined);
    },
  };
}

async function makeDisks({ dir, machine }: HostInputs): Promise<void> {
  for (const folder of ['root', 'logs', ...machine.disks]) await mkdir(join(dir, folder), { recursive: true });
  await machine.install();
}

/** An installation has an id of its own; a machine keeps the number of its network card. */
function identityOf(labId: string, { name, ip, generation }: HostState): BootIdentity {
  const hash = (text: string): string => createHash('md5').update(text).digest('hex');
  const digits = hash(`${labId}/${name}`).slice(0, 10).match(/../g) ?? [];
  return {
    address: `${ip}/${PREFIX}`,
    gateway: GATEWAY,
    // 02: given by nobody but us.
    mac: ['02', ...digits].join(':'),
    machineId: hash(`${labId}/${name}/${generation}`),
  };
}
