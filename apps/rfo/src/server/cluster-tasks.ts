/** What a server sees to in its cluster once the API answers: one task each, which starts and ends with the components. */
import { join } from 'node:path';
import { createEtcdClient, type EtcdClient } from '@rfo/etcd';
import { type Clock, orAbort } from '@rfo/foundation';
import type { KubeClient } from '@rfo/kube';
import type { TaskComponent } from '../component/component.ts';
import { careForMembers } from '../etcd-cluster/care-for-members.ts';
import { type ClockSource, careForClocks } from '../etcd-cluster/clock-skew.ts';
import { createPeerProbe } from '../etcd-cluster/probe-peer.ts';
import { careForSpace } from '../etcd-cluster/space.ts';
import { takeTurns } from '../etcd-cluster/take-turns.ts';
import { tellNode } from '../etcd-cluster/tell-node.ts';
import { ensureNodePassword } from '../join/node-password.ts';
import type { Paths } from '../paths.ts';
import { readBootstrapData } from '../supervisor/bootstrap-data.ts';
import type { NodePasswords } from '../supervisor/node-passwords.ts';
import { removeOrphanPasswords } from '../supervisor/remove-orphan-passwords.ts';
import { createBootstrapVault } from '../tokens/bootstrap-vault.ts';
import { followClusterTokens } from '../tokens/follow-cluster-tokens.ts';
import type { ClusterNodes } from './cluster-nodes.ts';
import { type ServerInputs, serverPorts } from './inputs.ts';
import { serverClient } from './join.ts';

export type ClusterTasks = {
  readonly inputs: ServerInputs;
  readonly client: KubeClient;
  readonly etcd: EtcdClient;
  readonly nodes: ClusterNodes;
  readonly nodePasswords: NodePasswords;
  /** Addresses of all servers with an API server. */
  readonly servers: () => readonly string[];
  /** This server's etcd may be started anew with other timers. */
  readonly restartEtcd: () => Promise<void>;
  /** Resolves when every component is ready. */
  readonly allReady: () => Promise<void>;
  /** Told how to ask whether etcd is busy with itself. */
  readonly onSpaceCare: (busy: () => boolean) => void;
  readonly clock: Clock;
};

/** A client of this server's own etcd. */
export function ownEtcd(paths: Paths): EtcdClient {
  const file = (name: string): string => join(paths.server.etcdTls, name);
  const endpoint = `https://127.0.0.1:${serverPorts.etcdHttp}`;
  return createEtcdClient({ endpoint, ca: file('server-ca.crt'), cert: file('client.crt'), key: file('client.key') });
}

export function clusterTasks(tasks: ClusterTasks): TaskComponent[] {
  const { inputs, client, etcd, nodes, nodePasswords, clock } = tasks;
  const { paths, nodeName, nodeIp } = inputs;
  const opened = createBootstrapVault({ etcd, paths, read: () => readBootstrapData(paths), clock });
  const vault: typeof opened = {
    ...opened,
    save: async (signal) => {
      // Sealing takes a processor for a third of a second, which the start has better use for.
      await orAbort(tasks.allReady(), signal);
      await opened.save(signal);
    },
  };
  const probe = createPeerProbe({
    ca: join(paths.server.etcdTls, 'peer-ca.crt'),
    cert: join(paths.server.etcdTls, 'peer-server-client.crt'),
    key: join(paths.server.etcdTls, 'peer-server-client.key'),
  });
  const task = (name: string, needs: readonly string[], run: TaskComponent['run']): TaskComponent => ({ kind: 'task', name, needs, run });
  const api = ['kube-apiserver'];
  return [
    task('cluster-tokens', api, ({ life, log }) => followClusterTokens({ paths, client, vault, life, log, clock })),
    task('etcd-members', api, async ({ life, log }) =>
      careForMembers({
        paths,
        nodeName,
        nodeIp,
        etcd,
        client,
        nodes: nodes.informer,
        probe,
        onOutgrown: tasks.restartEtcd,
        life,
        log,
        clock,
      }),
    ),
    task('etcd-space', api, async ({ life, log }) => {
      const tell = tellNode({ client, nodeName, life, log, clock });
      const care = careForSpace({ etcd, probe, tell, oneAtATime: takeTurns({ client, nodeName, log }), life, log });
      tasks.onSpaceCare(care.busy);
    }),
    task('clocks', api, async ({ life, log }) => careForClocks({ servers: () => otherServers(tasks), life, log })),
    // Nobody else may join under this server's name.
    task('node-password', api, async ({ life }) => nodePasswords.check(nodeName, await ensureNodePassword(paths), life.signal)),
    task('orphan-passwords', api, async ({ life, log }) => removeOrphanPasswords({ client, nodes: nodes.informer, life, log, clock })),
  ];
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
