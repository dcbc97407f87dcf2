/** `/ws` and the lists of what is in clusters: one index for each resource that somebody looks at, shown to each with his own rights. */
import { type IncomingHttpHeaders, type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { fail, type Life, type Log } from '@rfo/foundation';
import type { WatchSubscribe } from '@rfo/schema';
import { WebSocketServer } from 'ws';
import { refusalOf } from '../api/refusal.ts';
import type { Connections } from '../clusters/connections.ts';
import type { Caller } from '../identity/caller.ts';
import type { Identity } from '../identity/create-identity.ts';
import type { Metric } from '../metrics.ts';
import type { Objects } from '../objects/open-objects.ts';
import { managerSchema } from '../objects/schema.ts';
import type { Rights } from '../rights/create-rights.ts';
import { type Connection, serveConnection } from './connection.ts';
import { createIndexes, type IndexesInput, reach } from './indexes.ts';
import { openOwn } from './own-source.ts';
import { openResource, type ResourceWish } from './resource-source.ts';
import { listServed, type ServedResource } from './served-resource.ts';
import type { Listener, Source, Window } from './source.ts';
import { createVisibility } from './visibility.ts';

export type Watches = {
  /** Upgrade requests for `/ws`. Takes over the socket. Never throws. */
  readonly upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
  /** One page, once. Throws what `openResource` throws, and access-withdrawn. */
  readonly list: (wish: Omit<ResourceWish, 'verbs'>) => Promise<Window>;
  /** What a cluster has that can be listed. Throws cluster-forbidden, token-elsewhere, cluster-away, cluster-away-unknown, cluster-broke-off. */
  readonly resources: (wish: Pick<ResourceWish, 'caller' | 'cluster' | 'signal'>) => Promise<readonly ServedResource[]>;
  readonly metrics: () => readonly Metric[];
};

export type WatchesParts = {
  readonly connections: Pick<Connections, 'clientOf' | 'onChange' | 'state'>;
  readonly objects: Objects;
  readonly identity: Pick<Identity, 'onRevoked' | 'isRevoked'> & {
    readonly authenticate: (headers: IncomingHttpHeaders, options: { readonly method: string }) => Promise<Caller>;
  };
  readonly rights: Rights;
  readonly life: Life;
  readonly log: Log;
} & Pick<IndexesInput, 'idle' | 'room'>;

/** Connections of one user: each tab of a browser has one. */
const mostOfUser = 100;

/** Ends with the life: every connection is told so and closed. */
export function createWatches(parts: WatchesParts): Watches {
  const { connections, objects, identity, rights, life, log, idle, room } = parts;
  const { longestWatchRequest, watchCloseCodes, watchSubprotocol } = managerSchema;
  const visibility = createVisibility({ connections, rights, life });
  const limits = { ...(idle !== undefined && { idle }), ...(room !== undefined && { room }) };
  const indexes = createIndexes({ connections, clusters: objects.clusters, ...limits, life, log });
  const server = new WebSocketServer({
    ...{ noServer: true, clientTracking: false, maxPayload: longestWatchRequest, perMessageDeflate: false },
    handleProtocols: (offered) => (offered.has(watchSubprotocol) ? watchSubprotocol : false),
  });
  const all = new Map<Connection, Caller>();

  const openFor =
    (caller: Caller) =>
    async (request: WatchSubscribe, on: Listener, signal: AbortSignal): Promise<Source> => {
      const { of, filter, selector, search, sort, page, pageSize, cursor } = request;
      const query = { filter, selector, search, sort, page, pageSize, cursor };
      if ('kind' in of) return openOwn({ caller, kind: of.kind, query }, { objects, rights }, on);
      const { cluster, namespace } = of;
      const resource = resourceOf(of);
      return await openResource(
        { caller, cluster, resource, namespace, query, verbs: ['list', 'watch'], signal },
        { indexes, visibility, rights },
        on,
      );
    };

  const withdraw = (isRevoked: (caller: Caller) => boolean): void => {
    for (const [connection, caller] of [...all])
      if (isRevoked(caller)) connection.end(fail('access-withdrawn', {}), watchCloseCodes.accessWithdrawn);
  };
  life.defer(identity.onRevoked(withdraw));
  life.defer(() => {
    // "Going away" (RFC 6455 §7.4.1): clients come again, to another replica.
    for (const connection of all.keys()) connection.end(fail('manager-stopping', {}), 1001);
  });

  const admit = async ({ headers, method = '' }: IncomingMessage): Promise<Caller> => {
    if (life.signal.aborted) throw fail('manager-stopping', {});
    // A browser's own cookie is good from pages of ours alone: by the origin of an upgrade.
    const caller = await identity.authenticate(headers, { method });
    const open = [...all.values()].filter(({ user }) => user === caller.user).length;
    if (open >= mostOfUser) throw fail('watches-too-many', { limit: mostOfUser, what: 'connections of yours' });
    return caller;
  };

  const upgrade = async (request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> => {
    const caller = await admit(request);
    if (socket.destroyed) return;
    server.handleUpgrade(request, socket, head, (websocket) => {
      const connection = serveConnection({ websocket, open: openFor(caller), log });
      all.set(connection, caller);
      websocket.once('close', () => all.delete(connection));
      // What happened since he was authenticated was told when this was not there yet.
      withdraw(identity.isRevoked);
    });
  };

  return {
    upgrade: (request, socket, head) => {
      socket.on('error', () => undefined);
      upgrade(request, socket, head).catch((error: unknown) => refuse(socket, error, log));
    },
    list: async (wish) => {
      const nothing: Listener = { changed: () => undefined, failed: () => undefined };
      const source = await openResource({ ...wish, verbs: ['list'] }, { indexes, visibility, rights }, nothing);
      try {
        const window = source.page();
        if (window === undefined) throw fail('access-withdrawn', {});
        return window;
      } finally {
        source.close();
      }
    },
    resources: async ({ caller, cluster, signal }) => {
      visibility.enter(caller, cluster);
      return await listServed(reach(cluster, { connections, clusters: objects.clusters }), { cluster, signal });
    },
    metrics: () => {
      const { indexes: open, objects: held, characters } = indexes.state();
      const gauge = (name: string, help: string, value: number): Metric => ({ name, help, type: 'gauge', samples: [{ value }] });
      const subscriptions = [...all.keys()].reduce((sum, connection) => sum + connection.subscriptions(), 0);
      return [
        gauge('rfo_manager_watch_connections', 'WebSockets of clients.', all.size),
        gauge('rfo_manager_watch_subscriptions', 'Lists that clients follow.', subscriptions),
        gauge('rfo_manager_indexes', 'Resources of clusters that are looked through at present.', open),
        gauge('rfo_manager_index_objects', 'Objects in them.', held),
        gauge('rfo_manager_index_characters', 'Characters of these objects.', characters),
      ];
    },
  };
}

/** The group that has no name is written `core`. */
export function resourceOf({ group, version, resource }: { readonly group: string; readonly version: string; readonly resource: string }) {
  return { group: group === 'core' ? '' : group, version, resource };
}

function refuse(socket: Duplex, error: unknown, log: Log): void {
  const { status, problem, retryAfter, unexpected } = refusalOf(error, { bodyLimit: 0 });
  if (unexpected) log.error('a client could not be served by WebSocket', { error });
  if (!socket.writable) return void socket.destroy();
  const body = JSON.stringify(problem);
  const lines = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'content-type: application/json; charset=utf-8',
    `content-length: ${Buffer.byteLength(body)}`,
    'cache-control: no-store',
    'connection: close',
    ...(status === 401 ? ['www-authenticate: Bearer realm="rfo"'] : []),
    ...(retryAfter === undefined ? [] : [`retry-after: ${retryAfter}`]),
  ];
  socket.end(`${lines.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
}
