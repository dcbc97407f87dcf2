/** etcdctl with the node's own certificates: looks below the API server. */
import { dataDir, type Node } from './node.ts';

const tls = `${dataDir}/server/tls/etcd`;

export function etcdctl(node: Node, args: readonly string[]): Promise<string> {
  const flags = [
    '--endpoints=https://127.0.0.1:2379',
    `--cacert=${tls}/server-ca.crt`,
    `--cert=${tls}/client.crt`,
    `--key=${tls}/client.key`,
  ];
  return node.host.must([`${dataDir}/bin/etcdctl`, ...flags, ...args]);
}
