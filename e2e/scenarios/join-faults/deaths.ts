import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCode } from '@rfo/foundation';
import type { Node } from '../../harness/node.ts';
import type { ScenarioContext } from '../../harness/scenario.ts';
import { assertOneCluster, untilJoined, untilSaid } from './watch-join.ts';

/** The moments of a join, by what rfo says then. */
const moments = {
  'has the keys of the cluster': /has what the servers of the cluster share/,
  'was added as a learner': /: joins etcd member=/,
  'starts its etcd': /etcd: starting$/,
  'has its vote': /: votes in etcd member=/,
} as const;
type Moment = keyof typeof moments;

/** Where a server is moved to amid its join. */
const movedTo = '10.98.0.71';

/** The only server that there is loses its power while another one joins, again and again. */
export async function killFirst(
  context: ScenarioContext,
  { joiner, first }: { readonly joiner: Node; readonly first: Node },
): Promise<void> {
  const { step, note } = context;
  for (const moment of ['has the keys of the cluster', 'was added as a learner', 'has its vote'] as const) {
    await step(`the first server loses its power when the second ${moment}`, async () => {
      if (moment === 'has the keys of the cluster') await joiner.start();
      const outcome = await untilSaid(joiner, moments[moment], context);
      assert.equal(outcome, 'said', `the join went past the moment when it ${moment}`);
      // It gets no further than this: what it asks next is not answered by a server that has no power.
      await joiner.host.freeze();
      await first.host.powerCut();
      await joiner.host.thaw();
      note(`then: ${await stateOf(joiner)}`);
      await first.host.boot();
      await first.start();
    });
  }
  await step('both are ready, and are one cluster', async () => {
    await untilSaid(first, /: the node is ready$/, context);
    await untilJoined(joiner, { through: first, context });
    await assertOneCluster([first, joiner], context);
  });
}

/** The server that joins dies at every moment of its join, its rfo alone and with its host. */
export async function killJoiner(
  context: ScenarioContext,
  { joiner, servers }: { readonly joiner: Node; readonly servers: readonly [Node, Node] },
): Promise<void> {
  const { step, note } = context;
  const [first] = servers;
  const kill = async (): Promise<void> => void (await joiner.stop('SIGKILL'));
  const cutPower = async (): Promise<void> => {
    await joiner.host.powerCut();
    await joiner.host.boot();
  };
  const move = async (): Promise<void> => {
    await cutPower();
    await joiner.host.changeAddress(movedTo);
  };
  const deathAt = (moment: Moment, what: string, act: () => Promise<void>): Promise<void> =>
    step(`${what} when it ${moment}`, async () => {
      await joiner.start();
      // A vote is given once: after the first death that follows it, the join is over.
      if ((await untilSaid(joiner, moments[moment], context)) === 'ready') note('it had joined already');
      await act();
      note(`then: ${await stateOf(joiner)}`);
    });
  for (const moment of Object.keys(moments) as Moment[]) {
    await deathAt(moment, 'rfo of the joining server is killed', kill);
    if (moment === 'was added as a learner') await deathAt(moment, 'the joining server is moved to another address', move);
    await deathAt(moment, 'the joining server loses its power', cutPower);
  }
  await step('the next start joins, and the three are one cluster', async () => {
    await joiner.start();
    await untilJoined(joiner, { through: first, context });
    await assertOneCluster([...servers, joiner], context);
  });
}

/** What of the join is on the joining server's disk. */
async function stateOf({ host }: Node): Promise<string> {
  const disk = join(host.dir, 'disk/var-lib-rancher/rfo/server');
  const files = { keys: 'tls/server-ca.key', mark: 'db/joining.json', member: 'db/etcd-member.json' };
  const states = await Promise.all(
    Object.entries(files).map(async ([name, file]) => ((await isThere(join(disk, file))) ? name : `no ${name}`)),
  );
  return states.join(', ');
}

async function isThere(file: string): Promise<boolean> {
  try {
    await readFile(file);
    return true;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false;
    throw error;
  }
}
