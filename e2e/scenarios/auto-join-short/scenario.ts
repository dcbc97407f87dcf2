import assert from 'node:assert/strict';
import { eventually } from '../../harness/eventually.ts';
import { webDeployment } from '../../harness/objects.ts';
import type { Scenario } from '../../harness/scenario.ts';
import { caPorts, publishPrograms, rfoInstallation, seedFolder, serveAuthority, succeeds } from '../auto-join/authority.ts';
import { externalConfig, startExternal } from '../auto-join/external-server.ts';
import { bootSeeded, joinLog, seedWord, untilCloudInit, untilNodeReady } from '../auto-join/seeded-host.ts';

export const scenario: Scenario = {
  name: 'auto-join-short',
  about:
    'a host that knows only where its seed is becomes a Ready agent by cloud-init, with its control plane outside the cluster, and runs pods',
  short: true,
  timeout: 600_000,
  run: async (context) => {
    const { step, addNode, life, note } = context;
    const server = await addNode('control', { config: externalConfig });
    const authority = await step('a control plane, a CA and a seed server start outside the cluster', async () => {
      const [, service] = await Promise.all([startExternal(context, server), serveAuthority(context, server)]);
      return service;
    });
    await step('user data is written for one host', async () => {
      const program = await publishPrograms(server, 'rfo', await rfoInstallation());
      const urls = ['--server', `https://${server.host.ip}:9345`, '--seed-url', `http://${server.host.ip}:${caPorts.seed}`];
      await succeeds(server, [
        'ca',
        'join-config',
        '--node',
        'worker-1',
        ...urls,
        '--seed',
        seedFolder,
        '--program',
        program,
        '--label',
        'bgp=worker',
      ]);
    });
    const begin = performance.now();
    const host = await step('the host is switched on, and cloud-init does what the seed says', async () => {
      const made = await bootSeeded(context, 'worker-1', [seedWord(server, 'worker-1')]);
      await untilCloudInit(made);
      return made;
    });
    await step('it becomes a Ready node with nothing typed', async () => {
      await untilNodeReady(context, { server, host, name: 'worker-1' });
      note(`Ready ${((performance.now() - begin) / 1000).toFixed(1)} s after it was switched on`);
      assert.equal(await server.kubectl(['get', 'nodes', '-l', 'bgp=worker', '-o', 'name']), 'node/worker-1\n');
      assert.equal(await server.kubectl(['get', 'nodes', '-o', 'name']), 'node/worker-1\n');
    });
    await step('pods run on it', async () => {
      await server.apply(webDeployment('web', 2));
      await server.wait(['--for=condition=Available', 'deployment/web']);
    });
    await step('the seed server has heard of it, and gives the secret to nobody any more', async () => {
      const joined = async (): Promise<true | undefined> =>
        /"status":"joined"/.test((await server.host.exec(['cat', `${seedFolder}/hosts/worker-1/report.json`])).stdout) ? true : undefined;
      await eventually('the report of worker-1', joined, { signal: life.signal }).catch(async (error: unknown) => {
        throw new Error(`${String(error)}\n${await joinLog(host)}`);
      });
      const url = `http://${server.host.ip}:${caPorts.seed}/worker-1/user-data`;
      assert.equal(await host.must(['curl', '-sS', url]), '#cloud-config\n# This host has joined.\n{}\n');
      assert.equal((await server.host.exec(['curl', '-sS', '-w', '%{http_code}', url])).stdout, 'refused: held-by-another\n403');
    });
    authority.signal('SIGTERM');
    assert.equal(await authority.exited, 0);
  },
};
