/** What a server sees to in its cluster once the API answers: one task each, which starts and ends with the components. */
import type { EtcdClient } from '@rfo/etcd';
import { type Clock, orAbort } from '@rfo/foundation';
import type { KubeClient } from '@rfo/kube';
import type { TaskComponent } from '../component/component.ts';
import { careForMembers } from '../etcd-cluster/care-for-members.ts';
import { type ClockSource, careForClocks } from '../etcd-cluster/clock-skew.ts';
import { createPeerProbe, peerFiles } from '../etcd-cluster/probe-peer.ts';
import { careForSpace } from '../etcd-cluster/space.ts';
import { takeTurns } from '../etcd-cluster/take-turns.ts';
import { tellNode } from '../etcd-cluster/tell-node.ts';
import { ensureNodePassword } from '../join/node-password.ts';
import { readBootstrapData } from '../supervisor/bootstrap-data.ts';
import type { NodePasswords } from '../supervisor/node-passwords.ts';
import { removeOrphanPasswords } from '../supervisor/remove-orphan-passwords.ts';
import { type BootstrapVault, createBootstrapVault } from '../tokens/bootstrap-vault.ts';
import { followClusterTokens } from '../tokens/follow-cluster-tokens.ts';
import { endpointComponent, hasEndpoint } from './authorized-endpoint.ts';
import type { ClusterNodes } from './cluster-nodes.ts';
import { type ServerInputs, serverPorts } from './inputs.ts';
import { serverClient } from './join.ts';
import { apiPart, etcdPart, rolesOf } from './roles.ts';

export type ClusterTasks = {
  readonly inputs: ServerInputs;
  readonly client: KubeClient;
  /** Of this server's own etcd; undefined where it has none. */
  readonly etcd: EtcdClient | undefined;
  readonly nodes: ClusterNodes;
  readonly nodePasswords: NodePasswords;
  /** Addresses of all servers with an API server. */
  readonly servers: () => readonly string[];
  /** This server's etcd may be started anew with other timers. */
  readonly restartEtcd: () => Promise<void>;
  /** Resolves when the start leaves a processor free for work that can wait. */
  readonly spare: () => Promise<void>;
  /** Told how to ask whether etcd is busy with itself. */
  readonly onSpaceCare: (busy: () => boolean) => void;
  readonly clock: Clock;
};

export function clusterTasks(tasks: ClusterTasks): TaskComponent[] {
  const { inputs, client, etcd, nodes, nodePasswords, clock } = tasks;
  const { paths, nodeName } = inputs;
  const api = [apiPart(rolesOf(inputs.config))];
  const vault = etcd && createVault({ ...tasks, etcd });
  return [
    task('cluster-tokens', api, ({ life, log }) => followClusterTokens({ paths, client, life, log, clock, ...(vault && { vault }) })),
    ...(etcd === undefined ? [] : etcdTasks({ ...tasks, etcd })),
    task('clocks', api, async ({ life, log }) => careForClocks({ servers: () => otherServers(tasks), life, log })),
    ...(hasEndpoint(inputs.config) ? [endpointComponent({ paths, client, clock })] : []),
    // Nobody else may join under this server's name.
    task('node-password', api, async ({ life }) => nodePasswords.check(nodeName, await ensureNodePassword(paths), life.signal)),
    task('orphan-passwords', api, async ({ life, log }) => removeOrphanPasswords({ client, nodes: nodes.informer, life, log, clock })),
  ];
}

type EtcdTasks = ClusterTasks & { readonly etcd: EtcdClient };

function createVault({ etcd, inputs: { paths }, clock, spare }: EtcdTasks): BootstrapVault {
  const opened = createBootstrapVault({ etcd, paths, read: () => readBootstrapData(paths), clock });
  return {
    ...opened,
    save: async (signal) => {
      // Sealing takes a processor for a third of a second, which the start has better use for.
      await orAbort(spare(), signal);
      await opened.save(signal);
    },
  };
}

/** What a server with etcd sees to. Members come and go also while the cluster has no API server. */
function etcdTasks({ inputs, client, etcd, nodes, clock, restartEtcd, onSpaceCare }: EtcdTasks): TaskComponent[] {
  const { config, paths, nodeName, nodeIp } = inputs;
  const roles = rolesOf(config);
  const probe = createPeerProbe(peerFiles(paths));
  const members = { paths, nodeName, nodeIp, etcd, client, nodes: nodes.informer, probe, onOutgrown: restartEtcd, clock };
  return [
    task('etcd-members', [roles.apiserver ? apiPart(roles) : etcdPart(roles)], async ({ life, log }) =>
      careForMembers({ ...members, life, log }),
    ),
    task('etcd-space', [apiPart(roles)], async ({ life, log }) => {
      const tell = tellNode({ client, nodeName, life, log, clock });
      const care = careForSpace({ etcd, probe, tell, oneAtATime: takeTurns({ client, nodeName, log }), life, log });
      onSpaceCare(care.busy);
    }),
  ];
}

function task(name: string, needs: readonly string[], run: TaskComponent['run']): TaskComponent {
  return { kind: 'task', name, needs, run };
}

function otherServers({ servers, inputs, clock }: ClusterTasks): readonly ClockSource[] {
  return servers()
    .filter((host) => host !== inputs.advertiseAddress && host !== inputs.nodeIp)
    .map((host) => ({
      name: host,
      ahead: async (signal: AbortSignal) => {
        using client = await serverClient({ addresses: [{ host, port: serverPorts.supervisor }], inputs, clock, signal });
        return (await client.config()).clockAhead;
      },
    }));
}
