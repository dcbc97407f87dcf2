import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import type { Node } from '../../harness/node.ts';
import type { Scenario, ScenarioContext } from '../../harness/scenario.ts';
import { type Crowd, makeCrowd } from './crowd.ts';
import { watchOthers } from './machine-share.ts';

const count = 200;

/** Milliseconds, where the machine is ours: what it takes while others work there as well tells nothing of the server. */
const p99Within = 2_000;
/** Their part of the machine that does not count yet. */
const quiet = 0.1;

export const scenario: Scenario = {
  name: 'burst',
  about: `${count} agents join one server at the same moment, and again as nodes that it knows: none fails`,
  short: false,
  timeout: 600_000,
  run: async (context) => {
    const { addNode, lab, step } = context;
    const server = await addNode('server-1');
    await step('server-1 gets ready', async () => {
      await server.start();
      await server.untilReady();
      // A cluster in use: its first pods would take the processors from the first agents.
      await server.wait(['-n', 'kube-system', '--for=condition=Available', 'deployment/coredns', 'deployment/metrics-server']);
    });
    const host = await lab.addHost({ name: 'crowd' });
    const requests = await makeCrowd(context, { server, host, count, program: 'requests' });
    await joinAll(context, { server, crowd: requests, who: 'unknown agents', data: false, timed: true });
    await joinAll(context, { server, crowd: requests, who: 'agents that are known, with new keys,', data: false, timed: true });
    await requests.end();

    // All of rfo's own code: what it does besides takes longer here than anything else, as it is done two hundred times on one processor.
    const agents = await makeCrowd(context, { server, host, count, program: 'agents' });
    await joinAll(context, { server, crowd: agents, who: 'agents of rfo itself', data: false });
    await step('every name belongs to its agent', async () => {
      const question = ['get', 'secrets', '--field-selector=type=rfo.io/node-password', '-o', 'name'];
      const stored = (await server.kubectl(['-n', 'kube-system', ...question])).trim().split('\n');
      const wanted = [server.host.name, ...requests.names, ...agents.names].map((name) => `secret/${name}.node-password.rfo`);
      assert.deepEqual(new Set(stored), new Set(wanted));
    });
    await step('each has a Node', () =>
      server.apply(...agents.names.map((name) => ({ apiVersion: 'v1', kind: 'Node', metadata: { name }, spec: { unschedulable: true } }))),
    );
    await joinAll(context, { server, crowd: agents, who: 'of them, which start again with what they have,', data: true });
    await agents.end();
  },
};

async function joinAll(
  { step, note, lab }: ScenarioContext,
  round: { readonly server: Node; readonly crowd: Crowd; readonly who: string; readonly data: boolean; readonly timed?: boolean },
): Promise<void> {
  const { server, crowd, who, data, timed = false } = round;
  await step(`${count} ${who} join at once`, async () => {
    const before = await processorTime(server);
    const others = await watchOthers(lab.trace.cgroups);
    const { times, failures, processor } = await crowd.join({ data });
    const used = (await processorTime(server)) - before;
    const share = await others();
    const failed = failures.filter((failure) => share < quiet || !onlySlow.test(failure));
    assert.deepEqual(failed.slice(0, 10), [], `${failed.length} failures`);
    assert.equal(times.length, count);
    const [p50, p99, last] = [0.5, 0.99, 1].map((part) => times[Math.ceil(part * times.length) - 1]);
    note(`p50 ${seconds(p50)}, p99 ${seconds(p99)}, last ${seconds(last)}; others had ${(share * 100).toFixed()} % of the machine`);
    note(`of a processor the server’s rfo took ${used.toFixed(2)} s, the agents took ${processor.toFixed(2)} s`);
    if (timed && share < quiet) assert.ok((p99 ?? Number.POSITIVE_INFINITY) <= p99Within, `p99 is ${seconds(p99)}`);
  });
}

/** What an agent says that had to wait for longer than a server usually takes, and went on by itself. */
const onlySlow = /no server answers yet; it goes on by itself|starting with what this node remembers/;

function seconds(milliseconds: number | undefined): string {
  return `${((milliseconds ?? Number.NaN) / 1000).toFixed(2)} s`;
}

/** Seconds that the server's rfo has used so far: fields 14 and 15 of proc_pid_stat(5), in hundredths. */
async function processorTime(server: Node): Promise<number> {
  const stat = await readFile(`/proc/${server.service().pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}
