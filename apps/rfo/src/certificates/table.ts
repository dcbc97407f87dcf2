/**
 * Every certificate of a server node: the one place where a file, a subject, a signer, a usage, a name or a user of one is defined.
 * Names and subjects are RKE2's with `rfo` for `rke2`. A name here is the path below `server/tls`: `<name>.crt` and `<name>.key`.
 */
import { identity, type Name, type Usage } from '@rfo/pki';

/** What the rows are rendered from. Several service addresses: one of each family. */
export type CertificateInputs = {
  readonly nodeName: string;
  readonly nodeIps: readonly string[];
  readonly serviceIps: readonly string[];
  readonly clusterDomain: string;
  readonly tlsSans: readonly string[];
  readonly advertiseAddress: string;
};

/**
 * Who reads the file, and how it takes a new one:
 * `hot`: the component notices by itself, at most `withinSeconds` later; `restart`: it reads the file once, at its start;
 * `callback`: rfo itself holds or embeds it and acts on the monitor's `onRenewed`.
 */
export type Use = { readonly component: string; readonly takes: 'hot' | 'restart' | 'callback'; readonly withinSeconds: number };

export type AuthorityRow = { readonly kind: 'authority'; readonly commonName: string; readonly usedBy: readonly Use[] };
export type LeafRow = {
  readonly kind: 'leaf';
  readonly signer: string;
  readonly subject: (inputs: CertificateInputs) => Name;
  readonly usages: readonly Usage[];
  readonly hosts: (inputs: CertificateInputs) => readonly string[];
  readonly usedBy: readonly Use[];
};

/**
 * Serving certificates, client CAs and the aggregator's client certificate of Kubernetes' own servers: inotify on the file
 * (k8s.io/apiserver v0.36 pkg/server/dynamiccertificates/dynamic_{serving,cafile}_content.go; used by options/serving.go:321,
 * options/authentication.go:164,201, kube-aggregator apiserver.go:298; pkg/controller/certificates/signer/ca_provider.go:32). When a watch
 * breaks it is set up again each minute. kubelet: pkg/kubelet/kubelet.go:933, gate ReloadKubeletServerCertificateFile, on since 1.31.
 */
const watched = (component: string): Use => ({ component, takes: 'hot', withinSeconds: 60 });

/**
 * Client certificates that client-go was given as files: read at each handshake, and connections that were made with the old one are closed by a
 * check every 5 minutes (client-go v0.36 transport/cert_rotation.go:37, transport.go:226 ReloadTLSFiles). Until then the API server
 * answers 401 to an expired one, because it verifies the certificate at each request. Embedded `*-data` would not be reloaded.
 * The API server's kubelet client goes through the same transport.New (pkg/kubelet/client/kubelet_client.go:112).
 */
const rotated = (component: string): Use => ({ component, takes: 'hot', withinSeconds: 300 });

/**
 * etcd reads its own certificate at each handshake, as server and as client, and so does the API server's etcd client, which is built on the same
 * TLSInfo (go.etcd.io/etcd/client/pkg/v3 transport/listener.go:474,493). Running connections stay. CA files are read once (listener.go:548,578).
 */
const perHandshake = (component: string): Use => ({ component, takes: 'hot', withinSeconds: 0 });

/** Our own client looks at its files at most a second before each request, and opens a new connection when they have changed. */
const reread = (component: string): Use => ({ component, takes: 'hot', withinSeconds: 1 });

const restarted = (component: string): Use => ({ component, takes: 'restart', withinSeconds: 0 });
const rfo: Use = { component: 'rfo', takes: 'callback', withinSeconds: 0 };

const loopback = ['localhost', '127.0.0.1', '::1'];
const none = (): readonly string[] => [];
const client = { kind: 'leaf', signer: 'client-ca', usages: ['clientAuth'], hosts: none } as const;
const server = { kind: 'leaf', signer: 'server-ca', usages: ['serverAuth'] } as const;
const masters = 'system:masters';

