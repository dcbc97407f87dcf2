/** One fault on one server, and what may not come of it. */
import assert from 'node:assert/strict';
import { eventually } from '../../harness/eventually.ts';
import type { Node } from '../../harness/node.ts';
import type { ScenarioContext } from '../../harness/scenario.ts';
import { slowness } from '../../harness/slowness.ts';
import { serverInUse, ways } from './balancer-requests.ts';
import type { Fault } from './faults.ts';
import type { ObservedCluster } from './observed-cluster.ts';
import { etcdLeader, readiness, untilWhole } from './wholeness.ts';

/** Milliseconds without an acknowledged write, for clients of all servers and for those of the agent's balancer. */
const apiBackWithin = 5_000;

/**
 * Strikes, waits until clients are served again, mends, and waits until the cluster is whole. Notes the gaps.
 * @param options.missed the server stays away until its Node is not Ready any more
 */
export async function survive(
  { note, life }: ScenarioContext,
  cluster: ObservedCluster,
  { fault, server, missed = false }: { readonly fault: Fault; readonly server: Node; readonly missed?: boolean },
): Promise<void> {
  const { signal } = life;
  const { servers, agent, writes, requests } = cluster;
  const leads = (await etcdLeader(servers)) === server;
  const used = (await serverInUse(agent, servers)) === server;
  const others = servers.filter((other) => other !== server);
  const [witness] = others;
  assert.ok(witness);

  const slowBefore = await slowness();
  const begin = Date.now();
  await fault.strike(server);
  const struck = Date.now();
  const answered = ways.map((way) => requests.untilAnswered(way, struck));
  const [kubectl] = await Promise.all([kubectlOf(cluster, begin, signal), writes.untilNext(), ...answered]);
  if (fault.away && missed) {
    const gone = async (): Promise<true | undefined> => ((await readiness(server.host.name, witness)).status === 'True' ? undefined : true);
    await eventually(`the Node of ${server.host.name} not Ready`, gone, { signal, within: 120_000 });
  }
  if (fault.away) await assertTakesNoWrite(server);
  // The others' fail-over is over; to start a server takes the processor from all.
  const [fresh, kept] = (['new', 'kept'] as const).map((way) => requests.longestGap(way, begin, Date.now()));
  await fault.mend(server);
  const slowest = await untilWhole(cluster, signal);
  await untilLeaseRenewed(agent, { since: begin + kubectl, through: witness, signal });
  const end = Date.now();
  await cluster.assertAgentUnmoved();

  const gap = writes.longestGap(begin, end);
  const written = requests.longestGap('write', begin, end);
  const marks = [leads ? 'led etcd' : '', used ? "in the agent's use" : ''].filter(Boolean).join(', ');
  note(
    `${server.host.name}${marks && ` (${marks})`}: without a write ${ms(gap)}, by the balancer ${ms(written)}; ` +
      `fail-over of the balancer: new connections ${ms(fresh)}, kept one ${ms(kept)}; kubectl there after ${ms(kubectl)}; whole after ${ms(end - begin)} (the last: ${slowest})`,
  );
  const slow = Math.max(slowBefore, await slowness());
  if (slow > 1) note(`this machine is ${slow.toFixed(1)} times slower than the one that the bound is for`);
  const within = apiBackWithin * slow;
  assert.ok(gap <= within, `no write was acknowledged for ${ms(gap)}; failures: ${writes.failures().slice(-3).join('\n')}`);
  assert.ok(written <= within, `no write by the balancer for ${ms(written)}: ${requests.failures().slice(-3).join('\n')}`);
}

/** A server that is alone says so instead of taking what nobody else would know of. */
async function assertTakesNoWrite(server: Node): Promise<void> {
  if (server.host.findInit() === undefined) return;
  const { code } = await server.tryKubectl(['create', 'namespace', `alone-${Date.now()}`, '--request-timeout=5s'], { timeout: 60_000 });
  assert.notEqual(code, 0, `${server.host.name} took a write while it was cut off`);
}

/** Milliseconds until kubectl on the agent's host has written something. */
async function kubectlOf({ requests }: ObservedCluster, begin: number, signal: AbortSignal): Promise<number> {
  const write = () => requests.kubectl(['annotate', 'namespace', 'acked', '--overwrite', `e2e.rfo.io/at=${begin}`, '--request-timeout=2s']);
  await eventually('an answer to kubectl on the agent', write, { signal, within: 60_000 });
  return Date.now() - begin;
}

/** The agent's kubelet has reached the API. */
async function untilLeaseRenewed(
  agent: Node,
  { since, through, signal }: { readonly since: number; readonly through: Node; readonly signal: AbortSignal },
): Promise<void> {
  const ask = ['-n', 'kube-node-lease', 'get', 'lease', agent.host.name, '-o', 'jsonpath={.spec.renewTime}'];
  const look = async (): Promise<true | undefined> =>
    Date.parse(await through.kubectl(ask, { timeout: 10_000 })) > since ? true : undefined;
  await eventually(`a renewal of the Lease of ${agent.host.name}`, look, { signal, within: 60_000 });
}

function ms(milliseconds = Number.NaN): string {
  return milliseconds < 1000 ? `${Math.round(milliseconds)} ms` : `${(milliseconds / 1000).toFixed(1)} s`;
}
