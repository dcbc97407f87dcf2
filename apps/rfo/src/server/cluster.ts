/** This server's part in its cluster: who may join, who is there, and the ways to the nodes; all of it behind port 9345. */
import type { Clock, Life, Log } from '@rfo/foundation';
import type { KubeClient } from '@rfo/kube';
import { clusterSettingsOf } from '@rfo/schema';
import { acceptTunnel } from '@rfo/tunnel';
import { createServerList } from '../agent/server-list.ts';
import type { ServerList } from '../agent/track-servers.ts';
import { leafLifetimeOf } from '../certificates/lifetime.ts';
import type { TunnelRegistry } from '../egress/registry.ts';
import { startEgress } from '../egress/start-egress.ts';
import type { MemberService } from '../etcd-cluster/member-service.ts';
import type { SupervisorInputs } from '../supervisor/inputs.ts';
import { createNodePasswords, type NodePasswords } from '../supervisor/node-passwords.ts';
import { type Supervisor, startSupervisor } from '../supervisor/start.ts';
import { createTokenVerifier } from '../tokens/verifier.ts';
import { type ClusterNodes, followNodes } from './cluster-nodes.ts';
import { type ServerInputs, serverPorts } from './inputs.ts';
import type { Findings } from './look.ts';

export type Cluster = {
  readonly nodes: ClusterNodes;
  readonly nodePasswords: NodePasswords;
  readonly serverList: ServerList;
  /** Addresses of all servers with an API server. */
  readonly servers: () => readonly string[];
  readonly tunnels: TunnelRegistry;
  /** To be called when an API server answers for the first time. */
  readonly apiServes: () => void;
  /** Opens port 9345. @throws port-taken */
  readonly listen: (given: Pick<SupervisorInputs, 'ready' | 'apiServes' | 'metrics'>) => Promise<Supervisor>;
};

/** Opens what must be there before the components start: among it the socket by which the API server reaches nodes. */
export async function openCluster(given: {
  readonly inputs: ServerInputs;
  readonly client: KubeClient;
  /** The members of etcd, for servers that join. */
  readonly members: MemberService;
  /** Which API servers there are, where this server has none of its own to tell it. */
  readonly serverList: ServerList | undefined;
  readonly findings: Pick<Findings, 'version'>;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly life: Life;
  readonly log: Log;
  readonly clock: Clock;
}): Promise<Cluster> {
  const { inputs, client, members, findings, env, life, log, clock } = given;
  const { config, paths } = inputs;
  const serving = Promise.withResolvers<void>();
  const tokens = createTokenVerifier({ paths, client, apiServes: serving.promise, life, log, clock });
  tokens.synced.catch(() => undefined);
  const apiServes = serving.promise;
  const nodes = followNodes({ client, apiServes, life, log });
  const nodePasswords = createNodePasswords({ client, life, log, clock });
  const serverList = given.serverList ?? createServerList({ client, apiServes, initial: [inputs.advertiseAddress], life, log });
  const tunnels = await startEgress({ inputs, nodes, life, log });
  const settings = clusterSettingsOf(config);
  return {
    ...{ nodes, nodePasswords, serverList, tunnels },
    servers: serverList.current,
    apiServes: serving.resolve,
    listen: (asked) =>
      startSupervisor({
        ...{ paths, life, log, clock, tokens, nodePasswords, members, ...asked },
        bindAddress: config['bind-address'],
        leafLifetime: leafLifetimeOf(env),
        joinConfig: () => ({ settings, versions: findings.version, time: clock.now() }),
        servers: () => serverList.current().map((host) => `https://${host}:${serverPorts.supervisor}`),
        nodeIsKnown: nodes.isKnown,
        onTunnel: (socket, nodeName) => tunnels.register(nodeName, acceptTunnel(socket)),
      }),
  };
}
