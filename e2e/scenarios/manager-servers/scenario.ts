import assert from 'node:assert/strict';
import { clusterOf } from '../../harness/cluster.ts';
import { eventually } from '../../harness/eventually.ts';
import { announced, firstSignIn } from '../../harness/manager/announced.ts';
import { importCluster, untilCluster } from '../../harness/manager/import-cluster.ts';
import { startLoad } from '../../harness/manager/load.ts';
import { type People, passwordOf, peopleOn } from '../../harness/manager/people.ts';
import { requestsOn } from '../../harness/manager/requests.ts';
import type { Node } from '../../harness/node.ts';
import { configMap, namespace } from '../../harness/objects.ts';
import type { Scenario, ScenarioContext } from '../../harness/scenario.ts';
import { slowness } from '../../harness/slowness.ts';
import { closeHost } from '../agents/closed-host.ts';
import { askOwnNameServer, managerName, moveToName } from './by-name.ts';
import { createDoors, type Doors } from './doors.ts';

const component = 'rfo-manager';
const vip = '10.98.0.100';
/** Milliseconds until the clusters answer again through the doors that are left. */
const backWithin = { kill: 15_000, power: 20_000 };

export const scenario: Scenario = {
  name: 'manager-servers',
  about: 'three servers run the manager behind a virtual IP, then behind a name: it is killed, servers lose power, and people work on',
  short: false,
  timeout: 1_200_000,
  run: async (context) => {
    const { step, check, addNode, life, note } = context;
    const { signal } = life;
    const edge = await addNode('edge');
    await Promise.all([closeHost(edge.host), askOwnNameServer(edge)]);
    await edge.start();
    const { servers, first } = await clusterOf(context, {
      ...{ servers: 3, agents: 0 },
      ...{ config: { vip, 'manager': true, 'tls-san': [managerName] }, env: { RFO_FOREGROUND: '1' } },
    });
    await step('another cluster, with no port open, is ready as well', () => edge.untilReady());
    const address = `https://${vip}:8443`;
    const told = await step('each server runs a replica and tells one address for all, and the first alone a password', async () => {
      const texts = await Promise.all(servers.map((server) => announced(server, signal)));
      for (const [index, text] of texts.entries())
        assert.match(
          text,
          new RegExp(`^The manager is ready at ${address}, on this host at https://${servers[index]?.host.ip}:8443$`, 'm'),
        );
      const [sign, ...others] = texts.map(firstSignIn);
      assert.ok(sign !== undefined, texts.join('\n'));
      assert.deepEqual(others, [undefined, undefined]);
      return sign;
    });
    const neverAgain = async (): Promise<void> => {
      for (const server of servers) {
        const seen = (await announced(server, signal)).includes(told.password);
        assert.equal(seen, server === first && !restarted.has(server), `the password as ${server.host.name} tells it`);
      }
    };
    const restarted = new Set<Node>();
    // They sit where no power is cut.
    const people = peopleOn(edge, { address, pin: () => told.pin, signal });
    await step('admin signs in by the virtual IP, and the other cluster is imported by that', async () => {
      await people.signIn('admin', told.password, passwordOf('admin'));
      await importCluster(people, { node: edge, name: 'edge', signal });
      await edge.apply(namespace('shop'), configMap('load', {}, 'shop'));
    });
    const doors = createDoors(people, edge, signal);
    const session = await step('a session begun at one replica is good at each, and so is the way to the cluster', async () => {
      const token = await requestsOn(edge, { address: doors.of(first) }, signal).session('admin', passwordOf('admin'));
      for (const server of servers) {
        assert.equal(await doors.whoami(server, token), 'admin');
        await doors.nodes(server, { edge: [edge], local: servers });
      }
      return token;
    });
    const stays = async (): Promise<void> => {
      for (const server of servers) if (server.host.findInit() !== undefined) assert.equal(await doors.whoami(server, session), 'admin');
      assert.match(await people.as('admin', ['whoami']), /^username: admin$/m);
      assert.match(await people.as('admin', ['audit', '--verify']), /^The audit log is whole: \d+ entries/);
    };

    const begin = workBeside(context, { people, edge, doors, servers, ca: await authority(first) });
    await step('kill -9 of the manager that has the agents: others go on, the cluster is back, and so is the replica', async () => {
      const { holder, other, work } = await begin();
      const { [component]: old } = await holder.pids();
      assert.ok(old !== undefined);
      const began = performance.now();
      await holder.host.must(['sh', '-c', `kill -9 ${old}`]);
      await answersAgain(context, { began, within: backWithin.kill, doors, at: [other] });
      const another = async (): Promise<true | undefined> =>
        [undefined, old].includes((await holder.pids())[component]) ? undefined : true;
      await eventually('another process of the manager', another, { signal });
      await answersAgain(context, { began, within: Number.POSITIVE_INFINITY, doors, at: [holder] });
      await untilCluster(people, 'Active', { name: 'edge', signal });
      await work.judge();
    });
    await check('sessions and the audit outlive it', stays);
    const { holder, other, work } = await begin();
    await step('power cut of the server that has the virtual IP: the cluster answers through each of the two that are left', async () => {
      const began = performance.now();
      // Without a last word: the kernel of a host in the lab closes the connections of processes that are killed.
      await holder.host.linkDown();
      await holder.host.powerCut();
      await answersAgain(context, {
        began,
        within: backWithin.power,
        doors,
        at: [other, ...servers.filter((each) => each !== other && each !== holder)],
      });
      await untilCluster(people, 'Active', { name: 'edge', signal });
      note(`${(await holderOf(servers)).host.name} has the virtual IP now`);
    });
    await check('sessions and the audit outlive that too', stays);
    await step('it boots again, its replica joins the others and serves as they do', async () => {
      await holder.host.boot();
      await holder.start();
      restarted.add(holder);
      await holder.untilReady();
      await announced(holder, signal);
      assert.equal(await doors.whoami(holder, session), 'admin');
      await doors.nodes(holder, { edge: [edge], local: servers });
    });
    await step('no request at the others failed that was not good when it was sent again, and nothing escaped the watch', work.judge);
    await check('the password was told once and by one, and is good no more', async () => {
      await neverAgain();
      await assert.rejects(people.signIn('stranger', told.password));
    });
    const now = await holderOf(servers);
    const others = servers.filter((server) => server !== now);
    await moveToName(context, { edge, holder: now, others, people, pin: told.pin });
    await check('the audit is whole, whichever replica wrote it', stays);
  },
};

