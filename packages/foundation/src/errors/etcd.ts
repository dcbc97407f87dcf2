// etcd: its members, its space, its snapshots.
import type { ErrorEntry } from './entry.ts';

export const etcdErrors = {
  'etcd-unreachable': {
    text: 'etcd at {endpoint} cannot be reached: {problem}',
    cure: 'Check that it runs and that its certificates are right',
    retryable: true,
    exit: 1,
  },
  'etcd-refused': { text: 'etcd at {endpoint} refuses {what}: {problem}', cure: 'Its log says more', retryable: false, exit: 1 },
  'etcd-unsettled': {
    text: 'etcd at {endpoint} cannot do {what} at the moment: {problem}',
    cure: 'A majority of the servers must run and reach each other; then it passes by itself',
    retryable: true,
    exit: 1,
  },
  'etcd-node-name-taken': {
    text: 'a server called {name} is a member of the cluster already ({address})',
    cure: 'Give this one another node-name; if it replaces that one, remove the old first: kubectl delete node {name}',
    retryable: false,
    exit: 2,
  },
  'etcd-address-taken': {
    text: 'the address {address} belongs to the etcd member {name}',
    cure: 'If this host replaces that server, remove the old one first: kubectl delete node {node}',
    retryable: false,
    exit: 2,
  },
  'etcd-busy': {
    text: 'etcd takes no further member now: {problem}',
    cure: 'Another server that is joining comes first; it is tried again',
    retryable: true,
    exit: 1,
  },
  'etcd-member-unknown': {
    text: 'no etcd member is called {name}',
    cure: 'It was removed, or never joined: start rfo on it again',
    retryable: false,
    exit: 1,
  },
  'etcd-not-caught-up': {
    text: 'the etcd member {name} cannot vote yet: {why}',
    cure: 'It is asked again until it has caught up',
    retryable: true,
    exit: 1,
  },
  'etcd-member-votes': {
    text: 'the etcd member {name} votes and is not taken back like one that is still joining',
    cure: 'Remove it by deleting its Node',
    retryable: false,
    exit: 1,
  },
  'etcd-join-failed': {
    text: 'this server did not become a member of etcd: {problem}',
    cure: 'It was taken back; cure what it names and start rfo again',
    retryable: false,
    exit: 1,
  },
  'etcd-member-removed': {
    text: 'this server was removed from the cluster: {name} is no member of its etcd any more',
    cure: 'Start rfo again with server set to join anew, or uninstall it',
    retryable: false,
    exit: 1,
  },
  'etcd-last-member': {
    text: 'this server cannot do without etcd: {name} is the last member that votes, and with it the data of the cluster would be gone',
    cure: 'Let another server with etcd join first, or leave disable-etcd out',
    retryable: false,
    exit: 2,
  },
  'etcd-data-missing': {
    text: 'this server is the member {name} of a cluster, but its etcd data is gone',
    cure: 'Set server to an address of that cluster to join it again; only to begin a new cluster, remove the folder {folder}',
    retryable: false,
    exit: 3,
  },
  'snapshot-damaged': { text: '{file} is not a whole etcd snapshot: {problem}', cure: 'Use another snapshot', retryable: false, exit: 1 },
} as const satisfies Record<string, ErrorEntry>;
