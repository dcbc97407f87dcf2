/** Ends the containers of our containerd: its shims, found by the socket they were told, and everything that descends from them. */
import { readdir, readFile, readlink } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { systemCode } from '@rfo/foundation';

export type ProcessEntry = { readonly pid: number; readonly parent: number; readonly args: readonly string[] };

/**
 * @param socket of our containerd; shims of another one are left alone
 * @param graceMs how long the containers may take to end by themselves after SIGTERM; 0: they are killed at once
 * @returns what could not be ended, as sentences
 */
export async function endContainers(socket: string, graceMs: number): Promise<string[]> {
  const trees = containerProcesses(await listProcesses(), socket);
  if (trees.shims.length === 0) return [];
  if (graceMs > 0) {
    signalAll(trees.contained, 'SIGTERM');
    await untilGone(trees.contained, graceMs);
  }
  // A shim that dies first cannot report its containers' ends, start anything new, or unmount under our hands.
  signalAll([...trees.shims, ...trees.contained], 'SIGKILL');
  const late = containerProcesses(await listProcesses(), socket);
  signalAll([...late.shims, ...late.contained], 'SIGKILL');
  const left = await untilGone([...new Set([...trees.shims, ...trees.contained, ...late.shims, ...late.contained])], 5000);
  return left.map((pid) => `process ${pid} of a container does not end`);
}

/** The shims of this socket, and their descendants: shims are started with `-address <socket>`. */
export function containerProcesses(processes: readonly ProcessEntry[], socket: string): { shims: number[]; contained: number[] } {
  const shims = processes.filter(({ args }) => isShim(args) && args[args.indexOf('-address') + 1] === socket).map(({ pid }) => pid);
  const children = Map.groupBy(processes, ({ parent }) => parent);
  const contained: number[] = [];
  const queue = [...shims];
  for (let pid = queue.pop(); pid !== undefined; pid = queue.pop()) {
    const below = (children.get(pid) ?? []).map((child) => child.pid).filter((child) => !shims.includes(child));
    contained.push(...below);
    queue.push(...below);
  }
  return { shims, contained };
}

/** All processes with their command lines; one that ends meanwhile is left out. */
async function listProcesses(): Promise<ProcessEntry[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const entries = await Promise.all(pids.map(readProcess));
  return entries.filter((entry) => entry !== undefined);
}

/** Network namespaces, as `net:[<inode>]`, that some process lives in. */
export async function livingNetworkNamespaces(): Promise<Set<string>> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const links = await Promise.all(pids.map((pid) => ifAlive(readlink(`/proc/${pid}/ns/net`))));
  return new Set(links.filter((link) => link !== undefined));
}

async function readProcess(pid: number): Promise<ProcessEntry | undefined> {
  const [stat, cmdline] = await Promise.all([
    ifAlive(readFile(`/proc/${pid}/stat`, 'utf8')),
    ifAlive(readFile(`/proc/${pid}/cmdline`, 'utf8')),
  ]);
  if (stat === undefined || cmdline === undefined) return undefined;
  // The name in parentheses may hold spaces and parentheses itself: the fields after it are counted from its last one.
  const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return state === 'Z' ? undefined : { pid, parent: Number(parent), args: cmdline.split('\0') };
}

function isShim(args: readonly string[]): boolean {
  return (args[0] ?? '').includes('containerd-shim') && args.includes('-address');
}

function signalAll(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch (error) {
      if (systemCode(error) !== 'ESRCH') throw error;
    }
  }
}

/** Waits for processes that are not our children; the kernel has no event for that which Node can hear, so it looks every 10 ms. */
async function untilGone(pids: readonly number[], ms: number): Promise<number[]> {
  const deadline = performance.now() + ms;
  for (;;) {
    const entries = await Promise.all(pids.map(readProcess));
    const left = entries.filter((entry) => entry !== undefined).map(({ pid }) => pid);
    if (left.length === 0 || performance.now() >= deadline) return left;
    await delay(10);
  }
}

async function ifAlive<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (['ENOENT', 'ESRCH', 'EACCES'].includes(systemCode(error) ?? '')) return undefined;
    throw error;
  }
}
