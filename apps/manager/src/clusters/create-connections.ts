/** Joins the parts of the connections: takes agents in, keeps their sessions, and opens streams by them. */
import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { type Clock, fail, type Life, type Log, RfoError, systemClock, toRfoError } from '@rfo/foundation';
import type { KubeClient, KubeClientOptions } from '@rfo/kube';
import type { AgentSettings } from '@rfo/schema';
import { acceptTunnel, type Carrier, createWebSocketAcceptor } from '@rfo/tunnel';
import { limitFailures } from '../limits/limit-failures.ts';
import type { Objects } from '../objects/open-objects.ts';
import { type Admitted, admitAgent, judgeToken, reportRefusal } from './admit-agent.ts';
import { readAgentSettings } from './agent-settings.ts';
import { createClusterClients } from './cluster-clients.ts';
import { createClusterTokens } from './cluster-tokens.ts';
import type { Connections, UpstreamTls } from './connections.ts';
import { finalizer } from './control/remove-cluster.ts';
import { runClusterControllers } from './control/run.ts';
import { recordEvent } from './event.ts';
import { localCluster, localSession } from './local-session.ts';
import { createRegistrations } from './registrations.ts';
import { renderImport } from './render-import.ts';
import { joinReplicas, type ReplicaOptions } from './replicas.ts';
import { parseAgentToken } from './secret-token.ts';
import { createSessions } from './sessions.ts';
import { settingsProgress } from './settings-progress.ts';

export type ConnectionsInput = {
  readonly objects: Pick<Objects, 'clusters' | 'projects' | 'settings'>;
  /** Of the hosting cluster. */
  readonly client: KubeClient;
  /** What the client was made of: the cluster `local` is reached by it. */
  readonly local: KubeClientOptions;
  readonly namespace: string;
  /** Left out where there are no other replicas. */
  readonly replica?: ReplicaOptions | undefined;
  /** Image of the agent with its tag. */
  readonly image: string;
  readonly version: string;
  /** PEM of the authority of the manager's certificate; undefined where everybody trusts it. Asked whenever it matters. */
  readonly authority: () => string | undefined;
  readonly clock?: Clock;
  /** Milliseconds between looks at tokens for their age. */
  readonly rotateEvery?: number;
  readonly life: Life;
  readonly log: Log;
};

const day = 24 * 3_600_000;
/** How often (ms) agents are told of settings that changed without a Setting. */
const settleEvery = 60_000;
/** Connections whose agent has not been taken in yet. */
const mostStrangers = 2000;
/** Wrong tokens of one address. An agent whose token is refused comes back every few seconds at most. */
const wrongTokens = { burst: 100, perSecond: 1 };

