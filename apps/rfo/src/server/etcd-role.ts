/** What a server has to do with etcd: it is a member, or reaches those that are; it becomes the one or the other before anything is started. */
import { join } from 'node:path';
import { createEtcdClient, type EtcdClient } from '@rfo/etcd';
import { type Clock, fail, type Life, type Log } from '@rfo/foundation';
import type { Informer } from '@rfo/kube';
import type { TaskComponent } from '../component/component.ts';
import { runAlone } from '../component/run-alone.ts';
import { leaveCluster } from '../etcd-cluster/leave-cluster.ts';
import { createMemberService, type MemberService } from '../etcd-cluster/member-service.ts';
import type { Membership } from '../etcd-cluster/membership.ts';
import { prepareMember } from '../etcd-cluster/prepare-member.ts';
import { createPeerProbe, peerFiles } from '../etcd-cluster/probe-peer.ts';
import type { Paths } from '../paths.ts';
import type { ClusterNode } from './cluster-nodes.ts';
import { etcdComponent } from './components.ts';
import { type ServerInputs, serverPorts } from './inputs.ts';
import { askServer, membersClient } from './join.ts';
import { reachEtcd } from './remote-etcd.ts';
import { rolesOf } from './roles.ts';

export type EtcdRole = {
  /** A client of this server's own etcd; undefined where it has none. */
  readonly own: EtcdClient | undefined;
  /** The members, for servers that join. */
  readonly members: MemberService;
  /** What this server's etcd is started with. */
  readonly membership: () => Promise<Membership>;
  /** Rejects with etcd-member-removed when this server's member is removed while it runs. */
  readonly removed: Promise<never>;
  /** Beside etcd, or in its place. */
  readonly components: (given: {
    readonly nodes: Informer<ClusterNode>;
    /** Starts etcd anew while it joins. */
    readonly restartEtcd: () => void;
  }) => readonly TaskComponent[];
};

type Options = {
  readonly inputs: ServerInputs;
  readonly life: Life;
  /** Ends the waiting for other servers. */
  readonly cancelled: AbortSignal;
  readonly log: Log;
  readonly clock: Clock;
};

/** @throws what `prepareMember`, `leaveCluster` and `reachEtcd` throw */
export async function takeEtcdRole(options: Options): Promise<EtcdRole> {
  return rolesOf(options.inputs.config).etcd ? await beMember(options) : await doWithout(options);
}

async function beMember({ inputs, life, cancelled, log, clock }: Options): Promise<EtcdRole> {
  const asking = { inputs, clock };
  const member = await prepareMember({ ...inputs, join: membersClient(asking), ask: askServer(asking), life, cancelled, log, clock });
  const own = ownEtcd(inputs.paths, life);
  return {
    own,
    members: createMemberService({ etcd: own }),
    membership: member.membership,
    removed: member.removed,
    components: ({ restartEtcd }) => {
      const task = member.joinTask(own, restartEtcd);
      return task === undefined ? [] : [task];
    },
  };
}

async function doWithout({ inputs, life, cancelled, log, clock }: Options): Promise<EtcdRole> {
  const asking = { inputs, clock };
  const cluster = membersClient(asking);
  if (cluster === undefined) throw fail('internal', { what: 'a server without etcd has no other to join' });
  await using leaving = life.child();
  await leaveCluster({
    ...inputs,
    ...{ join: cluster, ask: askServer(asking), log, clock, signal: AbortSignal.any([life.signal, cancelled]) },
    run: (membership) => runAlone(etcdComponent(inputs, { membership, etcdIsBusy: () => false }), { log, clock }),
    etcd: ownEtcd(inputs.paths, leaving),
    probe: createPeerProbe(peerFiles(inputs.paths)),
  });
  const remote = await reachEtcd({ inputs, clock, life, log });
  return {
    own: undefined,
    members: remote.members,
    membership: () => Promise.reject(fail('internal', { what: 'this server has no etcd' })),
    removed: new Promise(() => undefined),
    components: ({ nodes }) => [remote.component(nodes)],
  };
}

/** A client of this server's own etcd, closed with the life. */
function ownEtcd(paths: Paths, life: Life): EtcdClient {
  const file = (name: string): string => join(paths.server.etcdTls, name);
  const endpoint = `https://127.0.0.1:${serverPorts.etcdHttp}`;
  const client = createEtcdClient({ endpoint, ca: file('server-ca.crt'), cert: file('client.crt'), key: file('client.key') });
  life.defer(() => client.close());
  return client;
}
