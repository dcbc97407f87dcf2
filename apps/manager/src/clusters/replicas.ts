/**
 * The replicas of the manager: each holds the sessions of the agents that have reached it, and each has to reach all clusters. So every replica dials
 * all others, and the other end opens streams to clusters back through that connection.
 */
import type { Socket } from 'node:net';
import { createServer } from 'node:tls';
import { type Clock, type Life, type Log, sleep } from '@rfo/foundation';
import { createInformer, type KubeClient, type Lease, refOf } from '@rfo/kube';
import { acceptTunnel, keepTunnel, tunnelProtocol } from '@rfo/tunnel';
import { followReplica } from './follow-replica.ts';
import { openReplicaAuthority } from './replica-authority.ts';
import { reachCluster, replicaService } from './serve-replica.ts';
import type { Sessions } from './sessions.ts';

export type ReplicaOptions = {
  /** Different for each. */
  readonly name: string;
  /** Address by which the others reach this one; it listens there. */
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
};

const label = 'rfo.io/record';
const addressAnnotation = 'rfo.io/address';
/** Milliseconds between signs of life; a replica without any for `goneAfter` is not dialled any more. */
const renewEvery = 10_000;
const goneAfter = 40_000;
const certificateEvery = 24 * 3_600_000;
/** How long (ms) a replica that starts waits for what the others know: one of them may be about to end. */
const heardWithin = 5000;

/**
 * Listens, tells the others where, and dials them, until the life ends. Resolves when it knows what the others know. Throws what the system says to an address that cannot be listened on.
 */
export async function joinReplicas(
  options: ReplicaOptions & {
    readonly client: KubeClient;
    readonly namespace: string;
    readonly sessions: Sessions;
    readonly clock: Clock;
    readonly life: Life;
    readonly log: Log;
  },
): Promise<void> {
  const { client, namespace, name, host, life, log } = options;
  const issue = await openReplicaAuthority(options);
  const heard = createHeard();
  const port = await listen({ ...options, onHeard: heard.add }, () => issue({ name, host }));
  const lease = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', namespace, name: `rfo-replica-${name}` };
  const beat = async (): Promise<void> => {
    for (;;) {
      try {
        await client.apply<Lease>(renderLease(lease.name, namespace, { name, address: addressOf(host, port), now: options.clock.now() }), {
          fieldManager: 'rfo-manager',
          force: true,
          signal: life.signal,
        });
      } catch (error) {
        if (life.signal.aborted) return;
        log.warn('the other replicas cannot be told that this one lives', { error });
      }
      await sleep(renewEvery, life.signal);
    }
  };
  const beating = beat().catch(() => undefined);
  life.defer(async () => {
    await beating;
    await client.delete(lease).catch((error: unknown) => log.warn('the lease of this replica stays', { error }));
  });
  const others = dialOthers(options, issue);
  await others.synced;
  await heard.all(others.alive(), AbortSignal.any([life.signal, AbortSignal.timeout(heardWithin)]));
}

/** Who has told all that he knows. */
function createHeard() {
  const names = new Set<string>();
  let look = (): void => undefined;
  return {
    add: (name: string): void => {
      names.add(name);
      look();
    },
    /** Resolves when all of these have, or with the signal. */
    all: (wanted: readonly string[], signal: AbortSignal): Promise<void> =>
      new Promise((resolve) => {
        look = () => {
          if (signal.aborted || wanted.every((name) => names.has(name))) resolve();
        };
        signal.addEventListener('abort', look, { once: true });
        look();
      }),
  };
}

type Issue = Awaited<ReturnType<typeof openReplicaAuthority>>;

