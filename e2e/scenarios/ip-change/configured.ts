import assert from 'node:assert/strict';
import { type Node, untilLine } from '../../harness/node.ts';
import { assertClusterWorks } from '../../harness/probe.ts';
import type { Context } from './follows.ts';
import { nodeFollows } from './follows.ts';

/** A node whose configuration names its address goes nowhere else: it says what is missing, and waits. */
export async function loseConfiguredAddress(
  { step, life }: Context,
  { node, ip }: { readonly node: Node; readonly ip: string },
): Promise<void> {
  const { signal } = life;
  const { host } = node;
  const own = host.ip;
  const gone = new RegExp(`node-ip ${own}, which this node has been known by, is no address of this host any more, which has: ${ip}\\.`);
  const patience = { signal, within: 60_000 };
  await step('the node is told its address by node-ip', async () => {
    await node.stop('SIGUSR2');
    await node.configure({ 'node-ip': own });
    await node.start();
    await node.untilReady();
  });
  await step('that address goes while it runs: it says so, and goes on', async () => {
    const pids = await node.pids();
    await host.changeAddress(ip);
    await untilLine(node.service(), gone, patience);
    await node.kubectl(['get', '--raw=/readyz']);
    await host.changeAddress(own);
    await untilLine(node.service(), new RegExp(`this node has its address again address=${own}$`), patience);
    assert.deepEqual(await node.pids(), pids, 'something was restarted');
    await assertClusterWorks(node, signal);
  });
  await step('it is not there at a start: the start says so, and waits', async () => {
    await node.stop('SIGTERM');
    await host.changeAddress(ip);
    await node.start();
    await untilLine(node.service(), gone, patience);
  });
  await step('the start goes on when the address is back', async () => {
    await host.changeAddress(own);
    await node.untilReady();
    await nodeFollows(node, { through: node, signal });
    await assertClusterWorks(node, signal);
  });
  await step('a start that waits ends at a signal', async () => {
    await node.stop('SIGTERM');
    await host.changeAddress(ip);
    await node.start();
    await untilLine(node.service(), gone, patience);
    assert.equal(await node.stop('SIGTERM'), 0);
  });
  await step('without node-ip it takes the address that there is', async () => {
    await node.configure({});
    await node.start();
    await node.untilReady();
    await nodeFollows(node, { through: node, signal });
  });
}
