/** The ways to the clusters: what the other parts of the manager see of them. */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import type { Life } from '@rfo/foundation';
import type { KubeClient } from '@rfo/kube';

/** What holds a connection: an agent's Deployment, its fallback on a node, or the manager itself for the cluster that it runs in. */
export type Via = 'deployment' | 'node' | 'local';

/** Options of `tls.connect` by which the API server at the other end of a stream is known; to be spread as they are. */
export type UpstreamTls = {
  /** PEM of the authority of its certificate. */
  readonly ca: string;
  /** Name or address that the certificate has to be for. */
  readonly host: string;
  /** The same for the handshake, where it is a name. */
  readonly servername?: string;
  /** Certificate and key in PEM by which the manager acts, where it is not by a token. */
  readonly cert?: string;
  readonly key?: string;
};

/** A way to the API server of a cluster. */
export type Upstream = {
  /** Raw bytes to the API server: TLS is to be spoken in it. */
  readonly stream: Duplex;
  readonly tls: UpstreamTls;
  /** The bearer token to act with, as it is now; undefined where `tls` has a certificate. It renews: to be asked at each request. */
  readonly token: () => string | undefined;
};

export type ConnectionState = {
  readonly connected: boolean;
  /** Of the preferred session. */
  readonly via?: Via;
  readonly version?: string;
  /** When it was opened, milliseconds since 1970. */
  readonly since?: number;
  readonly apiServer?: string;
  /** How many there are, over all replicas. */
  readonly sessions: number;
  /** Why it is away, as far as it is known. */
  readonly problem?: Problem;
};

/** `reason` in one word, `message` in a sentence; `at` in milliseconds since 1970. */
export type Problem = { readonly reason: string; readonly message: string; readonly at: number };

export type Registration = {
  /** Where the manifest is, until an agent has used it or it expires. */
  readonly url: string;
  /** The line that imports the cluster. */
  readonly command: string;
  /** RFC 3339. */
  readonly expiresAt: string;
};

/** How far a change of the manager's address or CA has come. */
export type SettingsProgress = {
  readonly total: number;
  /** Clusters whose agents have confirmed the values of now. */
  readonly moved: number;
  /** Names of the others. */
  readonly waiting: readonly string[];
};

export type Connections = {
  /**
   * Opens a stream to the cluster's API server by the best session there is, of this replica or of another.
   * Throws cluster-away, tunnel-unreachable, or the signal's reason.
   */
  readonly connect: (cluster: string, options?: { readonly signal?: AbortSignal }) => Promise<Upstream>;
  /** A client of the cluster with the rights of its agent; undefined while it cannot be reached. It is shared: nobody closes it. */
  readonly clientOf: (cluster: string) => KubeClient | undefined;
  readonly state: (cluster: string) => ConnectionState;
  /** Calls the listener when the state of a cluster has changed; gives the function that ends it. */
  readonly onChange: (listener: (cluster: string) => void) => () => void;
  /** Upgrade requests for `/connect`. Takes over the socket. */
  readonly handleUpgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
  /** Connections on which ALPN chose `tunnelProtocol`; nothing may have been written to them. Takes over the socket. */
  readonly handleTunnel: (socket: TLSSocket) => void;
  /** The manifest that `GET /import/<token>.yaml` answers with. Throws registration-unknown, registration-expired, too-many-attempts, server-url-unknown. @param from.address who asks */
  readonly importManifest: (token: string, from?: { readonly address?: string | undefined }) => Promise<string>;
  /**
   * Makes a one-time import address for a Cluster that exists; earlier ones of it end.
   * Throws cluster-away-unknown, registration-needless, server-url-unknown.
   * @param options.ttl milliseconds (24 hours)
   */
  readonly register: (cluster: string, options?: { readonly ttl?: number }) => Promise<Registration>;
  readonly settingsProgress: () => SettingsProgress;
  /** Takes no more agents in, and sends those that are here to other replicas: this one is about to end. What they carry now goes on. */
  readonly retire: () => void;
  /** Runs what one replica alone does (status, health, removal, rotation) until the life ends; for `electLeader`. */
  readonly lead: (life: Life) => Promise<void>;
};