/** Waits until the cluster answers through these doors; notes how long that took, and judges it by how fast this machine is. */
async function answersAgain(
  { life, note }: Pick<ScenarioContext, 'life' | 'note'>,
  given: { readonly began: number; readonly within: number; readonly doors: Doors; readonly at: readonly Node[] },
): Promise<void> {
  const { began, within, doors, at } = given;
  for (const server of at) {
    await eventually(`an answer of edge through ${server.host.name}`, () => doors.answers(server), { signal: life.signal });
    const took = performance.now() - began;
    note(`edge answers through ${server.host.name} ${(took / 1000).toFixed(1)} s after it`);
    assert.ok(took <= within * (await slowness()), `${took} ms`);
  }
}

type Work = {
  /** The server that has the virtual IP, and with it all agents. */
  readonly holder: Node;
  /** The one at which people work meanwhile. */
  readonly other: Node;
  readonly work: { readonly judge: () => Promise<void> };
};

/** Gives what begins the work that a fault is not to disturb. */
function workBeside(
  context: ScenarioContext,
  given: { readonly people: People; readonly edge: Node; readonly doors: Doors; readonly servers: readonly Node[]; readonly ca: string },
): () => Promise<Work> {
  const { people, edge, doors, servers, ca } = given;
  return async () => {
    const holder = await holderOf(servers);
    const other = servers.find((server) => server !== holder) ?? assert.fail();
    context.note(`${holder.host.name} has the virtual IP, and with it all agents; people work at ${other.host.name}`);
    const load = await startLoad(context, { on: edge, people, address: doors.of(other), ca });
    const judge = async (): Promise<void> => {
      // Only what goes to the cluster whose agents have lost their replica, as the watch does, may have failed at first.
      const others = (await load.look('meanwhile')).filter((line) => !/\/k8s\/clusters\/edge\/| the watch: /.test(line));
      assert.deepEqual(others, []);
      // However fast all is back: some work has to have been done since.
      const count = async (): Promise<number> =>
        Number(await edge.kubectl(['-n', 'shop', 'get', 'configmap', 'load', '-o', 'jsonpath={.data.count}']));
      const before = await count();
      const goesOn = async (): Promise<true | undefined> => ((await count()) > before + 20 ? true : undefined);
      await eventually('people to work on', goesOn, { signal: context.life.signal });
      await load.judge(20);
    };
    return { holder, other, work: { judge } };
  };
}

/** The server whose host has the virtual IP. */
async function holderOf(servers: readonly Node[]): Promise<Node> {
  const running = servers.filter(({ host }) => host.findInit() !== undefined);
  const lists = await Promise.all(running.map(({ host }) => host.must(['ip', '-4', '-o', 'addr', 'show', 'dev', 'eth0'])));
  const holders = running.filter((_, index) => lists[index]?.includes(` inet ${vip} `));
  assert.equal(holders.length, 1, lists.join(''));
  return holders[0] ?? assert.fail();
}

/** PEM of the CA of the manager. */
async function authority(server: Node): Promise<string> {
  const text = await server.kubectl([
    '-n',
    'rfo-system',
    'get',
    'secret',
    'rfo-manager-tls',
    '-o',
    'go-template={{ index .data "ca.crt" }}',
  ]);
  return Buffer.from(text, 'base64').toString();
}
