/** What the supervisor's port is made of: everything that the rest of the server gives it. */
import type { TLSSocket } from 'node:tls';
import type { Clock, Life, Log } from '@rfo/foundation';
import type { Paths } from '../paths.ts';
import type { AddMember, EtcdPeer, JoinConfig, TokenVerifier } from './api.ts';
import type { NodePasswords } from './node-passwords.ts';

export type SupervisorInputs = {
  readonly paths: Paths;
  readonly bindAddress: string;
  /** 9345 by default; 0 takes any free one. */
  readonly port?: number;
  readonly life: Life;
  readonly log: Log;
  readonly clock?: Clock;
  /** Life of the certificates of nodes in milliseconds. */
  readonly leafLifetime: number;
  /** Whether this server can do its part for nodes that join. */
  readonly ready: () => boolean;
  /** Whether the API answers, by which alone is known whose name a node's is. */
  readonly apiServes: () => boolean;
  /** The metrics page in Prometheus' text format, or undefined where it is switched off. */
  readonly metrics: (() => string) | undefined;
  readonly joinConfig: () => JoinConfig;
  /** Addresses of all servers with an API server: `https://192.0.2.7:9345`. */
  readonly servers: () => readonly string[];
  readonly tokens: TokenVerifier;
  readonly nodePasswords: NodePasswords;
  /** Whether there is a Node of this name; undefined while that is not known. */
  readonly nodeIsKnown?: (name: string) => boolean | undefined;
  readonly members: MemberService;
  /** Takes over the connection of a node that chose the tunnel's protocol. From then on its errors and its end are the taker's. */
  readonly onTunnel: (socket: TLSSocket, nodeName: string) => void;
  readonly bounds?: Partial<Bounds>;
};

/** How much is done at once, and how long anybody may take. Times in milliseconds. */
export type Bounds = {
  readonly readsInFlight: number;
  readonly writesInFlight: number;
  readonly waiting: number;
  readonly waitingTime: number;
  readonly bodyTime: number;
  readonly handlingTime: number;
};

export const defaultBounds: Bounds = {
  readsInFlight: 20,
  writesInFlight: 10,
  waiting: 1000,
  waitingTime: 30_000,
  bodyTime: 10_000,
  handlingTime: 30_000,
};

/** The members of the etcd cluster, as joining servers change them. What cannot be done is thrown: etcd-unreachable, etcd-refused. */
export type MemberService = {
  readonly list: (signal: AbortSignal) => Promise<readonly EtcdPeer[]>;
  /** Adds a learner; gives all members, the new one included. */
  readonly add: (wish: AddMember, signal: AbortSignal) => Promise<readonly EtcdPeer[]>;
  /** Takes back a learner that never started. */
  readonly removeUnstarted: (name: string, signal: AbortSignal) => Promise<void>;
  /** `voting` when it votes now or did already, else why not yet. */
  readonly promote: (name: string, signal: AbortSignal) => Promise<string>;
};
