import assert from 'node:assert/strict';
import { assertNoneLost, startAckedWrites } from '../../harness/acked-writes.ts';
import { clusterOf, joinConfig, joinNode } from '../../harness/cluster.ts';
import { makeNode, type Node } from '../../harness/node.ts';
import { assertClusterWorks } from '../../harness/probe.ts';
import type { Scenario } from '../../harness/scenario.ts';
import { etcdLeader } from '../ha/wholeness.ts';
import { backups, deleteNode, keptFiles, untilEvent, untilRefused, untilVoters } from './members.ts';

export const scenario: Scenario = {
  name: 'replace-server',
  about:
    'servers die for good, are replaced, come back after their removal and are taken out alive: the cluster stays one and loses nothing',
  short: false,
  timeout: 1_800_000,
  run: async (context) => {
    const { step, note, life, lab } = context;
    const { signal } = life;
    const { servers } = await clusterOf(context, { servers: 3, agents: 0 });
    const [one, two, three] = servers;
    assert.ok(one && two && three);
    const client = await lab.addHost({ name: 'client' });
    // Fewer than `ha` has: it is not about the load.
    const writes = await startAckedWrites(client, { servers: [one, two], signal, perSecond: 50 });
    const seconds = (milliseconds: number): string => `${(milliseconds / 1000).toFixed(1)} s`;

    await step('a server dies for good: deleting its Node removes its member', async () => {
      await three.host.destroy();
      note(`the Node was gone after ${seconds(await deleteNode('server-3', { at: one, signal }))}`);
      await untilVoters([one, two], { at: one, signal });
      assert.match(
        await untilEvent('EtcdMemberRemoved', { about: 'server-3', at: one, signal }),
        /the etcd member server-3-[0-9a-f]{8} was removed/,
      );
    });

    const fourth = await step('a new host of another name takes its place', async () => {
      const { node, took } = await joinNode(context, { first: one, name: 'server-4', role: 'server' });
      note(`votes and Ready after ${seconds(took)}`);
      await untilVoters([one, two, node], { at: one, signal });
      return node;
    });

    const four = await step('a host of the same name with a new disk is refused as long as the Node of the old one is there', async () => {
      await fourth.host.wipe();
      const node = await makeNode(fourth.host, { config: await joinConfig(one, 'server'), signal });
      await node.start();
      const code = await untilRefused(node, /another host has joined as node server-4, or this one was installed anew/, signal);
      assert.notEqual(code, 0);
      await untilVoters([one, two, node], { at: one, signal });
      return node;
    });
    await step('after its Node was deleted it joins', async () => {
      await deleteNode('server-4', { at: one, signal });
      await untilVoters([one, two], { at: one, signal });
      const begin = performance.now();
      await four.start();
      await four.untilReady({ through: one });
      await untilVoters([one, two, four], { at: one, signal });
      note(`votes and Ready after ${seconds(performance.now() - begin)}`);
    });

    await step('a removed server that comes back without `server` refuses and changes nothing', async () => {
      await one.host.powerCut();
      await deleteNode('server-1', { at: two, signal });
      await untilVoters([two, four], { at: two, signal });
      await one.host.boot();
      const before = await keptFiles(one);
      await one.start();
      const code = await untilRefused(one, /removed from the cluster/, signal);
      assert.notEqual(code, 0);
      assert.equal(await keptFiles(one), before, 'what it keeps of the cluster');
      await untilVoters([two, four], { at: two, signal });
      await writes.untilNext();
    });
    await step('with `server` it moves its data aside and joins anew', async () => {
      await one.configure(await joinConfig(two, 'server'));
      await one.start();
      await one.untilReady({ through: two });
      await untilVoters([one, two, four], { at: two, signal });
      assert.equal((await backups(one)).length, 1);
    });

    await step('a removed server that comes back with `server` set does so by itself', async () => {
      await two.host.powerCut();
      await deleteNode('server-2', { at: one, signal });
      await untilVoters([one, four], { at: one, signal });
      await two.host.boot();
      await two.start();
      await two.untilReady({ through: one });
      await untilVoters([one, two, four], { at: one, signal });
      assert.equal((await backups(two)).length, 1);
    });

    await step('deleting the Node of the server that leads moves the leadership first', async () => {
      const leader = await etcdLeader([one, two, four]);
      const others = [one, two, four].filter((node) => node !== leader);
      const [at] = others;
      assert.ok(at);
      note(`the Node was gone after ${seconds(await deleteNode(leader.host.name, { at, signal }))}`);
      await untilVoters(others, { at, signal });
      await untilRefused(leader, /removed from the cluster/, signal);
      await writes.untilNext();
      await rejoin(leader, at);
      await untilVoters([one, two, four], { at, signal });
    });

    await step('the annotation takes the member and leaves the Node', async () => {
      const leader = await etcdLeader([one, two, four]);
      const others = [one, two, four].filter((node) => node !== leader);
      const [at] = others;
      assert.ok(at);
      const { name } = leader.host;
      await at.kubectl(['annotate', 'node', name, 'etcd.rfo.io/remove=true']);
      await at.wait(['--for=condition=EtcdIsVoter=False', `node/${name}`], 60_000);
      await untilVoters(others, { at, signal });
      const annotations = JSON.parse(await at.kubectl(['get', 'node', name, '-o', 'jsonpath={.metadata.annotations}'])) as Record<
        string,
        string
      >;
      assert.match(annotations['etcd.rfo.io/removed-node-name'] ?? '', new RegExp(`^${name}`));
      assert.equal(annotations['etcd.rfo.io/remove'], undefined);
      await untilRefused(leader, /removed from the cluster/, signal);
      await rejoin(leader, at);
      await untilVoters([one, two, four], { at, signal });
      await at.wait(['--for=condition=EtcdIsVoter=True', `node/${name}`], 60_000);
    });

    await step('the last member that votes is refused', async () => {
      await four.host.powerCut();
      await deleteNode('server-4', { at: one, signal });
      await untilVoters([one, two], { at: one, signal });
      // Of two that vote both must live to let one go.
      await deleteNode('server-2', { at: one, signal });
      await untilVoters([one], { at: one, signal });
      await one.kubectl(['annotate', 'node', 'server-1', 'etcd.rfo.io/remove=true']);
      assert.match(await untilEvent('EtcdRemovalRefused', { about: 'server-1', at: one, signal }), /last member of etcd that votes/);
      await one.wait(['--for=jsonpath={.metadata.annotations.etcd\\.rfo\\.io/node-name}', 'node/server-1'], 60_000);
      await untilVoters([one], { at: one, signal });
      await writes.untilNext();
    });

    await step('nothing acknowledged was lost, and the cluster works', async () => {
      await writes.stop();
      await assertNoneLost(one, writes);
      await assertClusterWorks(one, signal);
      note(`${writes.acknowledged().length} acknowledged writes`);
    });

    async function rejoin(server: Node, at: Node): Promise<void> {
      await server.configure(await joinConfig(at, 'server'));
      await server.start();
      await server.untilReady({ through: at });
    }
  },
};
