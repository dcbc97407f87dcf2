import assert from 'node:assert/strict';
import { Agent } from 'node:https';
import { it } from 'node:test';
import { Life, silentLog } from '@rfo/foundation';
import { secretKind, startTestCluster } from '@rfo/kube';
import { certificateInfos, formatName } from '@rfo/pki';
import { joinPaths } from './api.ts';
import { createNodePasswords, nodePasswordType } from './node-passwords.ts';
import { agentToken, signing, TestServer } from './supervisor.testing.ts';

const agents = 200;
const reads = [joinPaths.ready, joinPaths.config, joinPaths.servers, joinPaths.clientCa, joinPaths.serverCa];
const certificates = [joinPaths.clientKubelet, joinPaths.servingKubelet, joinPaths.clientKubeProxy, joinPaths.clientController];

it(`lets ${agents} agents join at once, and none fails`, async (test) => {
  await using life = new Life();
  const cluster = await startTestCluster();
  life.defer(() => cluster.stop());
  const { client } = cluster;
  await using server = await TestServer.start({ nodePasswords: createNodePasswords({ client, life, log: silentLog }) });

  /** Everything that an agent asks for, in its order, on connections that it keeps. Gives the milliseconds that it took. */
  const join = async (name: string): Promise<number> => {
    const started = performance.now();
    const agent = new Agent({ keepAlive: true, maxSockets: 2 });
    try {
      assert.equal((await server.ask({ path: joinPaths.caCerts, agent })).status, 200);
      for (const path of reads) assert.equal((await server.ask({ path, agent, headers: agentToken })).status, 200, path);
      const replies = await Promise.all(certificates.map((path) => server.ask({ ...signing(path, { name }), agent })));
      for (const { status, text } of replies) assert.equal(status, 200, text);
      const [leaf] = certificateInfos(replies[0]?.text ?? '');
      assert.equal(leaf && formatName(leaf.subject), `CN=system:node:${name},O=system:nodes`);
    } finally {
      agent.destroy();
    }
    return performance.now() - started;
  };
  for (const round of ['new', 'known'] as const) {
    const before = process.cpuUsage();
    const times = await Promise.all(Array.from({ length: agents }, (_, index) => join(`agent-${index}`)));
    times.sort((one, other) => one - other);
    const at = (share: number): string => `${((times[Math.ceil(share * times.length) - 1] ?? 0) / 1000).toFixed(2)} s`;
    const { user, system } = process.cpuUsage(before);
    const processor = `${((user + system) / 1e6).toFixed(2)} s of a processor for both sides`;
    test.diagnostic(`${agents} ${round} agents: median ${at(0.5)}, p99 ${at(0.99)}, last ${at(1)}, ${processor}`);
  }
  assert.equal(server.tokens.uses.length, agents);
  const secrets = await client.list(secretKind, { fieldSelector: `type=${nodePasswordType}` });
  assert.equal(secrets.items.length, agents);
});
