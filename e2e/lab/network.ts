/** The network of a lab with its faults: every change is noted in the lab's state and made on the switch, one after the other. */
import { join } from 'node:path';
import { needsWire, plug, plugWire, removeWire } from './cable.ts';
import { type Faults, renderFaults } from './faults.ts';
import type { StateStore } from './state.ts';
import type { Switch } from './switch.ts';

export type Network = {
  /** Changes the faults; the cables of hosts that are switched on follow. */
  readonly change: (change: (faults: Faults) => Faults) => Promise<void>;
  /** The cable of one host, for its boot and its power cut; they run inside `Host` and are not queued behind others' changes. */
  readonly cableOf: (name: string) => {
    readonly plug: (namespace: string) => Promise<void>;
    readonly unplug: (namespace: string) => Promise<void>;
  };
};

/**
 * @param outside `cgroup.procs` files of what belongs to the lab but to no host
 * @param namespaceOf path of a host's network namespace, undefined while it is off
 */
export function makeNetwork(inputs: {
  readonly at: Switch;
  readonly store: StateStore;
  readonly outside: readonly string[];
  readonly namespaceOf: (name: string) => string | undefined;
}): Network {
  const { at, store, outside, namespaceOf } = inputs;
  let queue: Promise<unknown> = Promise.resolve();
  const oneByOne = (act: () => Promise<void>): Promise<void> => {
    const done = queue.then(act, act);
    queue = done;
    return done;
  };

  const connect = async (name: string, namespace: string): Promise<void> => {
    const { id, dir, faults } = store.current();
    const slowness = faults.slow[name];
    if (slowness === undefined || !needsWire(slowness)) return await plug({ at, name, namespace });
    const logFile = join(dir, 'hosts', name, 'logs', 'wire.log');
    const wire = await plugWire({ at, name, namespace, slowness, labId: id, outside, logFile });
    await store.update((state) => ({ ...state, wires: { ...state.wires, [name]: wire } }));
  };
  const disconnect = async (name: string, namespace: string): Promise<void> => {
    const { [name]: wire, ...others } = store.current().wires;
    if (wire === undefined) return;
    await removeWire({ at, name, namespace }, wire);
    await store.update((state) => ({ ...state, wires: others }));
  };

  return {
    change: (change) =>
      oneByOne(async () => {
        const before = store.current().faults;
        await store.update((state) => ({ ...state, faults: change(state.faults) }));
        const after = store.current().faults;
        const rules = renderFaults(after);
        if (rules !== renderFaults(before)) await at.must(['nft', '-f', '-'], { input: rules });
        for (const name of new Set([...Object.keys(before.slow), ...Object.keys(after.slow)])) {
          const namespace = namespaceOf(name);
          if (before.slow[name] === after.slow[name] || namespace === undefined) continue;
          await disconnect(name, namespace);
          await connect(name, namespace);
        }
      }),
    cableOf: (name) => ({
      plug: (namespace) => connect(name, namespace),
      unplug: (namespace) => disconnect(name, namespace),
    }),
  };
}
