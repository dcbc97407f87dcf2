// What the agent of an imported cluster and the manager say to each other beside the byte streams of a tunnel. The agent dials; the manager asks.
import * as z from 'zod/mini';

/**
 * ```
 *   manager                                       agent
 *      │ GET  /v1/hello ───────────────────────────▶ │   JSON lines, for as long as the connection lasts: a Hello, then Credentials
 *      │ POST /v1/welcome {accepted…} ─────────────▶ │   before it nothing else is asked
 *      │ POST /v1/token {token} ───────────────────▶ │   200: kept for all agents of the cluster
 *      │ POST /v1/settings {servers, ca} ──────────▶ │   200: kept
 *      │ POST /v1/move {} ─────────────────────────▶ │   200: it dials again, and leaves this connection when it has another one
 *      │ CONNECT kubernetes:443 ───────────────────▶ │   to the API server of its cluster
 * ```
 */
export const agentPaths = {
  hello: '/v1/hello',
  welcome: '/v1/welcome',
  token: '/v1/token',
  settings: '/v1/settings',
  move: '/v1/move',
} as const;

/** The only target that an agent connects to, by a name that means its API server. */
export const agentTarget = { host: 'kubernetes', port: 443 } as const;

const line = (max: number) => z.string().check(z.minLength(1), z.maxLength(max), z.regex(/^\P{Cc}*$/u));
const pem = z.string().check(z.maxLength(131_072));

const credentials = z.object({
  /** Of the agent's service account. */
  serviceAccountToken: line(16_384),
  /** Of the API server's certificate. */
  ca: pem,
});

const problem = z.object({ reason: line(64), message: line(1024), at: line(64) });

const hello = z.object({
  type: z.literal('hello'),
  protocol: z.literal(1),
  /** A registration token or the cluster's own. */
  token: line(512),
  version: line(64),
  via: z.enum(['deployment', 'node']),
  /** Name of the pod. */
  instance: line(253),
  node: z.optional(line(253)),
  /** The agent's clock, milliseconds since 1970. */
  now: z.number(),
  /** Its API server, as it reaches it. */
  apiServer: z.object({ host: line(253), port: z.int().check(z.minimum(1), z.maximum(65_535)) }),
  credentials,
  /** Hash of the settings that it has, see `AgentSettings`. */
  settings: line(64),
  /** What kept it away the last time. */
  problem: z.optional(problem),
});

const update = z.object({ type: z.literal('credentials'), credentials });

/** How an agent presents itself. */
export type AgentHello = Readonly<z.output<typeof hello>>;
export type AgentCredentials = Readonly<z.output<typeof credentials>>;
export type AgentProblem = Readonly<z.output<typeof problem>>;

const welcome = z.discriminatedUnion('accepted', [
  z.object({ accepted: z.literal(true), cluster: line(63) }),
  z.object({ accepted: z.literal(false), reason: line(64), message: line(1024) }),
]);

/** Whether the manager takes the agent. `reason` is one of `AgentRefusal`. */
export type AgentWelcome = Readonly<z.output<typeof welcome>>;
export type AgentRefusal = 'TokenUnknown' | 'TokenExpired' | 'TokenUsed' | 'ClusterRemoved' | 'Busy' | 'Invalid';

const settings = z.object({
  /** URLs of the manager, the preferred one first. */
  servers: z.array(line(2048)).check(z.minLength(1), z.maxLength(8)),
  /** PEM of the authorities of its certificate. */
  ca: pem,
  /** Those that the agent's system trusts are good as well. */
  system: z.boolean(),
  /** Tells one set from another. */
  hash: line(64),
});

/** Where the manager is, and how it is known. */
export type AgentSettings = Readonly<z.output<typeof settings>>;

const issued = z.object({ token: line(512) });

/** The form of requests and answers. Each throws the errors of zod. */
export const parseAgentHello = (value: unknown): AgentHello => z.parse(hello, value);
export const parseAgentUpdate = (value: unknown): AgentCredentials => z.parse(update, value).credentials;
export const parseAgentWelcome = (value: unknown): AgentWelcome => z.parse(welcome, value);
export const parseAgentSettings = (value: unknown): AgentSettings => z.parse(settings, value);
export const parseIssuedToken = (value: unknown): string => z.parse(issued, value).token;

/** Longest line (bytes) of what an agent says, and longest request of the manager. */
export const longestAgentLine = 256 * 1024;

/** Keys of the Secret in which the agents of a cluster keep how they reach the manager, and its name, that of their account and workloads. */
export const agentName = 'rfo-cluster-agent';
export const agentSecretKeys = { token: 'token', settings: 'settings.json' } as const;

/**
 * The Secret by which the agents on the nodes of the control plane answer their API servers for tokens of the manager: certificate, key, and the
 * file for `--authentication-token-webhook-config-file`. The port is taken from the host, on loopback.
 */
export const endpointSecret = {
  name: 'rfo-cluster-endpoint',
  keys: { cert: 'tls.crt', key: 'tls.key', config: 'webhook.yaml' },
} as const;
export const endpointPort = 10_691;
