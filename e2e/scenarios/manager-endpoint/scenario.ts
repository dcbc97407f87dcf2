import assert from 'node:assert/strict';
import { eventually } from '../../harness/eventually.ts';
import { agentNamespace, importCluster } from '../../harness/manager/import-cluster.ts';
import { type Manager, managerOn } from '../../harness/manager/manager.ts';
import { dataDir, type Node } from '../../harness/node.ts';
import { namespace, webDeployment } from '../../harness/objects.ts';
import type { Scenario, ScenarioContext } from '../../harness/scenario.ts';
import type { RunResult } from '../../lab/index.ts';

const people = ['ada', 'eve'];

export const scenario: Scenario = {
  name: 'manager-endpoint',
  about: 'kubectl goes straight to an imported cluster while its manager is dead, with the same rights and no more',
  short: false,
  timeout: 900_000,
  run: async (context) => {
    const { step, addNode, life } = context;
    const [hub, edge] = await Promise.all([addNode('hub'), addNode('edge', { config: { 'authorized-endpoint': true } })]);
    await step('two clusters get ready, the API server of one is to know the tokens of a manager', async () => {
      await Promise.all([hub, edge].map((node) => node.start()));
      await Promise.all([hub, edge].map((node) => node.untilReady()));
    });
    const manager = managerOn(hub, context);
    await step('the manager starts beside one and imports the other', async () => {
      await manager.open();
      await importCluster(manager, { node: edge, name: 'edge', signal: life.signal });
      await edge.apply(namespace('shop'), webDeployment('web', 1, 'shop'));
    });
    await step('two people are members of a project there, and their kubeconfigs lead straight to it as well', async () => {
      for (const person of people) await manager.join(person);
      const members = people.flatMap((person) => ['--member', `user:${person}:member`]);
      await manager.as('admin', ['projects', 'create', 'shop', '--place', 'edge/shop', ...members]);
      await manager.as('admin', ['clusters', 'change', 'edge', '--endpoint', 'on']);
      for (const person of ['admin', ...people]) await writeKubeconfig(manager, person, life.signal);
      const known = async (): Promise<true | undefined> => {
        const text = await manager.as('admin', ['clusters', 'get', 'edge', '-o', 'json']);
        return (JSON.parse(text) as { status: { endpoint?: { ready?: boolean } } }).status.endpoint?.ready === true ? true : undefined;
      };
      await eventually('the manager to see that the API server knows its tokens', known, { signal: life.signal });
    });
    const kubectl = kubectlOn(hub, life.signal);
    await checkSame(context, kubectl);
    await checkSecrets(context, hub, edge);
    await checkRevoked(context, manager, kubectl);
    await checkAway(context, manager, { edge, kubectl });
    await checkAgents(context, { edge, kubectl });
    await checkEnd(context, manager, { edge, kubectl });
  },
};

type Kubectl = (person: string, way: 'door' | 'direct', args: readonly string[]) => Promise<RunResult>;

const fileOf = (person: string): string => `/root/${person}/both.yaml`;

/** The addresses of the cluster are told by its agent, and its rights written by the manager, a moment later. */
async function writeKubeconfig(manager: Manager, person: string, signal: AbortSignal): Promise<void> {
  const look = async (): Promise<true | undefined> => {
    await manager.as(person, ['kubeconfig', '--cluster', 'edge', '--out', fileOf(person)]);
    return (await manager.onHub(['cat', fileOf(person)])).includes('name: edge-direct') ? true : undefined;
  };
  await eventually(`a direct context for ${person}`, look, { signal });
}

function kubectlOn(hub: Node, signal: AbortSignal): Kubectl {
  return (person, way, args) => {
    const context = way === 'door' ? 'edge' : 'edge-direct';
    const command = [`${dataDir}/bin/kubectl`, `--kubeconfig=${fileOf(person)}`, `--context=${context}`, '--request-timeout=20s', ...args];
    return hub.host.exec(command, { signal, timeout: 60_000 });
  };
}

