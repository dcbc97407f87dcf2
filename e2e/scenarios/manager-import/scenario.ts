import assert from 'node:assert/strict';
import { eventually } from '../../harness/eventually.ts';
import { agentNamespace, importCluster, untilCluster } from '../../harness/manager/import-cluster.ts';
import { type Manager, managerOn } from '../../harness/manager/manager.ts';
import type { Node } from '../../harness/node.ts';
import { namespace, webDeployment } from '../../harness/objects.ts';
import type { Scenario, ScenarioContext } from '../../harness/scenario.ts';
import { closeHost } from '../agents/closed-host.ts';
import { checkDoor } from './through-the-door.ts';

export const scenario: Scenario = {
  name: 'manager-import',
  about: 'a cluster without an open port is imported, and people work in it through the manager, each with the rights that are his',
  short: true,
  timeout: 900_000,
  run: async (context) => {
    const { step, addNode, life } = context;
    const [hub, edge] = await Promise.all([addNode('hub'), addNode('edge')]);
    await step('two clusters get ready, one of them with no port open', async () => {
      await closeHost(edge.host);
      await Promise.all([hub, edge].map((node) => node.start()));
      await Promise.all([hub, edge].map((node) => node.untilReady()));
    });
    const manager = managerOn(hub, context);
    await step('the manager starts beside one, and its password is changed at the first sign-in', manager.open);
    const { signal } = life;
    await step('the other is imported by one line and dials out', () => importCluster(manager, { node: edge, name: 'edge', signal }));
    await step('pods run there, made through the manager', async () => {
      for (const object of [namespace('shop'), webDeployment('web', 1, 'shop')]) await applyAs(manager, object);
      await edge.wait(['-n', 'shop', '--for=condition=Available', 'deployment/web']);
    });
    await checkDoor(context, manager);
    await checkRights(context, manager);
    await checkOutages(context, manager, { hub, edge });
    await checkAudit(context, manager);
    await step('it is let go, and nothing is left there', async () => {
      await manager.as('admin', ['clusters', 'disconnect', 'edge', '--yes']);
      const gone = async (): Promise<true | undefined> => {
        const left = await edge.tryKubectl(['get', 'namespace', agentNamespace]);
        return /NotFound/.test(left.stderr) ? true : undefined;
      };
      await eventually('the agent to be gone', gone, { signal: life.signal });
      const listed = async (): Promise<true | undefined> =>
        /^edge /m.test(await manager.as('admin', ['clusters', 'list'])) ? undefined : true;
      await eventually('the cluster to be forgotten', listed, { signal: life.signal });
      const ours = await edge.kubectl([
        'get',
        'clusterroles,clusterrolebindings,rolebindings',
        '-A',
        '-l',
        'rfo.io/managed-by=manager',
        '-o',
        'name',
      ]);
      assert.equal(ours, '');
      await edge.wait(['-n', 'shop', '--for=condition=Available', 'deployment/web']);
    });
  },
};

async function applyAs(manager: Manager, object: object, person = 'admin'): Promise<void> {
  const { code, stderr } = await manager.kubectl(person, 'edge', ['apply', '--server-side', '-f', '-'], JSON.stringify(object));
  assert.equal(code, 0, stderr);
}

