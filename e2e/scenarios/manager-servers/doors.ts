/** The replicas of the manager one by one, each by the address of its own host. */
import assert from 'node:assert/strict';
import type { People } from '../../harness/manager/people.ts';
import { requestsOn } from '../../harness/manager/requests.ts';
import type { Node } from '../../harness/node.ts';

export type Doors = {
  readonly of: (server: Node) => string;
  /** The name of whose session this is, as that replica knows it. */
  readonly whoami: (server: Node, token: string) => Promise<string>;
  /** kubectl of admin finds these nodes in each cluster through that replica. */
  readonly nodes: (server: Node, clusters: Readonly<Record<string, readonly Node[]>>) => Promise<void>;
  /** Undefined where the imported cluster `edge` does not answer through it within two seconds. */
  readonly answers: (server: Node) => Promise<true | undefined>;
};

/** @param on where the people sit */
export function createDoors(people: People, on: Node, signal: AbortSignal): Doors {
  const of: Doors['of'] = ({ host }) => `https://${host.ip}:8443`;
  const kubectl = (server: Node, cluster: string, args: readonly string[]) =>
    people.kubectl('admin', cluster, [`--server=${of(server)}/k8s/clusters/${cluster}`, ...args]);
  return {
    of,
    whoami: async (server, token) => {
      const { status, body } = await requestsOn(on, { address: of(server) }, signal).ask({ path: '/api/v1/self', token });
      assert.equal(status, 200, body);
      return (JSON.parse(body) as { readonly username: string }).username;
    },
    nodes: async (server, clusters) => {
      for (const [cluster, nodes] of Object.entries(clusters)) {
        const { code, stdout, stderr } = await kubectl(server, cluster, ['get', 'nodes', '-o', 'name']);
        assert.equal(code, 0, stderr);
        const names = nodes.map(({ host }) => `node/${host.name}`);
        assert.deepEqual(stdout.trim().split('\n').sort(), names.sort(), `the nodes of ${cluster} through ${server.host.name}`);
      }
    },
    answers: async (server) => {
      const { code } = await kubectl(server, 'edge', ['get', '--raw', '/version', '--request-timeout=2s']);
      return code === 0 ? true : undefined;
    },
  };
}
