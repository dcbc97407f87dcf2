import { connect as connectTcp, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { fail, type Log, orAbort, RfoError } from '@rfo/foundation';
import { formatTarget, type Target, type Tunnel } from '@rfo/tunnel';
import type { TunnelRegistry } from './registry.ts';
import type { Route } from './routes.ts';

export type ConnectOptions = {
  readonly route: (target: Target) => Promise<Route>;
  readonly tunnels: Pick<TunnelRegistry, 'newest' | 'next' | 'isExpected'>;
  readonly log: Log;
};

/** Opens a byte stream to a target; the signal matters until it is open. */
export type Connect = (target: Target, signal: AbortSignal) => Promise<Duplex>;

/** Milliseconds for a target to accept when dialled directly. */
const directWithin = 10_000;

/** Milliseconds for a tunnel; a node itself gives up after 10 s, and its answer says why. */
const tunnelWithin = 12_000;

/** Milliseconds that a tunnel which broke, or has not come yet after a start, is waited for beside the direct dial. */
const returnWithin = 3_000;

/**
 * Connects by tunnel or directly, as the route says. A node without a tunnel is dialled directly, and at the same time its tunnel is waited for if
 * it is about to return. The stream fails with the error of whatever carries it.
 * @throws egress-unreachable, egress-node-unreachable, egress-no-tunnel, the signal's reason
 */
export function createConnect({ route, tunnels, log }: ConnectOptions): Connect {
  const refusing = new Set<string>();

  const byTunnel = async (input: TunnelRoute, tunnel: Tunnel, signal: AbortSignal): Promise<Duplex> => {
    const { node, ask } = input;
    const stream = await within(tunnelWithin, signal, (limit) => tunnel.connect(ask, { signal: limit }));
    refusing.delete(node);
    return stream;
  };

  const noteRefusal = (node: string, problem: string): void => {
    if (refusing.has(node)) return;
    refusing.add(node);
    log.warn(`node ${node} does not let this server through its tunnel: it is dialled directly`, { node, problem });
  };

  return async (target, signal) => {
    const chosen = await route(target);
    signal.throwIfAborted();
    if (chosen.via === 'direct') {
      return await dial(target, signal).catch((error: unknown) => {
        signal.throwIfAborted();
        throw fail('egress-unreachable', { target: formatTarget(target), problem: problemOf(error) }, error);
      });
    }
    const { node } = chosen;
    let tunnelProblem = `no tunnel from node ${node}`;
    const tunnel = tunnels.newest(node);
    if (tunnel !== undefined) {
      try {
        return await byTunnel(chosen, tunnel, signal);
      } catch (error) {
        signal.throwIfAborted();
        if (hasCode(error, 'tunnel-unreachable')) {
          throw fail('egress-node-unreachable', { node, target: formatTarget(target), problem: problemOf(error) }, error);
        }
        tunnelProblem = `the tunnel of node ${node} failed (${problemOf(error)})`;
        if (hasCode(error, 'tunnel-refused')) noteRefusal(node, problemOf(error));
      }
    }
    const back = async (limit: AbortSignal): Promise<Duplex> => byTunnel(chosen, await tunnels.next(node, limit), limit);
    const attempts: Attempt[] = [(limit) => dial(target, limit)];
    if (tunnels.newest(node) === undefined && tunnels.isExpected(node)) attempts.push((limit) => within(returnWithin, limit, back));
    return await firstOf(attempts, signal).catch((errors: AggregateError) => {
      signal.throwIfAborted();
      const [problem] = errors.errors;
      throw fail('egress-no-tunnel', { tunnel: tunnelProblem, node, target: formatTarget(target), problem: problemOf(problem) }, errors);
    });
  };
}

type TunnelRoute = Extract<Route, { via: 'tunnel' }>;
type Attempt = (signal: AbortSignal) => Promise<Duplex>;

/** Not by `connect`'s own signal, which would end the connection also later. */
async function dial(target: Target, signal: AbortSignal): Promise<Socket> {
  signal.throwIfAborted();
  const socket = connectTcp({ ...target, allowHalfOpen: true, noDelay: true, keepAlive: true, keepAliveInitialDelay: 30_000 });
  const open = Promise.withResolvers<void>();
  socket.once('connect', open.resolve).once('error', open.reject);
  try {
    await within(directWithin, signal, (limit) => orAbort(open.promise, limit));
    socket.off('error', open.reject);
    return socket;
  } catch (error) {
    socket.on('error', () => undefined).destroy();
    throw error;
  }
}

/** The first stream that opens; the other attempts are called off, and what they open all the same is closed. */
async function firstOf(attempts: readonly Attempt[], signal: AbortSignal): Promise<Duplex> {
  const done = new AbortController();
  const all = attempts.map((attempt) => attempt(AbortSignal.any([signal, done.signal])));
  try {
    const first = await Promise.any(all);
    for (const other of all) {
      const close = (stream: Duplex): void => {
        if (stream !== first) stream.on('error', () => undefined).destroy();
      };
      other.then(close, () => undefined);
    }
    return first;
  } finally {
    done.abort();
  }
}

/** Runs `act` with a signal that also aborts after that many milliseconds. */
async function within<T>(ms: number, signal: AbortSignal, act: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(new Error(`no answer within ${ms / 1000} s`)), ms);
  try {
    return await act(AbortSignal.any([signal, limit.signal]));
  } finally {
    clearTimeout(timer);
  }
}

function hasCode(error: unknown, code: RfoError['code']): boolean {
  return error instanceof RfoError && error.code === code;
}

/** What went wrong without what to do about it: that stands in the error around it. */
function problemOf(error: unknown): string {
  // Of a name with several addresses.
  if (error instanceof AggregateError) return error.errors.map(problemOf).join('; ');
  if (error instanceof RfoError) return error.message.replace(`. ${error.cure}.`, '');
  return error instanceof Error ? error.message : String(error);
}
