/** The cable of a host: from its eth0 to its port of the switch, with a wire that delays in between when it is slowed. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fail } from '@rfo/foundation';
import { joinCgroups } from './enter.ts';
import { portsOf, type Slowness } from './faults.ts';
import { identify, isAlive, type ProcessIdentity } from './process-facts.ts';
import { baseEnvironment, lastLines, must, run } from './run.ts';
import type { Switch } from './switch.ts';

export type CableInputs = {
  readonly at: Switch;
  readonly name: string;
  /** Path of the host's network namespace. */
  readonly namespace: string;
};
export type WireInputs = CableInputs & {
  readonly slowness: Slowness;
  readonly labId: string;
  /** `cgroup.procs` files of what belongs to the lab but to no host. */
  readonly outside: readonly string[];
  readonly logFile: string;
};

/** Plugs a host in directly. Its port exists already. */
export async function plug({ at, name }: CableInputs): Promise<void> {
  await at.must(['ip', 'link', 'set', portsOf(name).port, 'master', 'lab0', 'up']);
}

export function needsWire({ delayMs = 0, jitterMs = 0 }: Slowness = {}): boolean {
  return delayMs > 0 || jitterMs > 0;
}

/**
 * Plugs a host in behind a wire. What the host and the switch send into it must be whole frames with their checksums: nothing on a wire
 * would complete them.
 * @throws `process-failed` when the wire does not start; `tool-missing` without Python
 */
export async function plugWire(inputs: WireInputs): Promise<ProcessIdentity> {
  const { at, name, namespace, slowness, labId, outside, logFile } = inputs;
  const { port, far, near } = portsOf(name);
  if ((await run(['sh', '-c', 'command -v python3'])).code !== 0)
    throw fail('tool-missing', { what: 'python3', cure: 'A delay between hosts of the lab needs it: apt-get install python3' });
  await at.must(['ip', 'link', 'set', port, 'nomaster', 'up']);
  await at.must(['ip', 'link', 'add', far, 'type', 'veth', 'peer', 'name', near]);
  await at.must(['ip', 'link', 'set', near, 'up']);
  await at.must(['ip', 'link', 'set', far, 'master', 'lab0', 'up']);
  for (const end of [port, far, near]) await at.must(python('offload', 'off', end));
  await must(['nsenter', `--net=${namespace}`, ...python('offload', 'off', 'eth0')]);

  const { delayMs = 0, jitterMs = 0 } = slowness;
  const [file = '', ...args] = joinCgroups(outside, at.render(python('relay', port, near, String(delayMs), String(jitterMs))));
  const log = openSync(logFile, 'a');
  const env = { ...baseEnvironment(), RFO_LAB_ID: labId };
  const child = spawn(file, args, { detached: true, env, stdio: ['ignore', 'pipe', log] });
  closeSync(log);
  const { stdout } = child;
  if (stdout === null) throw fail('internal', { what: 'no pipe to the wire' });
  const over = once(child, 'exit');
  const [said] = await Promise.race([once(stdout, 'data'), over.then(() => [''])]);
  stdout.destroy();
  const identity = await identify(child.pid ?? 0);
  if (String(said).trim() !== 'ready' || identity === undefined) {
    const output = `:\n${lastLines(await readFile(logFile, 'utf8'), 10)}`;
    throw fail('process-failed', { name: `the wire of host ${name}`, status: 'an error', output, log: logFile });
  }
  child.unref();
  return identity;
}

/** Takes the wire away; the host's end hangs free until it is plugged in again. Nothing there is fine. */
export async function removeWire({ at, name, namespace }: CableInputs, wire: ProcessIdentity | undefined): Promise<void> {
  if (wire !== undefined && (await isAlive(wire))) process.kill(wire.pid, 'SIGKILL');
  await run(at.render(['ip', 'link', 'del', portsOf(name).far]));
  // The host may be off, and its end of the cable gone with it.
  await run(['nsenter', `--net=${namespace}`, ...python('offload', 'on', 'eth0')]);
}

function python(...args: readonly string[]): readonly string[] {
  return ['python3', join(import.meta.dirname, 'wire.py'), ...args];
}
