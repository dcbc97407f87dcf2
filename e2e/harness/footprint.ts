/** What a node leaves on its host besides files: taken before the start and after the end, the two must be equal. */

import assert from 'node:assert/strict';
import { diff } from 'node:util';
import type { Host } from '../lab/index.ts';

export type Footprint = Readonly<Record<string, readonly string[]>>;

const questions: Readonly<Record<string, string>> = {
  // The asking shell and what it runs are not counted.
  processes: 'ps -eo pid=,ppid=,args= | grep -v "^ *$$ \\|^ *[0-9]* *$$ " | sed "s/^ *[0-9]* *[0-9]* *//" || true',
  mounts: 'cut -d" " -f5 /proc/self/mountinfo',
  interfaces: 'ip -o link | cut -d: -f2 | cut -d@ -f1',
  routes: 'ip route; ip -6 route | grep -v fe80 || true',
  rules: 'nft list ruleset',
  namespaces: 'ls /run/netns',
  podCgroups: 'find /sys/fs/cgroup -maxdepth 3 -type d -name "kubepods*"',
  sockets: 'ss -Htuln | tr -s " " | cut -d" " -f1,5',
};

export async function footprintOf(host: Host): Promise<Footprint> {
  const answers = await Promise.all(
    Object.entries(questions).map(async ([name, script]) => {
      const lines = (await host.must(['sh', '-c', script])).split('\n').map((line) => line.trim());
      return [name, lines.filter((line) => line !== '').sort()] as const;
    }),
  );
  return Object.fromEntries(answers);
}

/** @throws AssertionError that lists what was added and what is missing */
export function assertSameFootprint(now: Footprint, before: Footprint): void {
  const changes = Object.keys(questions).flatMap((name) =>
    diff(before[name] ?? [], now[name] ?? [])
      .filter(([kind]) => kind !== 0)
      .map(([kind, line]) => `${name}: ${kind === 1 ? 'left' : 'gone'}: ${line}`),
  );
  assert.deepEqual(changes, [], 'the node changed its host');
}
