/** A TCP load balancer on the node itself, in front of the servers of its cluster: all connections go to one of them until it fails. */
import { once } from 'node:events';
import { createServer, type Server as Listener, type Socket } from 'node:net';
import { fail, type Life, type Log, systemCode } from '@rfo/foundation';
import { connectFirst, type Race } from './connect-first.ts';
import { isGone } from './is-gone.ts';
import { chooseActive, type Health, inOrder, isReplaced, newServer, type Server, stateOf } from './servers.ts';
import { breakOff, splice } from './splice.ts';

export type LoadBalancerOptions = {
  readonly listen: { readonly host: string; readonly port: number };
  /** `host:port`, in the order of preference; IPv6 in brackets. */
  readonly servers: readonly string[];
  readonly life: Life;
  readonly log: Log;
  /** Hears which server new connections go to, each time it changes. */
  readonly onChange?: (active: string | undefined) => void;
};

export type LoadBalancer = {
  readonly address: { readonly host: string; readonly port: number };
  /** Replaces the list; what is known of those that stay is kept, and connections to those that are gone are closed. */
  readonly setServers: (servers: readonly string[]) => void;
  /**
   * What somebody who watches a server knows. `suspect` and `failed` move new connections to others. `failed` closes the connections that
   * stand as soon as another server is known to be well, never before. So does `suspect` where the host does not even take connections while
   * another does. A server that is not in the list is nobody's business.
   */
  readonly report: (server: string, health: Health) => void;
  readonly active: () => string | undefined;
  readonly states: () => readonly { readonly server: string; readonly state: string; readonly connections: number }[];
};

/** Milliseconds after which the next server is asked as well, and after which one that has not accepted counts as refusing. */
const stagger = 250;
const acceptWithin = 2000;
/** Milliseconds without an answer of its kernel, while another one answers, after which a suspect server is gone. */
const goneAfter = 250;
/** Milliseconds of quiet after which the kernel looks whether the other end still is there. */
const keepAliveAfter = 15_000;

/**
 * Listens, and carries each connection to the active server or, when that does not accept, within the same connection to the next that does.
 * A client sees a broken connection only when its server breaks amid it, or when none accepts. Ends with its life. Throws port-taken.
 */
export async function startLoadBalancer(options: LoadBalancerOptions): Promise<LoadBalancer> {
  const { log, onChange } = options;
  const life = options.life.child();
  const connections = new Map<Server, Set<Socket>>();
  let servers = new Map<string, Server>();
  let active: Server | undefined;

  const choose = (next: Server | undefined): void => {
    if (next === active) return;
    if (active !== undefined) log.info('goes to another server', { from: active.name, to: next?.name ?? 'none' });
    active = next;
    onChange?.(next?.name);
  };
  /** @param incumbent stays the active one unless another is better */
  const settle = (incumbent = active): void => {
    const listed = incumbent && servers.get(incumbent.name) === incumbent ? incumbent : undefined;
    choose(chooseActive(servers.values(), listed));
    for (const server of servers.values()) if (isReplaced(server, servers.values())) closeConnections(server);
  };
  const closeConnections = (server: Server): void => {
    for (const client of connections.get(server) ?? []) breakOff(client);
  };
  const doubt = async (server: Server): Promise<void> => {
    const others = [...servers.values()].filter((other) => other !== server && other.health !== 'failed' && !other.refused);
    if (!connections.has(server) || !(await isGone(server, others, { within: goneAfter, signal: life.signal }))) return;
    if (server.health !== 'suspect') return;
    log.warn('a server is gone', { server: server.name });
    server.health = 'failed';
    settle();
  };
  const setServers = (names: readonly string[]): void => {
    const before = servers;
    servers = new Map(names.map((name) => [name, before.get(name) ?? newServer(name)]));
    settle();
    for (const server of before.values()) if (!servers.has(server.name)) closeConnections(server);
  };

  const carry = async (client: Socket): Promise<void> => {
    const clientLife = life.child();
    client.once('close', () => void clientLife.end());
    // Whatever happens to it ends in `close`.
    client.on('error', () => undefined);
    clientLife.defer(() => breakOff(client));
    const won = await reach(clientLife.signal);
    if (won === undefined || client.destroyed) {
      won?.socket.destroy();
      breakOff(client);
      return;
    }
    keep(won.server, client);
    for (const each of [client, won.socket]) each.setKeepAlive(true, keepAliveAfter);
    splice(client, won.socket);
  };
  const reach = async (signal: AbortSignal): Promise<Race<Server> | undefined> => {
    for (;;) {
      const won = await connectFirst({ groups: inOrder(servers.values(), active), stagger, within: acceptWithin, signal, onRefused });
      if (won === undefined) settle();
      if (won === undefined || signal.aborted) return won;
      const { server, socket, passed } = won;
      Object.assign(server, { refused: false, accepted: true });
      // An active one that is slower than another by the whole stagger is left: else each connection would wait that long again.
      settle(active !== undefined && passed.includes(active) ? server : active);
      if (servers.get(server.name) === server) return won;
      socket.destroy();
    }
  };
  const onRefused = (server: Server, problem: string): void => {
    if (!server.refused) log.warn('a server does not accept connections', { server: server.name, problem });
    Object.assign(server, { refused: true, accepted: false });
  };
  const keep = (server: Server, client: Socket): void => {
    const own = connections.get(server) ?? new Set();
    connections.set(server, own.add(client));
    client.once('close', () => {
      own.delete(client);
      if (own.size === 0) connections.delete(server);
    });
  };

  const listener = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true }, (client) => void carry(client));
  servers = new Map(options.servers.map((name) => [name, newServer(name)]));
  active = chooseActive(servers.values(), undefined);
  const address = await listen(listener, options);
  listener.on('error', (error) => log.error('cannot accept a connection', { error }));
  life.defer(() => closed(listener));
  return {
    address,
    setServers,
    report: (name, health) => {
      const server = servers.get(name);
      if (server === undefined) return;
      server.health = health;
      if (health === 'healthy') server.refused = false;
      settle();
      if (health === 'suspect') void doubt(server);
    },
    active: () => active?.name,
    states: () =>
      [...servers.values()].map((server) => ({
        ...{ server: server.name, state: stateOf(server, active), connections: connections.get(server)?.size ?? 0 },
      })),
  };
}

async function listen(listener: Listener, { listen: { host, port } }: LoadBalancerOptions): Promise<LoadBalancer['address']> {
  try {
    await once(listener.listen(port, host), 'listening');
  } catch (error) {
    throw systemCode(error) === 'EADDRINUSE' ? fail('port-taken', { port, holder: 'another process' }, error) : error;
  }
  const address = listener.address();
  return { host, port: typeof address === 'object' && address !== null ? address.port : port };
}

function closed(listener: Listener): Promise<void> {
  return new Promise((resolve) => listener.close(() => resolve()));
}
