/** One client for each cluster, over whatever session there is. */
import { clientOn, createHttp2Transport, type KubeClient } from '@rfo/kube';
import type { Session, Sessions } from './sessions.ts';

export type ClusterClients = {
  /** undefined while there is no session. */
  readonly of: (cluster: string) => KubeClient | undefined;
  /** The Cluster is gone. */
  readonly forget: (cluster: string) => void;
  readonly close: () => void;
};

export function createClusterClients({ sessions, signal }: { readonly sessions: Sessions; readonly signal: AbortSignal }): ClusterClients {
  const clients = new Map<string, { readonly client: KubeClient; readonly server: string }>();
  const forget = (cluster: string): void => {
    clients.get(cluster)?.client.close();
    clients.delete(cluster);
  };
  return {
    forget,
    of: (cluster) => {
      const best = sessions.best(cluster);
      if (best === undefined) return undefined;
      const known = clients.get(cluster);
      if (known?.server === best.apiServer) return known.client;
      // Another address is another name in the certificate.
      forget(cluster);
      const client = makeClient({ sessions, cluster, server: best.apiServer, signal });
      clients.set(cluster, { client, server: best.apiServer });
      return client;
    },
    close: () => {
      for (const cluster of [...clients.keys()]) forget(cluster);
    },
  };
}

function makeClient(input: {
  readonly sessions: Sessions;
  readonly cluster: string;
  readonly server: string;
  readonly signal: AbortSignal;
}): KubeClient {
  const { sessions, cluster, server, signal } = input;
  // Those of one session for as long as it is there: other ones mean a new connection.
  let source: Session | undefined;
  let last: ReturnType<Session['credentials']> = { ca: '' };
  const transport = createHttp2Transport({
    server,
    credentials: {
      current: () => {
        const all = sessions.of(cluster);
        source = all.find((each) => each === source) ?? all[0];
        last = source?.credentials() ?? last;
        return last;
      },
    },
    open: async () => (await sessions.open(cluster, { signal })).stream,
  });
  return clientOn(transport, server);
}
