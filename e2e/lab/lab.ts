/** A lab: a switch and the hosts on it, cut off from this machine and the world, gone without a trace at the end. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fail, type Life } from '@rfo/foundation';
import { findHierarchies, makeCgroup, removeCgroups } from './cgroups.ts';
import { type Host, makeHost } from './host.ts';
import { identify } from './process-facts.ts';
import { reapDeadLabs } from './reap.ts';
import { baseEnvironment } from './run.ts';
import { sharedFolders } from './shared-folders.ts';
import { claimId, type LabState, writeState } from './state.ts';

export type Lab = {
  readonly id: string;
  readonly dir: string;
  /** The switch's own address: the hosts' gateway, to nowhere. */
  readonly gateway: string;
  /** @param ip inside 10.98.0.0/24; counted up from .11 by default */
  readonly addHost: (options: { readonly name: string; readonly ip?: string }) => Promise<Host>;
  /** Leaves everything running when the test ends; says how to come back. */
  readonly keep: () => Promise<string>;
  readonly destroy: () => Promise<void>;
  /** What `assertClean` looks for afterwards. */
  readonly trace: LabTrace;
};
export type LabTrace = { readonly id: string; readonly dir: string; readonly cgroups: readonly string[] };

export const repository = resolve(dirname(new URL(import.meta.url).pathname), '../..');

/** Makes an empty lab that ends with `life`. Needs root. Leftovers of labs whose test died are removed first. */
export async function createLab({ name, life }: { readonly name: string; readonly life: Life }): Promise<Lab> {
  if (process.getuid?.() !== 0) throw fail('not-root', { what: 'a lab of network namespaces' });
  await reapDeadLabs();
  const { id, dir } = await claimId(name);
  const hierarchies = await findHierarchies();
  const places = hierarchies.map((hierarchy) => ({ hierarchy, path: join(hierarchy.base, `rfo-lab-${id}`) }));
  const cgroups = places.map(({ path }) => path);
  const owner = await identify(process.pid);
  if (owner === undefined) throw fail('internal', { what: '/proc does not show this process' });
  let state: LabState = { id, dir, owner, cgroups, kept: false };
  await writeState(state);
  const keeper = await startKeeper(dir, id);
  const keeperIdentity = await identify(keeper.pid);
  if (keeperIdentity !== undefined) state = { ...state, keeper: keeperIdentity };
  await writeState(state);
  for (const { hierarchy, path } of places) {
    await makeCgroup(hierarchy, path);
    await makeCgroup(hierarchy, join(path, OUTSIDE));
  }
  const outside = places.map(({ hierarchy, path }) => ({ unified: hierarchy.unified, path: join(path, OUTSIDE, 'cgroup.procs') }));
  const switchNamespace = `/proc/${keeper.pid}/ns/net`;
  const shared = sharedFolders(await readFile('/proc/self/mountinfo', 'utf8'), repository);
  const hosts: Host[] = [];
  let kept = false;

  const destroy = async (): Promise<void> => {
    if (kept) return;
    for (const host of hosts.splice(0)) await host.destroy();
    await removeCgroups(cgroups);
    await keeper.order('done');
    await rm(dir, { recursive: true, force: true });
  };
  life.defer(destroy);
  return {
    id,
    dir,
    gateway: GATEWAY,
    trace: { id, dir, cgroups },
    addHost: async ({ name: host, ip = `10.98.0.${11 + hosts.length}` }) => {
      const added = await makeHost({
        labId: id,
        name: host,
        ip,
        prefix: 24,
        gateway: GATEWAY,
        dir: join(dir, 'hosts', host),
        switchNamespace,
        cgroups: places.map(({ hierarchy, path }) => ({ hierarchy, path: join(path, host) })),
        outside: outside.filter(({ unified }) => unified).map(({ path }) => path),
        shared,
      });
      hosts.push(added);
      return added;
    },
    keep: async () => {
      kept = true;
      await writeState({ ...state, kept: true });
      await keeper.order('keep');
      return `npm run lab -- enter ${id} ${hosts[0]?.name ?? ''}`.trim();
    },
    destroy,
  };
}

const GATEWAY = '10.98.0.1';
const OUTSIDE = 'outside';

/**
 * The keeper is a shell that holds the switch's network namespace and waits for one word from us. When we die, whichever way, the pipe
 * closes, and it turns into the program that removes the lab.
 */
async function startKeeper(
  dir: string,
  id: string,
): Promise<{ readonly pid: number; readonly order: (word: 'done' | 'keep') => Promise<void> }> {
  const script = [
    'set -eu',
    'ip link set lo up',
    'ip link add lab0 type bridge forward_delay 0',
    `ip addr add ${GATEWAY}/24 dev lab0`,
    'ip link set lab0 up',
    'echo ready',
    'exec >&2',
    'read -r order || order=orphaned',
    'case $order in done) exit 0 ;; keep) exec sleep infinity ;; *) exec "$1" "$2" reap "$3" ;; esac',
  ].join('\n');
  const program = [process.execPath, join(import.meta.dirname, 'main.ts'), dir];
  const child = spawn('unshare', ['--net', 'sh', '-c', script, 'sh', ...program], {
    detached: true,
    env: { ...baseEnvironment(), ...(process.env.RFO_LAB_DIR ? { RFO_LAB_DIR: process.env.RFO_LAB_DIR } : {}), RFO_LAB_KEEPER: id },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const over = once(child, 'exit');
  const [first] = await Promise.race([once(child.stdout, 'data'), over.then(() => [''])]);
  if (String(first).trim() !== 'ready')
    throw fail('process-failed', { name: 'the lab switch', status: 'an error', output: '', log: 'the lines above' });
  child.stdout.destroy();
  child.unref();
  return {
    pid: child.pid ?? 0,
    order: async (word) => {
      child.ref();
      child.stdin.end(`${word}\n`);
      if (word === 'done') await over;
      child.unref();
    },
  };
}
