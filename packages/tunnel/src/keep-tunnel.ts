/** The dialling end of a tunnel, on a node: keeps one to a server for as long as its life lasts. */
import { Backoff, type Life, type Log, sleep } from '@rfo/foundation';
import type { Connection } from './connection.ts';
import { type DialOptions, dial } from './dial.ts';
import { startHeartbeat } from './heartbeat.ts';
import { formatTarget, problemOf } from './protocol.ts';

/**
 * ```
 *            dial            silent for suspectAfter          silent for lostAfter
 *   (none) ───────▶ up ─────────────────────────▶ suspect ─────────────────────▶ lost
 *      │            ▲ ◀────── answers again ─────────┘ │                          │ │
 *      │            └───── answers again, or another connection is there ─────────┘ │
 *      └── first dial fails ──▶ lost            breaks └──▶ lost ◀── breaks (from up)┘
 * ```
 */
export type TunnelState = 'up' | 'suspect' | 'lost';

export type KeepTunnelOptions = DialOptions & {
  readonly life: Life;
  readonly log: Log;
  /**
   * Called at each change. `suspect`: it has not answered for `suspectAfter` ms, it may come back. `lost`: it broke, could not be opened, or
   * has not answered for `lostAfter` ms.
   */
  readonly onState?: (state: TunnelState, reason?: string) => void;
  /** Milliseconds between pings, read before each (2000); at most 3000. */
  readonly pingEvery?: () => number;
  /** 600 ms after a ping. */
  readonly suspectAfter?: number;
  /** 2000 ms after a ping. */
  readonly lostAfter?: number;
  /** A connection that answers again before this lives on with its streams: 10000 ms after a ping. */
  readonly deadAfter?: number;
  /** Pauses (ms) between dials that fail: 100 to 500. */
  readonly pauses?: { readonly initial: number; readonly max: number };
  /** One line for why a dial failed. */
  readonly describe?: (error: unknown) => string;
};

/** A connection that broke sooner than this (ms) is dialled again after a pause, any other at once. */
const steady = 5000;

/**
 * Dials, and dials again whenever the connection breaks or falls silent, at once and then every half second. While the other end is only
 * silent, the old connection is kept: if it answers again its streams go on, and if a new one is there first it ends with its last stream. So does
 * one that the service wants to have replaced.
 */
export function keepTunnel(options: KeepTunnelOptions): void {
  const { pingEvery = () => 2000, suspectAfter = 600, lostAfter = 2000, deadAfter = 10_000, describe = problemOf } = options;
  const life = options.life.child();
  const backoff = new Backoff(options.pauses ?? { initial: 100, max: 500 });
  const connections = new Set<Connection>();
  const state = stateOf(options);
  let current: Connection | undefined;
  let attempt: Life | undefined;
  let losing: NodeJS.Timeout | undefined;
  /** The current connection is good, and another one is looked for because it will not be for long. */
  let replacing = false;

  const startDialling = (pause: number): void => {
    if (attempt !== undefined || life.signal.aborted) return;
    attempt = life.child();
    const done = dialUntilUp(attempt.signal, pause);
    attempt.defer(() => done);
  };
  const stopDialling = (): void => {
    void attempt?.end();
    attempt = undefined;
  };
  const dialUntilUp = async (signal: AbortSignal, pause: number): Promise<void> => {
    for (let wait = pause; !signal.aborted; ) {
      await sleep(wait, signal).catch(() => undefined);
      const started = performance.now();
      try {
        signal.throwIfAborted();
        const connection = await dial({ ...options, signal });
        if (!signal.aborted) return use(connection);
        connection.end('not needed any more');
      } catch (error) {
        if (!signal.aborted && !replacing) state.failed(describe(error));
      }
      wait = Math.max(0, started + backoff.next() - performance.now());
    }
  };
  const use = (connection: Connection): void => {
    stopDialling();
    clearTimeout(losing);
    replacing = false;
    const replaced = current;
    const since = performance.now();
    current = connection;
    connections.add(connection);
    void connection.ended.then((reason) => {
      connections.delete(connection);
      if (performance.now() - since >= steady) backoff.reset();
      if (connection === current) lose(reason, performance.now() - since >= steady ? 0 : backoff.next());
    });
    const only = (act: () => void) => () => connection === current && act();
    void connection.unwanted.then(only(replace));
    startHeartbeat(connection, {
      ...{ every: pingEvery, suspectAfter, deadAfter },
      onSilent: only(suspect),
      onAnswered: only(trust),
      onDead: () => connection.end(`no answer for ${deadAfter / 1000} s`),
    });
    state.enter('up', undefined, connection.websocket);
    replaced?.retire();
  };
  const replace = (): void => {
    replacing = true;
    startDialling(0);
  };
  const suspect = (): void => {
    state.enter('suspect');
    startDialling(0);
    losing = setTimeout(() => state.enter('lost', `no answer for ${lostAfter / 1000} s`), lostAfter - suspectAfter);
  };
  const trust = (): void => {
    if (!replacing) stopDialling();
    clearTimeout(losing);
    state.enter('up');
  };
  const lose = (reason: string, pause: number): void => {
    current = undefined;
    replacing = false;
    clearTimeout(losing);
    if (life.signal.aborted) return;
    state.enter('lost', reason);
    startDialling(pause);
  };

  life.defer(async () => {
    clearTimeout(losing);
    for (const connection of connections) connection.end('this side ends');
    await Promise.all([...connections].map(({ ended }) => ended));
  });
  startDialling(0);
}

/** Tells of changes, and logs each reason once for as long as the tunnel is away. */
function stateOf({ host, port, log, onState }: KeepTunnelOptions): {
  readonly enter: (next: TunnelState, reason?: string, websocket?: boolean) => void;
  readonly failed: (reason: string) => void;
} {
  const server = formatTarget({ host, port });
  const told = new Set<string>();
  let state: TunnelState | undefined;
  let lostAt = performance.now();
  const tell = (reason: string): void => {
    if (told.has(reason)) return;
    told.add(reason);
    log.warn('there is no tunnel', { server, reason });
  };
  const enter = (next: TunnelState, reason?: string, websocket = false): void => {
    if (next === 'lost') {
      if (state === 'up' || state === 'suspect') lostAt = performance.now();
      tell(reason ?? 'unknown');
    }
    if (next === 'up' && state !== 'suspect') {
      log.info('the tunnel is open', {
        server,
        ...(websocket && { via: 'a WebSocket: something between lets only HTTP through' }),
        ...(state === 'lost' && { after: `${((performance.now() - lostAt) / 1000).toFixed(1)} s` }),
      });
      told.clear();
    }
    if (next === state) return;
    state = next;
    onState?.(next, reason);
  };
  return {
    enter,
    // A failed dial beside a connection that may come back says nothing yet.
    failed: (reason) => {
      if (state !== 'suspect') enter('lost', reason);
    },
  };
}
