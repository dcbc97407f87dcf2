/** A lab: a switch and the hosts on it, cut off from this machine and the world, gone without a trace at the end. */
import { readFile, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fail, type Life } from '@rfo/foundation';
import { ensureBaseImage } from './base-image.ts';
import { findHierarchies, makeCgroup, removeCgroups } from './cgroups.ts';
import { hostName, noFaults, type Slowness, withCut, withIsolated, withoutHost, withSlow } from './faults.ts';
import { type FullHost, fullMachine, makeKey, withSystemd } from './full-host.ts';
import { assembleHost, type Host, type HostInputs, makeHost } from './host.ts';
import { lightMachine } from './light-host.ts';
import { makeNetwork } from './network.ts';
import { identify, isAlive } from './process-facts.ts';
import { reapDeadLabs, reapLab } from './reap.ts';
import { sharedFolders } from './shared-folders.ts';
import { claimFolder, claimId, createStateStore, type HostState, labsFolder, readState, type StateStore } from './state.ts';
import { GATEWAY, type Keeper, startKeeper, switchOf } from './switch.ts';

export type Lab = {
  readonly id: string;
  readonly dir: string;
  /** The switch's own address: the hosts' gateway, to nowhere. */
  readonly gateway: string;
  /** @param ip inside 10.98.0.0/24; counted up from .11 by default */
  readonly addHost: (options: HostOptions) => Promise<Host>;
  /** With systemd and sshd; the first one of a machine makes the base image (see `ensureBaseImage`). Not booted to the end: `untilBooted`. */
  readonly addFullHost: (options: FullHostOptions) => Promise<FullHost>;
  readonly hosts: () => readonly Host[];
  /** Nothing gets through between two hosts; with `oneWay` only from the first to the second. Others still reach both. */
  readonly cut: (from: Host, to: Host, options?: { readonly oneWay?: boolean }) => Promise<void>;
  /** Nothing gets through between a host and any other. */
  readonly isolate: (host: Host) => Promise<void>;
  /** All that a host sends and gets takes longer or is lost; in the place of an earlier order. Settings that are all 0 undo it. */
  readonly slow: (host: Host, slowness: Slowness) => Promise<void>;
  /** Undoes all faults: those above, and what `Host.heal` undoes. */
  readonly heal: () => Promise<void>;
  /** Leaves everything running when the test ends; says how to come back. */
  readonly keep: () => Promise<string>;
  readonly destroy: () => Promise<void>;
  /** What `assertClean` looks for afterwards. */
  readonly trace: LabTrace;
};
export type HostOptions = { readonly name: string; readonly ip?: string };
export type FullHostOptions = HostOptions & {
  /** Words of the kernel's command line, such as where cloud-init finds its seed (`cloud-init=enabled ds=nocloud-net;s=…`): without it that stays off. */
  readonly commandLine?: readonly string[];
};
export type LabTrace = { readonly id: string; readonly dir: string; readonly cgroups: readonly string[] };

export const repository = resolve(dirname(new URL(import.meta.url).pathname), '../..');

/**
 * Makes an empty lab that ends with `life`. Needs root. Leftovers of labs whose test died are removed first.
 * @param id exactly this name, for a lab that somebody wants to find again; else one that begins with `name` and is nobody else's
 */
export async function createLab(options: { readonly name: string; readonly life: Life; readonly id?: string }): Promise<Lab> {
  if (process.getuid?.() !== 0) throw fail('not-root', { what: 'a lab of network namespaces' });
  await reapDeadLabs();
  const { id, dir } = await claim(options);
  const hierarchies = await findHierarchies();
  const cgroups = hierarchies.map((hierarchy) => join(hierarchy.base, `rfo-lab-${id}`));
  const owner = await identify(process.pid);
  if (owner === undefined) throw fail('internal', { what: '/proc does not show this process' });
  const empty = { hosts: [], nextAddress: 11, faults: noFaults, wires: {} };
  const store = createStateStore({ id, dir, owner, cgroups, kept: false, ...empty });
  // At once, so that nothing is made that a reaper would not find.
  await store.update((state) => state);
  const keeper = await startKeeper(dir, id);
  const identity = await identify(keeper.pid);
  if (identity === undefined) throw fail('internal', { what: 'the keeper of the lab is gone' });
  await store.update((state) => ({ ...state, keeper: identity }));
  for (const [index, hierarchy] of hierarchies.entries()) {
    const path = cgroups[index] ?? '';
    await makeCgroup(hierarchy, path);
    await makeCgroup(hierarchy, join(path, OUTSIDE));
  }
  const lab = await assembleLab({ store, keeper, signal: options.life.signal });
  options.life.defer(lab.destroy);
  return lab;
}