function listen(
  { host, port, sessions, onHeard, life, log }: Parameters<typeof joinReplicas>[0] & { readonly onHeard: (replica: string) => void },
  credentials: () => ReturnType<Issue>,
): Promise<number> {
  const server = createServer({
    ...credentials(),
    requestCert: true,
    rejectUnauthorized: true,
    minVersion: 'TLSv1.3',
    ALPNProtocols: [tunnelProtocol],
  });
  const open = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
  });
  server.on('tlsClientError', (error) => log.debug('something that is no replica has called', { error }));
  server.on('secureConnection', (socket) => {
    socket.on('error', () => undefined);
    if (!socket.authorized || socket.alpnProtocol !== tunnelProtocol) return void socket.destroy();
    const replica = String(socket.getPeerCertificate().subject.CN);
    void followReplica({ tunnel: acceptTunnel(socket), replica, sessions, onComplete: () => onHeard(replica), log });
  });
  const renewing = setInterval(() => server.setSecureContext(credentials()), certificateEvery).unref();
  life.defer(() => {
    clearInterval(renewing);
    for (const socket of open) socket.destroy();
    return new Promise<void>((resolve) => server.close(() => resolve()));
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
}

/** One tunnel to each replica that shows signs of life, told by when its Lease changes: clocks are not compared. */
function dialOthers(
  options: Parameters<typeof joinReplicas>[0],
  issue: Issue,
): {
  readonly synced: Promise<void>;
  /** Names of the others, but for those that seem to have died without a word; for this one glance clocks are good enough. */
  readonly alive: () => readonly string[];
} {
  const { client, namespace, name, host, sessions, clock, life, log } = options;
  type Other = { readonly address: string; readonly life: Life; timer: NodeJS.Timeout };
  const others = new Map<string, Other>();
  const forget = (key: string): void => {
    const other = others.get(key);
    clearTimeout(other?.timer);
    others.delete(key);
    void other?.life.end();
  };
  const informer = createInformer<Lease>({
    client,
    kind: { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease' },
    namespace,
    labelSelector: `${label}=replica`,
    life,
    log,
  });
  informer.subscribe(({ key, after }) => {
    const address = after?.metadata.annotations?.[addressAnnotation];
    if (after?.spec?.holderIdentity === name) return;
    const known = others.get(key);
    if (address === undefined || (known !== undefined && known.address !== address)) forget(key);
    if (after === undefined || address === undefined) return;
    const lease = refOf(after);
    const silent = (): void => {
      forget(key);
      // Killed, it could not do so itself. One that lives after all writes it again.
      void client.delete(lease, { signal: life.signal }).catch((error: unknown) => log.debug('a lease stays', { error }));
    };
    const timer = setTimeout(silent, goneAfter);
    timer.unref();
    const still = others.get(key);
    if (still !== undefined) {
      clearTimeout(still.timer);
      still.timer = timer;
      return;
    }
    const own = life.child();
    others.set(key, { address, life: own, timer });
    const url = new URL(`https://${address}`);
    keepTunnel({
      host: url.hostname.replace(/^\[|\]$/g, ''),
      port: Number(url.port || 443),
      tls: async () => issue({ name, host }),
      allow: () => true,
      reach: reachCluster(sessions, own.signal),
      service: replicaService(sessions),
      pauses: { initial: 100, max: 2000 },
      life: own,
      log,
    });
  });
  life.defer(() => [...others.keys()].forEach(forget));
  return {
    synced: informer.synced,
    alive: () =>
      informer.store.list().flatMap(({ spec }) => {
        const { holderIdentity: other, renewTime = '' } = spec ?? {};
        return other === undefined || other === name || clock.now() - Date.parse(renewTime) > goneAfter ? [] : [other];
      }),
  };
}

function addressOf(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

function renderLease(lease: string, namespace: string, { name, address, now }: { name: string; address: string; now: number }): Lease {
  return {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { name: lease, namespace, labels: { [label]: 'replica' }, annotations: { [addressAnnotation]: address } },
    spec: { holderIdentity: name, leaseDurationSeconds: goneAfter / 1000, renewTime: `${new Date(now).toISOString().slice(0, -1)}000Z` },
  };
}
