/** What a host is given so that it joins by itself, before any format of user data. */

export type HostFile = {
  readonly path: string;
  /** Octal. */
  readonly mode: '0600' | '0644' | '0755';
  readonly content: string;
};

/** A unit of systemd in `/etc/systemd/system`. */
export type HostUnit = {
  readonly name: string;
  readonly content: string;
  /** Started now and at every boot; others are started by what needs them. */
  readonly enabled: boolean;
};

/** All that is put on a host. Every format carries exactly this. */
export type HostPlan = {
  /** One line: what the host becomes. */
  readonly summary: string;
  readonly files: readonly HostFile[];
  readonly units: readonly HostUnit[];
};

export const architectures = ['amd64', 'arm64', 'arm', 'riscv64', 'ppc64le', 's390x', 'loong64'] as const;
export type Architecture = (typeof architectures)[number];

/** A tar archive, packed by gzip, that is unpacked into `/usr/local`: `bin/rfo` and the rest of an installation, or `bin/kubelet` and its runtime. */
export type ProgramArchive = {
  readonly architecture: Architecture;
  /** http or https. */
  readonly url: string;
  /** Lower-case hex: by this the archive is trusted, not by where it comes from. */
  readonly sha256: string;
};

/** The seed server that handed the user data out, where there is one: it is told how the host fares. */
export type SeedPlace = {
  /** `http://host:port`, no slash at the end. */
  readonly url: string;
  /** Name of the host there. */
  readonly id: string;
};

type AnyJoin = {
  /** Undefined: the host's own name. */
  readonly nodeName: string | undefined;
  /** `key=value`. */
  readonly labels: readonly string[];
  /** None: the programs are in the image. */
  readonly programs: readonly ProgramArchive[];
  readonly seed: SeedPlace | undefined;
};

/** A host that becomes an agent of an RFO cluster. */
export type AgentJoin = AnyJoin & {
  /** `https://host:9345` of a server. */
  readonly server: string;
  /** As `rfo token create` prints it. */
  readonly token: string;
};

/** A host that becomes a plain kubelet with certificates of this CA. */
export type KubeletJoin = AnyJoin & {
  /** `https://host:6443`; its certificate is of the same CA. */
  readonly apiServer: string;
  /** `https://host:8888` of the CA, no slash at the end. */
  readonly caUrl: string;
  /** SHA-256 of the SubjectPublicKeyInfo of the CA's certificate, lower-case hex. */
  readonly caPin: string;
  /** 64 hex digits: the key of a join token. */
  readonly token: string;
  readonly profiles: { readonly client: string; readonly serving: string };
  readonly runtime: 'containerd' | 'cri-o';
  readonly clusterDns: readonly string[];
  readonly clusterDomain: string;
};
