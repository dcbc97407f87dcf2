/**
 * The join API on port 9345 as both sides see it: paths, headers and bodies. The protocol is RKE2's, with `rfo` for its name, so that what
 * is known of it holds here; what differs is said where it does.
 */
import { type ClusterSettings, clusterSettingKeys, parseClusterSettings } from '@rfo/schema';
import * as z from 'zod/mini';

const prefix = '/v1-rfo';

export const joinPaths = {
  /** GET, anybody: `pong`. */
  ping: '/ping',
  /** GET, anybody: the CA that the full token's hash pins, as PEM. */
  caCerts: '/cacerts',
  /** GET, joiners: 200 once this server can serve all of the below, else 503. */
  ready: `${prefix}/readyz`,
  /** GET, joiners: `ServedConfig`. */
  config: `${prefix}/config`,
  /** GET, joiners: `{servers: string[]}`, the addresses of all servers with an API server. */
  servers: `${prefix}/apiservers`,
  /** GET, joiners: PEM. */
  clientCa: `${prefix}/client-ca.crt`,
  serverCa: `${prefix}/server-ca.crt`,
  /**
   * POST `CertificateRequests`, joiners: `IssuedCertificates`, all that a node needs of the CAs by one question, which RKE2 does not have: what each
   * further question costs, a server has to pay for every node of a large cluster that comes back at once.
   */
  nodeCertificates: `${prefix}/node-certificates`,
  /** POST a DER certificate signing request, joiners: the certificate and the CAs above it as PEM. */
  servingKubelet: `${prefix}/serving-kubelet.crt`,
  clientKubelet: `${prefix}/client-kubelet.crt`,
  clientKubeProxy: `${prefix}/client-kube-proxy.crt`,
  clientController: `${prefix}/client-rfo-controller.crt`,
  /** GET, servers: `BootstrapData`, for who shows the password of the node that the server is to be. */
  bootstrap: `${prefix}/server-bootstrap`,
  /** Servers: GET `{members: EtcdPeer[]}`; POST `AddMember` adds a learner and gives the same; DELETE `?name=` takes an unstarted learner back. */
  etcdMembers: `${prefix}/etcd/members`,
  /** POST `{name}`, servers: 200 when the member votes (now or already), 409 with a text while it is not caught up. */
  etcdPromote: `${prefix}/etcd/promote`,
} as const;

/** The certificates that a node is given, by their rows of the table; by `client-kubelet` it shows from then on who it is. */
export const nodeCertificateNames = ['client-kubelet', 'serving-kubelet', 'client-kube-proxy', 'client-rfo-controller'] as const;
export type NodeCertificateName = (typeof nodeCertificateNames)[number];

/** A node asks for those that it lacks; for none, it is told of the CAs alone. */
export type CertificateRequests = { readonly requests: Partial<Readonly<Record<NodeCertificateName, Uint8Array>>> };
/** All as PEM; with each certificate those of the CAs above it. */
export type IssuedCertificates = {
  readonly authorities: Readonly<Record<'client-ca' | 'server-ca', string>>;
  readonly certificates: Partial<Readonly<Record<NodeCertificateName, string>>>;
};

/** Sent with every request for a certificate of a node; name and password with that of a server for the bootstrap data. */
export const joinHeaders = { nodeName: 'rfo-node-name', nodePassword: 'rfo-node-password', nodeIp: 'rfo-node-ip' } as const;

/** Most bytes that a request may carry. */
export const bodyLimit = 64 * 1024;

/**
 * How a caller shows who he is, the strongest first: a client certificate of an administrator (`system:masters`), one of a node
 * (`system:node:<name>`, `system:nodes`), or a token as `Authorization: Basic <user>:<secret>` where the user is `server` or `node`, or
 * `Bearer <id>.<secret>` for a token made by `rfo token create`.
 */
export type Caller =
  | { readonly kind: 'anonymous' }
  | { readonly kind: 'administrator' }
  | { readonly kind: 'node'; readonly nodeName: string }
  | { readonly kind: 'token'; readonly role: TokenRole; readonly tokenId: string };

export type TokenRole = 'server' | 'agent';