/** Ready when it resolves; it ends with the life. Throws what the system says to an address of the replica that cannot be listened on. */
export async function createConnections(input: ConnectionsInput): Promise<Connections> {
  const { objects, client, namespace, image, version, authority, clock = systemClock, rotateEvery = 3_600_000, life, log } = input;
  const { now } = clock;
  const sessions = createSessions({ now, log });
  const clients = createClusterClients({ sessions, signal: life.signal });
  const registrations = createRegistrations({ client, namespace, clock });
  const tokens = createClusterTokens({ client, namespace, clock });
  const acceptor = createWebSocketAcceptor();
  /** With what takes its session out. */
  const own = new Map<Admitted, () => void>();
  let retiring = false;
  const strangers = new Set<Carrier>();
  const failures = limitFailures({ ...wrongTokens, clock });
  sessions.add(localSession({ api: input.local, version, now }));
  life.defer(() => clients.close());

  const settings = (): AgentSettings => {
    const found = readAgentSettings(objects, authority);
    if (found === undefined) throw fail('server-url-unknown', {});
    return found;
  };
  const exists = async (cluster: string): Promise<boolean> => (await objects.clusters.find(cluster)) !== undefined;
  const admission = { registrations, tokens, exists, settings, touch: sessions.touch, report: sessions.report, now, log };

  const welcome = async (carrier: Carrier, address: string | undefined): Promise<void> => {
    if (retiring || strangers.size >= mostStrangers) return void carrier.destroy();
    const tunnel = acceptTunnel(carrier);
    strangers.add(carrier);
    carrier.once('close', () => strangers.delete(carrier));
    const close = life.signal.aborted ? undefined : tunnel.close;
    if (close === undefined) return tunnel.close();
    life.signal.addEventListener('abort', close, { once: true });
    void tunnel.closed.then(() => life.signal.removeEventListener('abort', close));
    try {
      const admitted = await admitAgent(tunnel, admission);
      strangers.delete(carrier);
      enter(admitted, tunnel.closed);
    } catch (error) {
      // Refusals are told to the agent, and to whoever looks at the cluster; what strangers say is no news.
      const known = error instanceof RfoError && (error.code === 'agent-refused' || error.code === 'tunnel-closed');
      if (error instanceof RfoError && (error.code === 'agent-refused' || error.code === 'request-invalid')) failures.failed(address);
      log[known ? 'info' : 'warn']('an agent was not taken in', { error });
      tunnel.close();
    }
  };

  /** Undefined where the address may try. */
  const isLimited = (address: string | undefined): RfoError | undefined => {
    try {
      failures.check(address);
      return undefined;
    } catch (error) {
      return toRfoError(error);
    }
  };

  const enter = (admitted: Admitted, closed: Promise<string>): void => {
    const { session, hello } = admitted;
    const { cluster, via } = session;
    const leave = sessions.add(session);
    own.set(admitted, leave);
    log.info('an agent is connected', { cluster, via, instance: hello.instance, node: hello.node });
    if (hello.problem !== undefined) {
      const { reason, message, at } = hello.problem;
      log.info('an agent tells why it was away', { cluster, instance: hello.instance, reason, message, at });
      void recordEvent({
        client,
        cluster,
        type: 'Warning',
        reason,
        message: `since ${at}, ${hello.instance}: ${message}`,
        now: now(),
        log,
      });
    }
    void closed.then((why) => {
      own.delete(admitted);
      log.info('an agent is gone', { cluster, via, instance: hello.instance, why });
      leave({ reason: 'Disconnected', message: `the connection to its last agent ended: ${why}` });
    });
    settle(admitted);
    if (retiring) sendAway(admitted);
  };

  const sendAway = ({ session: { cluster }, move }: Admitted): void => {
    move().catch((error: unknown) => log.info('an agent stays until this replica has ended', { cluster, error }));
  };
  /** What another replica can carry from now on is not begun here any more. */
  const giveUp = (cluster: string): void => {
    if (!sessions.of(cluster).some(({ replica }) => replica !== undefined)) return;
    for (const [{ session }, leave] of own) if (session.cluster === cluster) leave();
  };

  const settle = (admitted: Admitted): void => {
    if (readAgentSettings(objects, authority) === undefined) return;
    admitted
      .settle()
      .catch((error: unknown) => log.warn('an agent has not taken its settings', { cluster: admitted.session.cluster, error }));
  };
  const settleAll = (): void => [...own.keys()].forEach(settle);
  life.defer(objects.settings.onChange(settleAll));
  const settling = setInterval(settleAll, settleEvery).unref();
  const rotating = setInterval(() => void rotate(), rotateEvery).unref();
  life.defer(() => [settling, rotating].forEach(clearInterval));
  const rotate = async (): Promise<void> => {
    for (const { session, renewToken } of new Map([...own.keys()].map((each) => [each.session.cluster, each])).values()) {
      try {
        if (await tokens.isOld(session.cluster)) await renewToken();
      } catch (error) {
        log.warn('the token of a cluster was not replaced', { cluster: session.cluster, error });
      }
    }
  };

  const { replica } = input;
  if (replica !== undefined) await joinReplicas({ ...replica, client, namespace, sessions, clock, life, log });
  life.defer(objects.clusters.onChange((name, cluster) => cluster === undefined && dismiss(name)));
  /** Its Cluster is gone: so are its agents here. */
  const dismiss = (name: string): void => {
    clients.forget(name);
    for (const { session } of own.keys()) if (session.cluster === name) session.end('its Cluster was removed');
  };

  return {
    clientOf: clients.of,
    state: sessions.state,
    onChange: sessions.onChange,
    settingsProgress: () => settingsProgress({ objects, sessions, wanted: readAgentSettings(objects, authority) }),
    connect: async (cluster, { signal = life.signal } = {}) => {
      const { stream, session } = await sessions.open(cluster, { signal }).catch(async (error: unknown) => {
        // What does not exist is not away.
        if (toRfoError(error).code === 'cluster-away' && !(await exists(cluster))) throw fail('cluster-away-unknown', { name: cluster });
        throw error;
      });
      const { ca, cert, key } = session.credentials();
      return {
        stream,
        tls: tlsOf(session.apiServer, { ca, ...(cert && { cert }), ...(key && { key }) }),
        token: () => session.credentials().token,
      };
    },
    handleTunnel: (socket) => {
      socket.on('error', () => undefined);
      const address = socket.remoteAddress;
      if (isLimited(address) !== undefined) return void socket.destroy();
      void welcome(socket, address).catch((error: unknown) => log.debug('a connection ended before it was a tunnel', { error }));
    },
    handleUpgrade: (request, socket, head) => {
      socket.on('error', () => undefined);
      const [, token = ''] = /^Bearer (\S+)$/i.exec(request.headers.authorization ?? '') ?? [];
      const refuse = (status: string, message: string, retryAfter?: number): void => answerRefusal(socket, { status, message, retryAfter });
      if (retiring) return refuse('503 Service Unavailable', 'this replica of the manager is about to end');
      const address = request.socket.remoteAddress;
      const limited = isLimited(address);
      if (limited !== undefined) return refuse('429 Too Many Requests', limited.message, limited.retryAfter);
      if (parseAgentToken(token) === undefined) {
        failures.failed(address);
        return refuse('401 Unauthorized', 'this needs the token of a cluster');
      }
      judgeToken(token, admission).then(
        (verdict) => {
          if ('refusal' in verdict) {
            failures.failed(address);
            reportRefusal(verdict, admission);
            refuse('401 Unauthorized', `${verdict.refusal.reason}: ${verdict.refusal.message}`);
            return;
          }
          acceptor
            .accept(request, socket, head)
            .then((carrier) => welcome(carrier, address))
            .catch((error: unknown) => log.debug('a WebSocket ended before it was a tunnel', { error }));
        },
        (error: unknown) => {
          log.warn('the token of an agent cannot be checked', { error });
          refuse('503 Service Unavailable', 'the manager cannot check tokens now');
        },
      );
    },
    importManifest: async (text, { address } = {}) => {
      failures.check(address);
      try {
        const token = parseAgentToken(text);
        if (token?.kind !== 'register') throw fail('registration-unknown', {});
        const cluster = await registrations.find(token);
        if (!(await exists(cluster))) throw fail('registration-unknown', {});
      } catch (error) {
        if (error instanceof RfoError && (error.code === 'registration-unknown' || error.code === 'registration-expired'))
          failures.failed(address);
        throw error;
      }
      return renderImport({ token: text, settings: settings(), image });
    },
    register: async (cluster, { ttl = day } = {}) => {
      if (cluster === localCluster) throw fail('registration-needless', { name: cluster });
      const [url] = settings().servers;
      const found = await objects.clusters.find(cluster);
      if (found === undefined) throw fail('cluster-away-unknown', { name: cluster });
      // From now on there may be something of ours in that cluster.
      const { finalizers = [] } = found.metadata;
      if (!finalizers.includes(finalizer)) await objects.clusters.patch(cluster, { metadata: { finalizers: [...finalizers, finalizer] } });
      const { token, expiresAt } = await registrations.create(cluster, ttl);
      const address = `${url}/import/${token}.yaml`;
      return { url: address, command: commandFor(address, settings()), expiresAt };
    },
    retire: () => {
      retiring = true;
      sessions.onChange(giveUp);
      for (const admitted of own.keys()) sendAway(admitted);
    },
    lead: async (leading) => {
      await runClusterControllers({
        objects,
        client,
        namespace,
        sessions,
        clients,
        registrations,
        tokens,
        wanted: () => readAgentSettings(objects, authority),
        clock,
        life: leading,
        log,
      });
    },
  };
}

