import { readFile } from 'node:fs/promises';
import type { Life, Log } from '@rfo/foundation';
import { createInformer, type KubeClient } from '@rfo/kube';
import type { LoadBalancer } from '@rfo/proxy';
import { keepTunnel } from '@rfo/tunnel';
import type { TaskComponent } from '../component/component.ts';
import type { EgressMode } from '../egress/egress-config.ts';
import { podCidrsOf } from '../egress/node-routes.ts';
import type { ClusterNode } from '../server/cluster-nodes.ts';
import type { ServerList } from './track-servers.ts';
import { allowsTarget } from './tunnel-rules.ts';

export type TunnelInputs = {
  readonly nodeName: string;
  /** Addresses of this node: a server of that address is this one itself and gets no tunnel. */
  readonly nodeIps: readonly string[];
  readonly kubeletPort: number;
  readonly mode: EgressMode;
  readonly clusterCidr: string;
  readonly servers: ServerList;
  /** The supervisor's port on the servers. */
  readonly port: number;
  /** Files of what the node shows to servers (its kubelet's client certificate), and of the CA that it knows them by. */
  readonly files: { readonly ca: string; readonly cert: string; readonly key: string };
  /** The load balancers of an agent, which learn here how each server is: `host:port` is well as long as its tunnel is. */
  readonly balancers: readonly { readonly port: number; readonly balancer: Pick<LoadBalancer, 'report' | 'active'> }[];
  /** Acts as `system:rfo-controller`. */
  readonly client: KubeClient;
};

/** Milliseconds between pings to the server in use, whose end must be noticed at once, and to the others. */
const pingActive = 300;
const pingOthers = 2_000;
/** Milliseconds of silence after which a balancer prefers others: with the look at what is behind it its clients are away within a second. */
const suspectAfter = 450;

/**
 * Keeps a tunnel to every other server, through which they reach this node. Ready at once: a node runs also while no server does. Not before the
 * kubelet has registered the Node: servers take tunnels of Nodes that they know.
 */
export function tunnelsComponent(inputs: TunnelInputs): TaskComponent {
  return {
    kind: 'task',
    name: 'tunnels',
    needs: ['kubelet'],
    run: async ({ life, log }) => {
      const podCidrs = inputs.mode === 'pod' || inputs.mode === 'auto' ? watchOwnPodCidrs(inputs, life, log) : () => [];
      const kept = new Map<string, Life>();
      const follow = (servers: readonly string[]): void => {
        const wanted = servers.filter((server) => !inputs.nodeIps.includes(server));
        for (const [server, keeping] of kept) {
          if (wanted.includes(server)) continue;
          kept.delete(server);
          void keeping
            .end(new Error(`${server} is no server any more`))
            .catch((error: unknown) => log.error('closing a tunnel failed', { error }));
        }
        for (const server of wanted) {
          if (kept.has(server)) continue;
          const keeping = life.child();
          kept.set(server, keeping);
          keepTunnelTo(server, { inputs, podCidrs, life: keeping, log });
        }
      };
      life.defer(inputs.servers.onChange(follow));
      follow(inputs.servers.current());
    },
  };
}

function keepTunnelTo(
  server: string,
  {
    inputs,
    podCidrs,
    life,
    log,
  }: { readonly inputs: TunnelInputs; readonly podCidrs: () => readonly string[]; readonly life: Life; readonly log: Log },
): void {
  const { mode, nodeIps, kubeletPort, clusterCidr, balancers, files, port } = inputs;
  const health = { up: 'healthy', suspect: 'suspect', lost: 'failed' } as const;
  const read = (file: string): Promise<string> => readFile(file, 'utf8');
  keepTunnel({
    host: server,
    port,
    // Read anew for each connection: certificates are renewed while the node runs.
    tls: async () => {
      const [ca, cert, key] = await Promise.all([read(files.ca), read(files.cert), read(files.key)]);
      return { ca, cert, key };
    },
    allow: (target) => allowsTarget(target, { mode, nodeIps, kubeletPort, clusterCidr, podCidrs: podCidrs() }),
    life,
    log,
    onState: (state) => {
      for (const { port, balancer } of balancers) balancer.report(`${server}:${port}`, health[state]);
    },
    ...(balancers.length > 0 && { suspectAfter }),
    pingEvery: () => (balancers.some(({ port, balancer }) => balancer.active() === `${server}:${port}`) ? pingActive : pingOthers),
  });
}

/** The ranges of this node's own pods, as its Node says. */
function watchOwnPodCidrs({ client, nodeName }: TunnelInputs, life: Life, log: Log): () => readonly string[] {
  const kind = { apiVersion: 'v1', kind: 'Node' };
  const own = createInformer<ClusterNode>({ client, kind, fieldSelector: `metadata.name=${nodeName}`, life, log });
  return () => own.store.list().flatMap(podCidrsOf);
}