/** Tells whether a secret may join, and as what. A server's token is good for agents as well. Never throws for a wrong one. */
export type TokenVerifier = {
  /** @param id `server` or `node` for the two tokens of the cluster, else the id of one made by `rfo token create` */
  readonly verify: (id: string, secret: string) => Promise<TokenVerdict>;
  /** Notes that a node joined with it: counts its use. */
  readonly used: (tokenId: string, nodeName: string) => void;
};
export type TokenVerdict =
  | { readonly ok: true; readonly role: TokenRole; readonly tokenId: string }
  | { readonly ok: false; readonly why: 'unknown' | 'expired' | 'used-up'; readonly at?: string };

export type JoinConfig = {
  readonly settings: ClusterSettings;
  readonly versions: { readonly rfo: string; readonly kubernetes: string };
  /** The server's clock in milliseconds since 1970, to tell the difference to one's own. */
  readonly time: number;
};

/** With the addresses of all servers that have an API server: what RKE2's agents ask for on its own, as can be done here too. */
export type ServedConfig = JoinConfig & { readonly servers: readonly string[] };

/** Base64 of each file that all servers share, by its path below `server/` (`tls/server-ca.key`, `cred/encryption-config.json`, …). */
export type BootstrapData = Readonly<Record<string, string>>;

export type EtcdPeer = {
  readonly id: string;
  /** Empty while it has never started. */
  readonly name: string;
  readonly peerUrls: readonly string[];
  readonly clientUrls: readonly string[];
  readonly isLearner: boolean;
};
export type AddMember = { readonly nodeName: string; readonly name: string; readonly peerUrls: readonly string[] };

/** Every answer that is not 200 has this body. */
export type ApiProblem = { readonly code: string; readonly message: string };

const versions = z.object({ rfo: z.string(), kubernetes: z.string() });

/** What came as the answer of `joinPaths.config`; throws the errors of zod. */
export function parseServedConfig(value: unknown): ServedConfig {
  return { ...parseJoinConfig(value), ...z.parse(z.object({ servers: z.array(z.string()) }), value) };
}

/** The part of it that a node keeps; throws the errors of zod. */
export function parseJoinConfig(value: unknown): JoinConfig {
  const { settings, ...rest } = z.parse(z.object({ settings: z.unknown(), versions, time: z.number() }), value);
  return { ...rest, settings: parseClusterSettings(settings) };
}

const certificateName = z.enum(nodeCertificateNames);
const certificateRequests = z.object({ requests: z.partialRecord(certificateName, z.string()) });
const issuedCertificates = z.object({
  authorities: z.object({ 'client-ca': z.string(), 'server-ca': z.string() }),
  certificates: z.partialRecord(certificateName, z.string()),
});

/** As JSON: base64 of the DER of each signing request. */
export function renderCertificateRequests({ requests }: CertificateRequests): string {
  const entries = Object.entries(requests).map(([name, der]) => [name, Buffer.from(der).toString('base64')]);
  return JSON.stringify({ requests: Object.fromEntries(entries) });
}

export function parseCertificateRequests(value: unknown): CertificateRequests {
  const { requests } = z.parse(certificateRequests, value);
  return { requests: Object.fromEntries(Object.entries(requests).map(([name, text]) => [name, Buffer.from(text, 'base64')])) };
}

export const parseIssuedCertificates = (value: unknown): IssuedCertificates => z.parse(issuedCertificates, value);

export const parseBootstrapData = (value: unknown): BootstrapData => z.parse(z.record(z.string(), z.string()), value);

const peer = z.object({
  id: z.string(),
  name: z.string(),
  peerUrls: z.array(z.string()),
  clientUrls: z.array(z.string()),
  isLearner: z.boolean(),
});
export const parsePeers = (value: unknown): readonly EtcdPeer[] => z.parse(z.object({ members: z.array(peer) }), value).members;

export const parseAddMember = (value: unknown): AddMember =>
  z.parse(z.object({ nodeName: z.string(), name: z.string(), peerUrls: z.array(z.string()) }), value);

/** Settings in which a joining server differs from the cluster, one line each, both values named. */
export function differingSettings(own: ClusterSettings, cluster: ClusterSettings): readonly string[] {
  return clusterSettingKeys
    .filter((key) => own[key] !== cluster[key])
    .map((key) => `${key} is ${String(own[key] ?? 'unset')} here, ${String(cluster[key] ?? 'unset')} in the cluster`);
}
