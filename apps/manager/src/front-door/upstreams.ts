/** The connections to the API servers of all clusters. */
import type { Life } from '@rfo/foundation';
import { createUpstream, type Upstream } from '@rfo/proxy';
import type { Connections } from '../clusters/connections.ts';

export type Upstreams = {
  /** Of a cluster, whether it can be reached or not. */
  readonly of: (cluster: string) => Upstream;
};

export function createUpstreams(connections: Pick<Connections, 'connect' | 'onChange'>, life: Life): Upstreams {
  const all = new Map<string, Upstream>();
  // What was opened by another way, or to a cluster that is another one by now, is not used again.
  const undo = connections.onChange((cluster) => all.get(cluster)?.dropIdle());
  life.defer(() => {
    undo();
    for (const upstream of all.values()) upstream.close();
  });

  const create = (cluster: string): Upstream =>
    createUpstream({
      signal: life.signal,
      connect: async (signal) => {
        const { stream, tls, token } = await connections.connect(cluster, { signal });
        const headers = (): Record<string, string> => {
          const bearer = token();
          return bearer === undefined ? {} : { authorization: `Bearer ${bearer}` };
        };
        return { stream, tls, headers };
      },
    });

  return {
    of: (cluster) => {
      const known = all.get(cluster);
      if (known !== undefined) return known;
      const created = create(cluster);
      all.set(cluster, created);
      return created;
    },
  };
}
