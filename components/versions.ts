/**
 * Which version of each upstream part goes with which Kubernetes minor: the one table that a version bump edits, beside the part's go.mod.
 * `npm run components -- --check` compares the two. Keys are the names of the folders here; etcd's three modules share one version.
 */
export type Versions = {
  readonly 'kubernetes': string;
  readonly 'etcd': string;
  readonly 'containerd': string;
  readonly 'runc': string;
  readonly 'cni': string;
  readonly 'crictl': string;
  readonly 'helm': string;
  readonly 'flannel': string;
  readonly 'coredns': string;
  readonly 'metrics-server': string;
  /** The tag that upstream's build/pause/Makefile gives the image; its source comes with Kubernetes. */
  readonly 'pause': string;
  /** Depends on no Kubernetes: it is there to be compared with. */
  readonly 'cfssl': string;
  /** Depends on no Kubernetes either: it checks what is written for Ignition. */
  readonly 'ignition': string;
};

export const versions = {
  '1.36': {
    'kubernetes': 'v1.36.3',
    'etcd': 'v3.6.16',
    'containerd': 'v2.3.7',
    'runc': 'v1.5.2',
    'cni': 'v1.9.1',
    'crictl': 'v1.36.0',
    'helm': 'v4.3.1',
    'flannel': 'v0.28.4',
    'coredns': 'v1.15.0',
    'metrics-server': 'v0.9.0',
    'pause': 'v3.10.2',
    'cfssl': 'v1.6.5',
    'ignition': 'v2.24.0',
  },
} as const satisfies Record<string, Versions>;

export type Minor = keyof typeof versions;

/** What is built when nobody asks for another minor. */
export const defaultMinor: Minor = '1.36';
