/** etcd on other servers, for one that runs none: a load balancer where its own would listen, which follows the members. */
import { Agent } from 'node:https';
import { type Clock, fail, type Life, type Log, sleep, toRfoError } from '@rfo/foundation';
import type { Informer } from '@rfo/kube';
import { startLoadBalancer } from '@rfo/proxy';
import type { TaskComponent } from '../component/component.ts';
import { endLeft } from '../component/end-left.ts';
import type { MemberService } from '../etcd-cluster/member-service.ts';
import { readKnownMembers, writeKnownMembers } from '../etcd-cluster/membership.ts';
import { isMembersNode } from '../etcd-cluster/node-member.ts';
import { createPeerProbe, peerFiles } from '../etcd-cluster/probe-peer.ts';
import { parseServerAddress, type ServerAddress } from '../join/server-address.ts';
import type { SupervisorClient } from '../join/supervisor-client.ts';
import type { EtcdPeer } from '../supervisor/api.ts';
import type { ClusterNode } from './cluster-nodes.ts';
import { forwardMembers } from './forward-members.ts';
import { type ServerInputs, serverPorts } from './inputs.ts';
import { serverClient } from './join.ts';
import { watchMembers } from './watch-members.ts';

export type RemoteEtcd = {
  readonly members: MemberService;
  /** Ready when a member answers; from then on the list is kept. */
  readonly component: (nodes: Informer<ClusterNode>) => TaskComponent;
};

/** Milliseconds between two looks at who the members are, where nothing tells that they have changed; and while one of them is joining. */
const lookEvery = 60_000;
const lookWhileJoining = 2_000;

/**
 * Listens in the place of an etcd of this server's own, which has ended or is ended. The API server needs no restart when members come and go: their list changes behind it.
 * @throws port-taken
 */
export async function reachEtcd(given: {
  readonly inputs: ServerInputs;
  readonly clock: Clock;
  readonly life: Life;
  readonly log: Log;
}): Promise<RemoteEtcd> {
  const { inputs, clock, life } = given;
  const { config, paths } = inputs;
  const log = given.log.part('etcd-balancer');
  const configured = config.server.map(parseServerAddress);
  await endLeft(paths.processRecords, ['etcd'], log);
  let members = await readKnownMembers(paths);
  let wake = new AbortController();

  const balancer = await startLoadBalancer({
    listen: { host: '127.0.0.1', port: serverPorts.etcdClient },
    servers: clientAddresses(members),
    ...{ life, log },
    // The one that was used has failed: others may have taken its place.
    onChange: () => wake.abort(),
  });
  const connect = async (signal: AbortSignal): Promise<SupervisorClient> => {
    const hosts = members.flatMap(({ peerUrls }) => peerUrls.map((url) => new URL(url).hostname));
    const known = [...new Set(hosts)].map((host): ServerAddress => ({ host, port: serverPorts.supervisor }));
    const [first, ...others] = [...known, ...configured];
    if (first === undefined) throw fail('internal', { what: 'a server without etcd knows of no server with it' });
    return await serverClient({ addresses: [first, ...others], inputs, clock, signal });
  };
  const look = async (signal: AbortSignal): Promise<void> => {
    using client = await connect(signal);
    const now = await client.members();
    const [before, after] = [members, now].map(clientAddresses);
    members = now;
    await writeKnownMembers(paths, now);
    if (before?.join() === after?.join()) return;
    balancer.setServers(clientAddresses(now));
    log.info(`follows ${after?.length} members of etcd`, { members: after?.join(', ') });
  };
  const follow = async (signal: AbortSignal, own: Log): Promise<void> => {
    let told = '';
    while (!signal.aborted) {
      wake = new AbortController();
      try {
        await look(signal);
        told = '';
      } catch (error) {
        const { message } = toRfoError(error);
        if (!signal.aborted && message !== told) own.warn('cannot ask who the members of etcd are', { because: message });
        told = message;
      }
      const pause = members.some(({ isLearner }) => isLearner) ? lookWhileJoining : lookEvery;
      await sleep(pause, AbortSignal.any([signal, wake.signal])).catch(() => undefined);
      // Several changes come together.
      await sleep(1_000, signal).catch(() => undefined);
    }
  };

  const component = (nodes: Informer<ClusterNode>): TaskComponent => ({
    kind: 'task',
    name: 'etcd-balancer',
    needs: [],
    run: async ({ life: own, log: ownLog, note }) => {
      const unsubscribe = nodes.subscribe(({ before, after }) => {
        if (memberNameOf(before) !== memberNameOf(after)) wake.abort();
      });
      own.defer(unsubscribe);
      const following = follow(own.signal, ownLog);
      own.defer(() => following);
      const agent = new Agent({ keepAlive: true, maxFreeSockets: 1 });
      own.defer(() => agent.destroy());
      const probe = createPeerProbe(peerFiles(paths), { within: 1_000, agent });
      await watchMembers({
        members: () => votersOf(members).flatMap((member) => addressesOf(member).map((address) => ({ address, ...member }))),
        ...{ balancer, probe, note, life: own, log: ownLog },
      });
    },
  });
  const forwarded = forwardMembers(connect);
  const add: MemberService['add'] = async (wish, signal) => {
    const all = await forwarded.add(wish, signal);
    wake.abort();
    return all;
  };
  return { members: { ...forwarded, add }, component };
}

function votersOf(members: readonly EtcdPeer[]): readonly EtcdPeer[] {
  return members.filter(({ isLearner }) => !isLearner);
}

function addressesOf({ clientUrls }: EtcdPeer): readonly string[] {
  return clientUrls.map((url) => new URL(url).host);
}

/** `host:port` of those that serve clients: learners do not. */
function clientAddresses(members: readonly EtcdPeer[]): readonly string[] {
  return votersOf(members).flatMap(addressesOf);
}

function memberNameOf(node: ClusterNode | undefined): string | undefined {
  return isMembersNode(node) ? JSON.stringify(node?.metadata.annotations) : undefined;
}
