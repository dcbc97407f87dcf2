import { joinConfig } from '../../harness/cluster.ts';
import type { Scenario } from '../../harness/scenario.ts';
import { killFirst, killJoiner } from './deaths.ts';
import { joinAfterFaults, refuseAgents } from './refuse-agents.ts';
import { refuseServers } from './refuse-servers.ts';
import { checkSecrets } from './secrets.ts';
import { agentPassword, makeTokens } from './tokens.ts';
import { untilJoined } from './watch-join.ts';

export const scenario: Scenario = {
  name: 'join-faults',
  about: 'whatever goes wrong with a join is said in one sentence, leaves nothing in the cluster, and a good join works afterwards',
  short: false,
  timeout: 1_800_000,
  run: async (context) => {
    const { step } = context;
    const first = await context.addNode('server-1', { config: { 'agent-token': agentPassword } });
    await step('server-1 gets ready', async () => {
      await first.start();
      await first.untilReady();
    });
    const tokens = await makeTokens(context, first);

    const agent = await context.addNode('agent-1', { role: 'agent', through: first });
    await refuseAgents(context, { agent, first, tokens });
    const second = await context.addNode('server-2', { through: first });
    await refuseServers(context, { joiner: second, first, tokens });
    await joinAfterFaults(context, { agent, first, tokens });
    await checkSecrets(context, { nodes: [first, agent, second, tokens.other], tokens });
    await step('the agents end', async () => {
      for (const node of [agent, tokens.other]) await node.stop('SIGINT');
      // The scheduler would take them for alive for a while.
      await first.kubectl(['delete', 'node', tokens.other.host.name]);
      await first.kubectl(['cordon', agent.host.name]);
    });

    await second.configure(await joinConfig(first, 'server'));
    await killFirst(context, { joiner: second, first });
    const third = await context.addNode('server-3', { through: first, config: await joinConfig(first, 'server') });
    await killJoiner(context, { joiner: third, servers: [first, second] });
    await checkSecrets(context, { nodes: [first, second, third], tokens });
    await step('an agent that joined before is none the worse for it', async () => {
      await agent.start();
      await untilJoined(agent, { through: first, context });
    });
  },
};