/** Some things that members do, and many that they must not. */
const allowed = [
  ['get', 'pods', '-n', 'shop'],
  ['scale', 'deployment/web', '-n', 'shop', '--replicas=1'],
  ['exec', '-n', 'shop', 'deploy/web', '--', 'true'],
];
const refused = [
  ['get', 'pods', '-n', 'kube-system'],
  ['get', 'nodes'],
  ['get', 'secrets', '-n', agentNamespace],
  ['create', 'clusterrolebinding', 'x', '--clusterrole=cluster-admin', '--user=rfo:ada'],
  ['get', 'pods', '-n', 'shop', '--as=rfo:admin'],
  ['get', 'nodes', '--as=x', '--as-group=system:masters'],
];

async function checkTable(kubectl: Kubectl, person: string, way: 'door' | 'direct'): Promise<void> {
  for (const args of allowed) assert.equal((await kubectl(person, way, args)).code, 0, `${way}: ${args.join(' ')}`);
  for (const args of refused) {
    const { code, stderr } = await kubectl(person, way, args);
    assert.equal(code, 1, `${way}: ${args.join(' ')}`);
    assert.match(stderr, /[Ff]orbidden|cannot /, `${way}: ${args.join(' ')}`);
  }
}

async function checkSame({ check, life }: ScenarioContext, kubectl: Kubectl): Promise<void> {
  const works = (person: string) => async (): Promise<true | undefined> => {
    const { code, stderr } = await kubectl(person, 'direct', ['get', 'pods', '-n', 'shop']);
    assert.equal(code, 0, stderr);
    return true;
  };
  await check('straight to the cluster they are who they are through the manager, to the last group', async () => {
    for (const person of ['admin', ...people]) {
      await eventually(`${person} to be let in`, works(person), { signal: life.signal });
      const [door, direct] = await Promise.all(
        (['door', 'direct'] as const).map((way) => kubectl(person, way, ['auth', 'whoami', '-o', 'json'])),
      );
      assert.match(door?.stdout ?? '', /"username": "rfo:/);
      const infoOf = (result: RunResult | undefined): unknown => JSON.parse(result?.stdout ?? '').status.userInfo;
      assert.deepEqual(infoOf(direct), infoOf(door));
    }
  });
  await check('a member may do the same by both ways, and nothing else', async () => {
    for (const way of ['door', 'direct'] as const) await checkTable(kubectl, 'ada', way);
  });
}

async function checkSecrets({ check }: ScenarioContext, hub: Node, edge: Node): Promise<void> {
  await check('nothing in the cluster holds a token', async () => {
    const { items } = JSON.parse(await edge.kubectl(['get', 'secrets,configmaps', '-A', '-o', 'json'])) as {
      readonly items: readonly { readonly data?: Readonly<Record<string, string>> }[];
    };
    const values = items
      .flatMap(({ data = {} }) => Object.values(data))
      .flatMap((value) => [value, Buffer.from(value, 'base64').toString()]);
    assert.ok(values.some((value) => value.includes('"rfo.io/username":["ada"]')));
    for (const person of people) {
      const token = /token: "?(rfo_\S+?)"?$/m.exec(await hub.host.must(['cat', fileOf(person)]))?.[1] ?? assert.fail('no token');
      const secret = token.split('_')[2] ?? '';
      assert.equal(secret.length, 64);
      assert.ok(values.every((value) => !value.includes(secret)));
    }
  });
}

async function checkRevoked({ check, note, life }: ScenarioContext, manager: Manager, kubectl: Kubectl): Promise<void> {
  await check('who is disabled is refused by the cluster itself', async () => {
    await manager.as('admin', ['users', 'disable', 'eve']);
    const began = performance.now();
    const gone = async (): Promise<true | undefined> => {
      const { stderr } = await kubectl('eve', 'direct', ['get', 'pods', '-n', 'shop']);
      return /Unauthorized|must be logged in|provide credentials/.test(stderr) ? true : undefined;
    };
    await eventually('eve to be refused', gone, { signal: life.signal, within: 40_000 });
    const seconds = (performance.now() - began) / 1000;
    note(`refused after ${seconds.toFixed(1)} s, of which an API server itself remembers up to 10`);
  });
}

type Both = { readonly edge: Node; readonly kubectl: Kubectl };

async function checkAway({ step, check, life }: ScenarioContext, manager: Manager, { edge, kubectl }: Both): Promise<void> {
  await step('the manager is killed', async () => {
    manager.service().signal('SIGKILL');
    await manager.service().exited;
    assert.equal((await kubectl('ada', 'door', ['get', 'pods', '-n', 'shop'])).code, 1);
  });
  await check('a member works on with his rights and no more, and who was disabled does not', async () => {
    await checkTable(kubectl, 'ada', 'direct');
    assert.equal((await kubectl('eve', 'direct', ['get', 'pods', '-n', 'shop'])).code, 1);
  });
  await check('whoever answers for tokens dies: the API server goes on for everybody else, and for these when it is back', async () => {
    await edge.stop('SIGKILL');
    await edge.kubectl(['get', 'nodes']);
    await edge.kubectl(['auth', 'whoami', `--token=${(await edge.kubectl(['create', 'token', 'default'])).trim()}`]);
    const refusedOnce = async (): Promise<true | undefined> =>
      (await kubectl('ada', 'direct', ['get', 'pods', '-n', 'shop'])).code === 1 ? true : undefined;
    await eventually('the API server to forget ada', refusedOnce, { signal: life.signal, within: 40_000 });
    await edge.start();
    const again = async (): Promise<true | undefined> =>
      (await kubectl('ada', 'direct', ['get', 'pods', '-n', 'shop'])).code === 0 ? true : undefined;
    await eventually('ada to be let in again', again, { signal: life.signal });
  });
}

const webhookFile = '/etc/rancher/rfo/token-webhook.yaml';

/** As on a cluster that is not RFO's: an administrator gives its API server the file that the manager has left there. */
async function checkAgents({ step, check, life }: ScenarioContext, { edge, kubectl }: Both): Promise<void> {
  await step('the API server is told by hand to ask the agent on its node instead', async () => {
    const secret = ['get', 'secret', 'rfo-cluster-endpoint', '-n', agentNamespace, '-o', 'jsonpath={.data.webhook\\.yaml}'];
    const config = Buffer.from(await edge.kubectl(secret), 'base64').toString();
    await edge.host.writeFile(webhookFile, config, '0600');
    await edge.stop('SIGTERM');
    const before = (await edge.pids())['kube-apiserver'];
    const flag = `authentication-token-webhook-config-file=${webhookFile}`;
    await edge.configure({ 'kube-apiserver-arg': [flag, 'authentication-token-webhook-cache-ttl=0s'] });
    await edge.start();
    await edge.untilReady();
    assert.notEqual((await edge.pids())['kube-apiserver'], before);
  });
  await check('the agents let the same people in, with the manager still dead', async () => {
    const again = async (): Promise<true | undefined> => {
      const { code, stderr } = await kubectl('ada', 'direct', ['get', 'pods', '-n', 'shop']);
      assert.equal(code, 0, stderr);
      return true;
    };
    await eventually('ada to be let in by the agent', again, { signal: life.signal });
    await checkTable(kubectl, 'ada', 'direct');
    assert.equal((await kubectl('eve', 'direct', ['get', 'pods', '-n', 'shop'])).code, 1);
  });
}

async function checkEnd({ step, life }: ScenarioContext, manager: Manager, { edge, kubectl }: Both): Promise<void> {
  await step('the manager is back, and the cluster is to have no endpoint any more: it forgets all tokens', async () => {
    await manager.start();
    await manager.as('admin', ['clusters', 'change', 'edge', '--endpoint', 'off']);
    const forgotten = async (): Promise<true | undefined> => {
      assert.equal((await kubectl('ada', 'direct', ['get', 'pods', '-n', 'shop'])).code, 1);
      const left = await edge.kubectl(['get', 'secrets', '-n', agentNamespace, '-l', 'rfo.io/record=direct-user', '-o', 'name']);
      assert.equal(left, '');
      return true;
    };
    await eventually('the tokens to be forgotten', forgotten, { signal: life.signal });
  });
}
