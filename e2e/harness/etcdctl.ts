/** etcdctl with a server's own certificates: looks below the API server. */
import { dataDir, type Node } from './node.ts';

const tls = `${dataDir}/server/tls/etcd`;

/** Asks the etcd member on the server's own host. */
export function etcdctl(server: Node, args: readonly string[]): Promise<string> {
  const flags = [
    '--endpoints=https://127.0.0.1:2379',
    `--cacert=${tls}/server-ca.crt`,
    `--cert=${tls}/client.crt`,
    `--key=${tls}/client.key`,
  ];
  return server.host.must([`${dataDir}/bin/etcdctl`, ...flags, ...args]);
}

export type EtcdMember = {
  /** Empty while it has never started. */
  readonly name: string;
  readonly peerURLs: readonly string[];
  readonly isLearner: boolean;
};

/** The members of the cluster as this server's etcd knows them. */
export async function etcdMembers(server: Node): Promise<readonly EtcdMember[]> {
  // etcd leaves out what is false or empty.
  const answer = JSON.parse(await etcdctl(server, ['member', 'list', '-w', 'json'])) as { members: readonly Partial<EtcdMember>[] };
  return answer.members.map(({ name = '', peerURLs = [], isLearner = false }) => ({ name, peerURLs, isLearner }));
}

/** Whether the cluster counts this server's vote. */
export async function isVoting(server: Node, asked: Node = server): Promise<boolean> {
  const members = await etcdMembers(asked);
  return members.some(({ peerURLs, isLearner }) => !isLearner && peerURLs.includes(`https://${server.host.ip}:2380`));
}