export const certificateTable = {
  /** kcm publishes it to pods (kube-controller-manager controllermanager.go:809 reads it once); everything that dials the API server trusts it. */
  'server-ca': {
    kind: 'authority',
    commonName: 'rfo-server-ca',
    usedBy: [
      ...['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kubelet', 'kube-proxy', 'flannel', 'rfo-manager'].map(restarted),
      rfo,
    ],
  },
  'client-ca': {
    kind: 'authority',
    commonName: 'rfo-client-ca',
    usedBy: [...['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kubelet'].map(watched), rfo],
  },
  'request-header-ca': { kind: 'authority', commonName: 'rfo-request-header-ca', usedBy: [watched('kube-apiserver')] },
  'etcd/server-ca': { kind: 'authority', commonName: 'etcd-server-ca', usedBy: [restarted('etcd'), restarted('kube-apiserver'), rfo] },
  'etcd/peer-ca': { kind: 'authority', commonName: 'etcd-peer-ca', usedBy: [restarted('etcd')] },

  /** Embedded in the administrator's kubeconfig, which rfo writes anew. */
  'client-admin': { ...client, subject: () => identity('system:admin', [masters]), usedBy: [rfo] },
  'client-supervisor': { ...client, subject: () => identity('system:rfo-supervisor', [masters]), usedBy: [rfo] },
  'client-controller': {
    ...client,
    subject: () => identity('system:kube-controller-manager'),
    usedBy: [rotated('kube-controller-manager')],
  },
  'client-scheduler': { ...client, subject: () => identity('system:kube-scheduler'), usedBy: [rotated('kube-scheduler')] },
  /** How the API server shows itself to kubelets. */
  'client-kube-apiserver': { ...client, subject: () => identity('system:apiserver', [masters]), usedBy: [rotated('kube-apiserver')] },
  'client-kube-proxy': { ...client, subject: () => identity('system:kube-proxy'), usedBy: [rotated('kube-proxy')] },
  'client-rfo-controller': { ...client, subject: () => identity('system:rfo-controller'), usedBy: [rotated('flannel'), rfo] },
  /** It gives rights that it would otherwise have to hold one by one, as whoever imports a cluster may give any. */
  'client-manager': { ...client, subject: () => identity('system:rfo-manager', [masters]), usedBy: [reread('rfo-manager')] },
  'client-kubelet': {
    ...client,
    subject: ({ nodeName }) => identity(`system:node:${nodeName}`, ['system:nodes']),
    usedBy: [rotated('kubelet')],
  },
  'client-auth-proxy': {
    ...client,
    signer: 'request-header-ca',
    subject: () => identity('system:auth-proxy'),
    usedBy: [watched('kube-apiserver')],
  },

  'serving-kubelet': {
    ...server,
    subject: ({ nodeName }) => identity(nodeName),
    hosts: ({ nodeName, nodeIps }) => [nodeName, ...loopback, ...nodeIps],
    usedBy: [watched('kubelet')],
  },
  /** The supervisor's port 9345 shows the same one. */
  'serving-kube-apiserver': {
    ...server,
    subject: () => identity('kube-apiserver'),
    hosts: apiserverHosts,
    usedBy: [watched('kube-apiserver'), restarted('authorized-endpoint'), rfo],
  },
  'kube-scheduler/kube-scheduler': {
    ...server,
    subject: () => identity('kube-scheduler'),
    hosts: () => loopback,
    usedBy: [watched('kube-scheduler')],
  },
  'kube-controller-manager/kube-controller-manager': {
    ...server,
    subject: () => identity('kube-controller-manager'),
    hosts: () => loopback,
    usedBy: [watched('kube-controller-manager')],
  },

  'etcd/client': {
    ...client,
    signer: 'etcd/server-ca',
    subject: () => identity('etcd-client'),
    usedBy: [perHandshake('kube-apiserver'), rfo],
  },
  /** Both usages: etcd's JSON gateway dials etcd with this certificate as its client. */
  'etcd/server-client': {
    kind: 'leaf',
    signer: 'etcd/server-ca',
    usages: ['serverAuth', 'clientAuth'],
    subject: () => identity('etcd-server'),
    hosts: etcdHosts,
    usedBy: [perHandshake('etcd')],
  },
  'etcd/peer-server-client': {
    kind: 'leaf',
    signer: 'etcd/peer-ca',
    usages: ['serverAuth', 'clientAuth'],
    subject: () => identity('etcd-peer'),
    hosts: etcdHosts,
    usedBy: [perHandshake('etcd')],
  },
} as const satisfies Record<string, AuthorityRow | LeafRow>;

export type CertificateName = keyof typeof certificateTable;
export type AuthorityName = Extract<CertificateName, `${string}-ca`>;
export type LeafName = Exclude<CertificateName, AuthorityName>;

export const certificateNames = Object.keys(certificateTable) as readonly CertificateName[];
export const authorityNames = certificateNames.filter((name): name is AuthorityName => certificateTable[name].kind === 'authority');
export const leafNames = certificateNames.filter((name): name is LeafName => certificateTable[name].kind === 'leaf');

/** The key that signs service account tokens: it has no certificate. Both read it once, at their start. */
export const serviceKey = { name: 'service', usedBy: ['kube-apiserver', 'kube-controller-manager'].map(restarted) } as const;

/** What clients may call the API server: inside the cluster, on this host, from outside. */
function apiserverHosts(inputs: CertificateInputs): string[] {
  const { clusterDomain, nodeName, nodeIps, serviceIps, advertiseAddress, tlsSans } = inputs;
  const service = ['kubernetes', 'kubernetes.default', 'kubernetes.default.svc', `kubernetes.default.svc.${clusterDomain}`];
  return [...service, ...loopback, nodeName, ...serviceIps, advertiseAddress, ...nodeIps, ...tlsSans];
}

function etcdHosts({ nodeName, nodeIps }: CertificateInputs): string[] {
  return [nodeName, ...loopback, ...nodeIps];
}
