import { managerOn } from '../../harness/manager/manager.ts';
import { requestsOn } from '../../harness/manager/requests.ts';
import { namespace, pod } from '../../harness/objects.ts';
import type { Scenario } from '../../harness/scenario.ts';
import { checkBadInput } from './bad-input.ts';
import { checkCanaries } from './canaries.ts';
import { makeCastle } from './castle.ts';
import { checkLeftovers } from './leftovers.ts';
import { checkLimits, sendSlowly } from './limits.ts';
import { checkRoutes } from './routes.ts';
import { checkSmuggling } from './smuggling.ts';

export const scenario: Scenario = {
  name: 'manager-sweep',
  about: 'every route of the manager is tried by those who may not, with what broke managers of clusters before',
  short: true,
  timeout: 900_000,
  run: async (context) => {
    const { step, addNode, life } = context;
    const { signal } = life;
    const hub = await addNode('hub');
    await step('a cluster gets ready', async () => {
      await hub.start();
      await hub.untilReady();
    });
    const manager = managerOn(hub, context);
    const requests = requestsOn(hub, manager, signal);
    await step('the manager starts beside it', manager.open);
    const slow = sendSlowly({ requests, manager });
    // It is awaited at the end, unless something fails before.
    slow.catch(() => undefined);
    await hub.apply(namespace('shop'), pod('web', { namespace: 'shop' }));
    const castle = await step('there is something to find', () => makeCastle(manager, requests, signal));
    await checkRoutes(context, castle);
    await checkSmuggling(context, castle);
    await checkBadInput(context, castle, hub);
    await checkLeftovers(context, castle);
    await checkLimits(context, castle, slow);
    await checkCanaries(context, castle, hub);
  },
};