/**
 * A kept lab that another process made.
 * @throws `lab-order` when there is none, or when its switch died with the machine
 */
export async function openLab(id: string, signal: AbortSignal): Promise<Lab> {
  const state = await readState(join(await labsFolder(), id));
  if (state?.keeper === undefined || !(await isAlive(state.keeper))) {
    const problem = state === undefined ? `there is no lab ${id}` : `the switch of lab ${id} died`;
    throw fail('lab-order', { problem, cure: state === undefined ? 'Make it: npm run lab -- up NAME' : 'Remove it: npm run lab -- down' });
  }
  return await assembleLab({ store: createStateStore(state), keeper: undefined, signal });
}

const OUTSIDE = 'outside';
const NETWORK = '10.98.0.';

async function claim({
  name,
  id,
}: {
  readonly name: string;
  readonly id?: string;
}): Promise<{ readonly id: string; readonly dir: string }> {
  if (id === undefined) return await claimId(name);
  const dir = join(await labsFolder(), id);
  if (!(await claimFolder(dir))) throw fail('lab-order', { problem: `there is a lab ${id} already`, cure: 'See: npm run lab -- list' });
  return { id, dir };
}

type Assembly = {
  readonly store: StateStore;
  /** Undefined for a lab that another process made. */
  readonly keeper: Keeper | undefined;
  readonly signal: AbortSignal;
};

