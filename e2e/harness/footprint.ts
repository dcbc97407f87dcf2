/** What a node leaves on its host besides files: taken before the start and after the end, the two must be equal. */
import assert from 'node:assert/strict';
import type { Host } from '../lab/index.ts';

export type Footprint = Readonly<Record<string, readonly string[]>>;

const questions: Readonly<Record<string, { readonly ask: string; readonly pick?: (answer: string) => readonly string[] }>> = {
  // The asking program is there each time.
  processes: { ask: 'exec ps -eo args=' },
  mounts: { ask: 'cut -d" " -f5 /proc/self/mountinfo' },
  interfaces: { ask: 'ip -o link | cut -d: -f2 | cut -d@ -f1' },
  routes: { ask: 'ip route; ip -6 route | grep -v fe80 || true' },
  rules: { ask: 'nft -j list ruleset', pick: pickRules },
  namespaces: { ask: 'ls /run/netns' },
  podCgroups: { ask: 'find /sys/fs/cgroup -maxdepth 3 -type d -name "kubepods*"' },
  sockets: { ask: 'ss -Htuln | tr -s " " | cut -d" " -f1,5' },
};

export async function footprintOf(host: Host): Promise<Footprint> {
  const answers: Record<string, readonly string[]> = {};
  // One after the other, or they would see each other's processes.
  for (const [name, { ask, pick = pickLines }] of Object.entries(questions)) answers[name] = pick(await host.must(['sh', '-c', ask]));
  return answers;
}

/** @throws AssertionError that lists what was added and what is missing */
export function assertSameFootprint(now: Footprint, before: Footprint): void {
  const changes = Object.keys(questions).flatMap((name) => [
    ...without(now[name] ?? [], before[name] ?? []).map((line) => `${name}: left: ${line}`),
    ...without(before[name] ?? [], now[name] ?? []).map((line) => `${name}: gone: ${line}`),
  ]);
  assert.deepEqual(changes, [], 'the node changed its host');
}

function pickLines(answer: string): readonly string[] {
  return answer
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

type NftEntry = Readonly<
  Record<
    string,
    { readonly family?: string; readonly table?: string; readonly chain?: string; readonly name?: string; readonly hook?: string }
  >
>;

/** iptables makes these tables and their base chains when it is first asked for anything, and never removes them: empty, they do nothing. */
const standing = new Set(['filter', 'nat', 'mangle', 'raw', 'security']);

/** The objects of the firewall without counters and handles. Format: libnftables-json(5). */
function pickRules(answer: string): readonly string[] {
  const { nftables } = JSON.parse(answer) as { readonly nftables: readonly NftEntry[] };
  return nftables.flatMap((entry) => {
    const [kind = '', object = {}] = Object.entries(entry)[0] ?? [];
    if (kind === 'metainfo') return [];
    if (kind === 'table' && standing.has(object.name ?? '')) return [];
    if (kind === 'chain' && standing.has(object.table ?? '') && object.hook !== undefined) return [];
    return [[kind, object.family, object.table, object.chain, object.name].filter((part) => part !== undefined).join(' ')];
  });
}

/** What is in `all` more often than in `some`. */
function without(all: readonly string[], some: readonly string[]): readonly string[] {
  const left = [...some];
  return all.filter((line) => {
    const at = left.indexOf(line);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
}
