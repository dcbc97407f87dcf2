/** API servers elsewhere, for a server that runs none: a load balancer where its own would listen. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { EtcdClient } from '@rfo/etcd';
import { type Life, type Log, orAbort } from '@rfo/foundation';
import { waitForHttps } from '@rfo/process';
import { type LoadBalancer, startLoadBalancer } from '@rfo/proxy';
import { rememberServers } from '../agent/join.ts';
import { reporters } from '../agent/server-health.ts';
import { watchApiServers } from '../agent/watch-api-servers.ts';
import type { TaskComponent } from '../component/component.ts';
import { endLeft } from '../component/end-left.ts';
import type { Manager } from '../component/manager.ts';
import { readKnownServers } from '../join/join-state.ts';
import { hostAndPort } from '../join/server-address.ts';
import { type EtcdServerList, followApiServers } from './etcd-server-list.ts';
import { type ServerInputs, serverPorts } from './inputs.ts';
import { rolesOf } from './roles.ts';

export type RemoteApi = {
  readonly servers: EtcdServerList;
  readonly balancer: Pick<LoadBalancer, 'active' | 'report'>;
  /** Ready when an API server answers. */
  readonly component: TaskComponent;
};

/**
 * Listens in the place of an API server of this server's own, which is ended if an earlier rfo left it running. Which ones there are is learned from
 * etcd, and kept for the next start. Undefined on a server that has an API server.
 * @throws port-taken, join-state-unreadable
 */
export async function reachApi(given: {
  readonly inputs: Pick<ServerInputs, 'config' | 'paths'>;
  readonly etcd: EtcdClient | undefined;
  /** When this server's etcd can be asked. */
  readonly etcdServes: Promise<unknown>;
  /** Ends first: nobody is followed any more. */
  readonly access: Life;
  readonly life: Life;
  readonly log: Log;
}): Promise<RemoteApi | undefined> {
  const { inputs, etcd, etcdServes, access, life } = given;
  const { config, paths } = inputs;
  if (etcd === undefined || rolesOf(config).apiserver) return undefined;
  const log = given.log.part('api-balancer');
  await endLeft(paths.processRecords, ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler'], log);
  const known = await readKnownServers(paths);
  const initial = (known?.addresses ?? []).map(({ host }) => host);
  const servers = followApiServers({ etcd, etcdServes, initial, life: access, log });
  const addressesOf = (hosts: readonly string[]): string[] => hosts.map((host) => hostAndPort({ host, port: serverPorts.apiserver }));
  const balancer = await startLoadBalancer({
    listen: { host: '127.0.0.1', port: serverPorts.apiserver },
    servers: addressesOf(initial),
    ...{ life, log },
  });
  servers.onChange((hosts) => {
    balancer.setServers(addressesOf(hosts));
    rememberServers(paths, hosts).catch((error: unknown) => log.warn('the list of servers cannot be kept for the next start', { error }));
  });
  const reporter = reporters(balancer);
  const component = apiBalancerComponent({ inputs, servers, balancer, report: reporter() });
  return { servers, balancer: { active: balancer.active, report: reporter() }, component };
}

/** A server that waits for the first API server of its cluster has done all that it can before: who started it may go on to the next. */
export async function untilReady(given: {
  readonly manager: Pick<Manager, 'allReady' | 'whenReady'>;
  readonly remoteApi: Pick<RemoteApi, 'servers'> | undefined;
  readonly log: Log;
}): Promise<string> {
  const { manager, remoteApi, log } = given;
  const said = 'the node is ready';
  const all = manager.allReady();
  if (remoteApi === undefined) return await all.then(() => said);
  const { servers } = remoteApi;
  await Promise.race([all, Promise.all([manager.whenReady('etcd'), servers.synced])]);
  if (servers.current().length > 0) return await all.then(() => said);
  all.then(
    () => log.info(said),
    // The log has its reason.
    () => undefined,
  );
  return 'etcd and the join API serve: the node gets ready once the cluster has an API server';
}

function apiBalancerComponent(given: {
  readonly inputs: Pick<ServerInputs, 'paths'>;
  readonly servers: EtcdServerList;
  readonly balancer: LoadBalancer;
  readonly report: LoadBalancer['report'];
}): TaskComponent {
  const { inputs, servers, balancer, report } = given;
  const file = (name: string): string => join(inputs.paths.server.tls, name);
  const files = { ca: file('server-ca.crt'), cert: file('client-supervisor.crt'), key: file('client-supervisor.key') };
  const read = (path: string): Promise<string> => readFile(path, 'utf8');
  return {
    kind: 'task',
    name: 'api-balancer',
    needs: [],
    run: async ({ life, log, note }) => {
      if (servers.current().length === 0) {
        note('there is no API server yet');
        await orAbort(servers.synced, life.signal);
        if (servers.current().length === 0) {
          log.info(
            'the cluster has no API server yet: what needs one waits for a server that runs it to join; etcd and the join API serve',
          );
        }
        await orAbort(firstOf(servers), life.signal);
      }
      const [ca, cert, key] = await Promise.all([read(files.ca), read(files.cert), read(files.key)]);
      const url = `https://127.0.0.1:${serverPorts.apiserver}/readyz`;
      await waitForHttps({ url, ca, cert, key }, { signal: life.signal, note });
      watchApiServers({ balancer, report, files, life, log });
    },
  };
}

/** Resolves when one is known. */
function firstOf(servers: EtcdServerList): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (servers.current().length === 0) return;
      stop();
      resolve();
    };
    const stop = servers.onChange(look);
    look();
  });
}
