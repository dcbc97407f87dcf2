import type { Life, Log } from '@rfo/foundation';
import type { ClusterNodes } from '../server/cluster-nodes.ts';
import type { ServerInputs } from '../server/inputs.ts';
import { rolesOf } from '../server/roles.ts';
import { createConnect } from './connect.ts';
import { egressModeOf } from './egress-config.ts';
import { routesOfNodes } from './node-routes.ts';
import { startConnectProxy } from './proxy.ts';
import { createTunnelRegistry, type TunnelRegistry } from './registry.ts';

export type EgressOptions = {
  readonly inputs: Pick<ServerInputs, 'config' | 'paths' | 'nodeName'>;
  readonly nodes: ClusterNodes;
  readonly life: Life;
  readonly log: Log;
};

/**
 * Starts what carries the API server's connections to nodes; gives where their tunnels are to be handed in. Tunnels are taken in every mode,
 * as nodes tell by them which servers live.
 */
export async function startEgress({ inputs, nodes, life, log: base }: EgressOptions): Promise<TunnelRegistry> {
  const log = base.part('egress');
  const { config, paths, nodeName: ownNode } = inputs;
  const mode = egressModeOf(config);
  const tunnels = createTunnelRegistry({ life, log });
  if (mode !== 'disabled' && rolesOf(config).apiserver) {
    const route = routesOfNodes({ nodes: nodes.informer, mode, ownNode, log });
    await startConnectProxy({ path: paths.egressSocket, connect: createConnect({ route, tunnels, log }), life, log });
  }
  return tunnels;
}
