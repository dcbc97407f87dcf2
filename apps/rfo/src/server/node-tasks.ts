/** What is done for a server's own node: the rights of its controllers, and what its Node shows. */
import type { Clock } from '@rfo/foundation';
import type { KubeClient } from '@rfo/kube';
import { waitForTcp } from '@rfo/process';
import type { TaskComponent } from '../component/component.ts';
import { forgetMember } from '../etcd-cluster/forget-member.ts';
import { fieldManager, nodeControllerRights, serverNodeLabels } from './cluster-objects.ts';
import { serverPorts } from './inputs.ts';
import { nodeReady } from './node-state.ts';
import { etcdPart, type Roles } from './roles.ts';

/**
 * Ready as soon as the API server accepts connections, a second and a half before it calls itself ready: kubelet, which needs no more than
 * the node authorizer, is up by then.
 */
export function apiPortComponent(roles: Roles): TaskComponent {
  return {
    kind: 'task',
    name: 'api-port',
    needs: [etcdPart(roles)],
    run: ({ life, note }) => waitForTcp({ host: '127.0.0.1', port: serverPorts.apiserver }, { signal: life.signal, note }),
  };
}

/** What flannel and the node's own controllers may do; asked for before they start. */
export function rightsComponent(client: KubeClient): TaskComponent {
  return {
    kind: 'task',
    name: 'rights',
    needs: ['api-port'],
    run: async ({ life }) => {
      const options = { fieldManager, force: true, signal: life.signal };
      await Promise.all(nodeControllerRights().map((object) => client.apply(object, options)));
    },
  };
}

/** The node as users see it: its roles, and Ready. With a network of the user's own, Ready is his to bring about. */
export function nodeComponent(given: {
  readonly client: KubeClient;
  readonly nodeName: string;
  readonly roles: Roles;
  readonly foreignNetwork: boolean;
  readonly clock: Clock;
}): TaskComponent {
  const { client, nodeName, roles, foreignNetwork, clock } = given;
  return {
    kind: 'task',
    name: 'node',
    needs: ['kubelet'],
    run: async ({ life, log, note }) => {
      const { signal } = life;
      await client.apply(serverNodeLabels(nodeName, roles), { fieldManager, force: true, signal });
      if (!roles.etcd) await forgetMember({ client, nodeName, now: new Date(clock.now()), signal });
      note(`node ${nodeName} is not Ready yet`);
      if (!foreignNetwork) await nodeReady({ client, nodeName, signal, log });
    },
  };
}