function tlsOf(apiServer: string, rest: Pick<UpstreamTls, 'ca' | 'cert' | 'key'>): UpstreamTls {
  const host = new URL(apiServer).hostname.replace(/^\[|\]$/g, '');
  return { ...rest, host, ...(isIP(host) === 0 && { servername: host }) };
}

/**
 * A line for bash. Where hosts do not trust the manager's certificate by themselves it brings the authority along: nothing else vouches for the
 * manifest, which gets all rights in the cluster.
 */
function commandFor(address: string, { ca, system }: AgentSettings): string {
  if (system || ca === '') return `kubectl apply -f ${address}`;
  return `curl -fsS --cacert <(echo ${Buffer.from(ca).toString('base64')} | base64 -d) ${address} | kubectl apply -f -`;
}

function answerRefusal(
  socket: Duplex,
  { status, message, retryAfter }: { readonly status: string; readonly message: string; readonly retryAfter: number | undefined },
): void {
  const body = `${message}\n`;
  const lines = [
    `HTTP/1.1 ${status}`,
    'Content-Type: text/plain; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...(retryAfter === undefined ? [] : [`Retry-After: ${retryAfter}`]),
    'Connection: close',
  ];
  socket.end(`${lines.join('\r\n')}\r\n\r\n${body}`);
}
