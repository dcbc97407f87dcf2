// Joining as the node that joins meets it.
import type { ErrorEntry } from './entry.ts';

export const joiningErrors = {
  'join-server-missing': {
    text: 'no server is configured that this agent could join',
    cure: 'Give server, for example https://server-1:9345',
    retryable: false,
    exit: 2,
  },
  'join-token-missing': {
    text: 'joining a cluster needs a token',
    cure: 'Give token or token-file; a server keeps it in server/node-token of its data-dir',
    retryable: false,
    exit: 2,
  },
  'server-address-invalid': {
    text: '"{address}" is not the address of a server',
    cure: 'Write it like https://server-1.example.com:9345',
    retryable: false,
    exit: 2,
  },
  'server-unreachable': {
    text: '{server} cannot be reached: {problem}',
    cure: 'Check that rfo server runs there and that nothing between closes the port',
    retryable: true,
    exit: 1,
  },
  'server-untrusted': {
    text: '{server} is not a server of this cluster: {problem}',
    cure: 'Check the address, and that the token is one of the cluster which answers there',
    retryable: false,
    exit: 1,
  },
  'server-certificate-dates': {
    text: 'the certificate of {server} is not valid now, {now} by the clock of this host: {problem}',
    cure: 'Compare the clocks of both hosts; a running server renews its own certificates',
    retryable: true,
    exit: 1,
  },
  'server-answer-invalid': {
    text: '{server} gave an answer for {what} that cannot be used: {problem}',
    cure: 'Check which program answers there, and its version',
    retryable: true,
    exit: 1,
  },
  'server-not-ready': {
    text: '{server} cannot give {what} now: {problem}',
    cure: 'It mostly can a moment later; else the log of that server says why',
    retryable: true,
    exit: 1,
  },
  'join-unauthorized': {
    text: '{server} does not accept {credential}: {problem}',
    cure: '{cure}',
    retryable: false,
    exit: 1,
  },
  'join-refused': {
    text: '{server} refuses {what}: {problem} ({problemCode})',
    cure: '{cure}',
    retryable: false,
    exit: 1,
  },
  'authority-mismatch': {
    text: 'the CA that {server} shows is not the one of the token: its hash is {found}, the token says {wanted}',
    cure: 'Take the token from a server of the cluster that is meant, or correct the address; if both are right, somebody stands between',
    retryable: false,
    exit: 1,
  },
  'cluster-differs': {
    text: 'this node belongs to the cluster whose CA has the hash {known}, but {other} {found}',
    cure: 'Correct the setting; to join another cluster, start with an empty data-dir',
    retryable: false,
    exit: 1,
  },
  'node-password-invalid': {
    text: '{file} does not hold the password of this node, which is 32 hexadecimal digits',
    cure: 'Put it back from a copy; or remove the file, and run on a server: rfo node readopt NAME',
    retryable: false,
    exit: 3,
  },
  'join-state-unreadable': {
    text: 'what this node remembers of its cluster in {file} cannot be read: {problem}',
    cure: 'Remove the file: the node then asks a server again',
    retryable: false,
    exit: 3,
  },
  'bootstrap-invalid': {
    text: 'what {server} shares with new servers cannot be used: {problem}',
    cure: 'Check that server: rfo certificate check',
    retryable: false,
    exit: 1,
  },
  'bootstrap-conflict': {
    text: '{dir} holds the data of another cluster: {differences}',
    cure: 'To join, start with an empty data-dir; to go on with the cluster that is there, leave the setting server out',
    retryable: false,
    exit: 3,
  },
  'settings-differ': {
    text: 'this server does not fit the cluster: {differences}',
    cure: 'Give it the values of the cluster',
    retryable: false,
    exit: 2,
  },
  'version-skew': { text: '{problem}', cure: '{cure}', retryable: false, exit: 3 },
} as const satisfies Record<string, ErrorEntry>;