/** Of a project that is one namespace: what a member does, what he may not, and how fast the end of it is. */
async function checkRights({ check, note, life }: ScenarioContext, manager: Manager): Promise<void> {
  const as = async (args: readonly string[]): Promise<number> => (await manager.kubectl('ada', 'edge', args)).code;
  await check('a member of a project works in its namespace, and nowhere else', async () => {
    await manager.join('ada');
    await manager.as('admin', ['projects', 'create', 'shop', '--place', 'edge/shop', '--member', 'user:ada:member']);
    const allowed = async (): Promise<true | undefined> => ((await as(['get', 'pods', '-n', 'shop'])) === 0 ? true : undefined);
    await eventually('the rights of the member', allowed, { signal: life.signal, within: 60_000 });
    assert.equal(await as(['scale', 'deployment/web', '-n', 'shop', '--replicas=2']), 0);
    for (const refused of [
      ['get', 'pods', '-n', 'kube-system'],
      ['get', 'nodes'],
      ['get', 'namespaces'],
      ['create', 'clusterrolebinding', 'x', '--clusterrole=cluster-admin', '--user=rfo:ada'],
      ['get', 'pods', '-n', 'shop', '--as=rfo:admin'],
      ['get', 'nodes', '--as=x', '--as-group=system:masters'],
    ])
      assert.equal(await as(refused), 1, refused.join(' '));
    const other = await manager.tryAs('ada', ['kubeconfig', '--cluster', 'local', '--out', '/root/ada/local.yaml']);
    assert.match(other.stderr, /there is no Cluster "local", or it is not yours to see/);
  });
  await check('who is taken out of it loses open watches and shells at once', async () => {
    const by = { person: 'ada', cluster: 'edge' } as const;
    const open = await Promise.all([
      manager.spawnKubectl('watch', by, ['get', 'pods', '-n', 'shop', '--watch-only', '-o', 'name']),
      manager.spawnKubectl('shell', by, ['exec', '-n', 'shop', 'deploy/web', '--', 'sh', '-c', 'echo open; exec sleep 3600']),
    ]);
    const [, shell] = open;
    for await (const line of shell.lines(life.signal)) if (line === 'open') break;
    const began = performance.now();
    await manager.as('admin', ['projects', 'change', 'shop', '--remove-member', 'user:ada:member']);
    const changed = performance.now();
    await shell.exited;
    note(
      `the shell ended ${Math.max(0, performance.now() - changed).toFixed(0)} ms after the command that took ${(changed - began).toFixed(0)} ms`,
    );
    assert.equal(await as(['get', 'pods', '-n', 'shop']), 1);
    // kubectl dials again by itself, and is refused.
    for (const each of open) each.signal('SIGKILL');
  });
}

/** The way to the cluster breaks in each place: the link, the manager, the agent's Deployment. */
async function checkOutages(
  { step, check, note, life, lab }: ScenarioContext,
  manager: Manager,
  { hub, edge }: { readonly hub: Node; readonly edge: Node },
): Promise<void> {
  const cluster = { name: 'edge', signal: life.signal };
  const works = async (): Promise<true | undefined> =>
    (await manager.kubectl('admin', 'edge', ['get', '--raw', '/version', '--request-timeout=3s'])).code === 0 ? true : undefined;
  const untilWorks = async (what: string): Promise<void> => {
    const began = performance.now();
    await eventually('the cluster to answer through the manager', works, { signal: life.signal });
    note(`${what}: it answers after ${((performance.now() - began) / 1000).toFixed(1)} s`);
  };
  await step('the link is cut: the manager says that and why; it is healed, and all works again', async () => {
    await lab.cut(edge.host, hub.host);
    const { message } = await untilCluster(manager, 'Away', cluster);
    note(`it says: ${message}`);
    assert.ok(message.length > 0);
    await lab.heal();
    await untilWorks('after the link');
    await untilCluster(manager, 'Active', cluster);
  });
  await step('the manager is killed and started again: sessions and agents are back', async () => {
    manager.service().signal('SIGKILL');
    await manager.service().exited;
    await manager.start();
    await untilWorks('after the manager');
    assert.match(await manager.as('admin', ['whoami']), /^username: admin$/m);
  });
  await step('the agent’s Deployment is scaled to nothing: the path over the nodes takes over, until it is back', async () => {
    await edge.kubectl(['-n', agentNamespace, 'scale', 'deployment', '--all', '--replicas=0']);
    const via = (path: string) => async (): Promise<true | undefined> =>
      (await untilCluster(manager, 'Active', cluster)).via === path ? true : undefined;
    await eventually('the way over the nodes', via('node'), { signal: life.signal });
    await untilWorks('over the nodes');
    await edge.kubectl(['-n', agentNamespace, 'scale', 'deployment', '--all', '--replicas=2']);
    await eventually('the way over the Deployment', via('deployment'), { signal: life.signal });
  });
  await check('a foreign token opens nothing', async () => {
    const url = `${manager.address}/k8s/clusters/edge/api/v1/nodes`;
    const ask = (...flags: readonly string[]): Promise<string> =>
      hub.host.must(['curl', '-sk', '-o', '/dev/null', '-w', '%{http_code}', ...flags, url]);
    assert.equal(await ask(), '401');
    assert.equal(await ask('-H', `Authorization: Bearer rfo_x_${'0'.repeat(64)}`), '401');
  });
}

async function checkAudit({ check }: ScenarioContext, manager: Manager): Promise<void> {
  await check('the audit knows who did what where, and is whole', async () => {
    const lines = await manager.as('admin', ['audit', '--cluster', 'edge', '--limit', '1000']);
    assert.match(lines, / ada .* (exec|create) .*pods/);
    assert.match(lines, / admin .* .*deployments/);
    assert.match(await manager.as('admin', ['audit', '--verify']), /^The audit log is whole: \d+ entries/);
  });
}