async function assembleLab({ store, keeper, signal }: Assembly): Promise<Lab> {
  const { id, dir, cgroups, keeper: identity } = store.current();
  if (identity === undefined) throw fail('internal', { what: `lab ${id} has no keeper` });
  const hierarchies = await findHierarchies();
  const at = switchOf(identity.pid);
  const key = join(dir, 'ssh-key');
  const shared = sharedFolders(await readFile('/proc/self/mountinfo', 'utf8'), repository);
  const outside = hierarchies.map((hierarchy, index) => ({ hierarchy, path: join(cgroups[index] ?? '', OUTSIDE, 'cgroup.procs') }));
  const hosts = new Map<string, Host>();
  const network = makeNetwork({
    at,
    store,
    outside: outside.map(({ path }) => path),
    namespaceOf: (name) => namespaceOf(hosts.get(name)),
  });
  const save = async (name: string, next: HostState | undefined): Promise<void> => {
    const others = store.current().hosts.filter((other) => other.name !== name);
    if (next !== undefined) checkAddress(next.ip, others);
    await store.update((state) => ({ ...state, hosts: next === undefined ? others : [...others, next] }));
    if (next !== undefined) return;
    hosts.delete(name);
    await network.change((faults) => withoutHost(faults, name));
  };
  const inputsOf = (state: HostState): HostInputs => {
    const { name, base, commandLine = [] } = state;
    const places = hierarchies.map((hierarchy, index) => ({ hierarchy, path: join(cgroups[index] ?? '', name) }));
    const common = {
      ...{ labId: id, name, dir: join(dir, 'hosts', name), switchNamespace: at.namespace, places },
      outside: outside.filter(({ hierarchy }) => hierarchy.unified).map(({ path }) => path),
    };
    const machine =
      base === undefined ? lightMachine({ ...common, shared }) : fullMachine({ ...common, shared: [repository], base, key, commandLine });
    return { ...common, state, at, machine, cable: network.cableOf(name), save: (next) => save(name, next) };
  };
  const enlist = (host: Host): Host => {
    hosts.set(host.name, host);
    return host;
  };
  const add = async ({ name, ip, commandLine }: FullHostOptions, base?: string): Promise<Host> => {
    const { hosts: others, nextAddress } = store.current();
    checkName(name, others);
    const next = firstFree(nextAddress, others);
    const kind = base === undefined ? 'light' : 'full';
    const own = { ...(base !== undefined && { base }), ...(commandLine !== undefined && { commandLine }) };
    const state: HostState = { name, kind, ip: ip ?? `${NETWORK}${next}`, generation: 0, ...own };
    if (ip === undefined) await store.update((all) => ({ ...all, nextAddress: next + 1 }));
    await save(name, state);
    try {
      return await makeHost(inputsOf(state));
    } catch (error) {
      await assembleHost(inputsOf(state)).destroy();
      throw error;
    }
  };
  const asFull = (host: Host): FullHost => withSystemd(host, { at, key });
  for (const state of store.current().hosts) {
    const host = assembleHost(inputsOf(state));
    enlist(state.kind === 'full' ? asFull(host) : host);
  }
  let kept = false;

  return {
    id,
    dir,
    gateway: GATEWAY,
    trace: { id, dir, cgroups },
    addHost: async (options) => enlist(await add(options)),
    addFullHost: async (options) => {
      const say = (line: string): void => void process.stderr.write(`${line}\n`);
      const base = await ensureBaseImage({ cache: join(repository, '.cache'), say, signal });
      await makeKey(key);
      const host = asFull(await add(options, base));
      enlist(host);
      return host;
    },
    hosts: () => [...hosts.values()],
    cut: (from, to, { oneWay = false } = {}) => network.change((faults) => withCut(faults, { from: from.name, to: to.name, oneWay })),
    isolate: ({ name }) => network.change((faults) => withIsolated(faults, name)),
    slow: ({ name }, slowness) => network.change((faults) => withSlow(faults, name, slowness)),
    heal: async () => {
      await network.change(() => noFaults);
      await Promise.all([...hosts.values()].map((host) => host.heal()));
    },
    keep: async () => {
      kept = true;
      await store.update((state) => ({ ...state, kept: true }));
      await keeper?.order('keep');
      return `npm run lab -- enter ${id} ${[...hosts.keys()][0] ?? ''}`.trim();
    },
    destroy: async () => {
      if (kept) return;
      if (keeper === undefined) return await reapLab(dir);
      await Promise.all([...hosts.values()].map((host) => host.destroy()));
      await removeCgroups(cgroups);
      await keeper.order('done');
      await rm(dir, { recursive: true, force: true });
    },
  };
}

function namespaceOf(host: Host | undefined): string | undefined {
  const pid = host?.findInit();
  return pid === undefined ? undefined : `/proc/${pid}/ns/net`;
}

function checkName(name: string, others: readonly HostState[]): void {
  if (!hostName.test(name)) {
    throw fail('lab-order', { problem: `"${name}" cannot be a host's name`, cure: 'Use up to 13 lower-case letters, digits and "-"' });
  }
  if (name === OUTSIDE) {
    const problem = `no host can be called ${OUTSIDE}: so is the cgroup of what the lab itself runs`;
    throw fail('lab-order', { problem, cure: 'Choose another name' });
  }
  if (others.some((other) => other.name === name)) {
    throw fail('lab-order', { problem: `there is a host ${name} already`, cure: 'Choose another name' });
  }
}

function checkAddress(ip: string, others: readonly HostState[]): void {
  const last = Number(ip.startsWith(NETWORK) ? ip.slice(NETWORK.length) : Number.NaN);
  if (!Number.isInteger(last) || last < 2 || last > 254) {
    throw fail('lab-order', { problem: `${ip} is no address of the lab`, cure: `Choose from ${NETWORK}2 to ${NETWORK}254` });
  }
  const holder = others.find((other) => other.ip === ip);
  if (holder !== undefined) throw fail('lab-order', { problem: `${ip} is the address of ${holder.name}`, cure: 'Choose another one' });
}

/** Addresses are not given twice, unless all are used up: others may still look for the old host there. */
function firstFree(from: number, others: readonly HostState[]): number {
  let last = from > 254 ? 2 : from;
  while (others.some(({ ip }) => ip === `${NETWORK}${last}`)) last++;
  return last;
}
