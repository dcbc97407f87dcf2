// What `rfo manager …` meets on its way to a manager, and on the user's own host.
import type { ErrorEntry } from './entry.ts';

export const managerCliErrors = {
  'manager-signed-out': {
    text: 'nobody is signed in to a manager here',
    cure: 'Sign in: rfo manager login https://ADDRESS',
    retryable: false,
    exit: 2,
  },
  'manager-session-over': {
    text: 'the manager at {server} no longer accepts this session ({problem})',
    cure: 'Sign in again: rfo manager login {server}',
    retryable: false,
    exit: 2,
  },
  'manager-other-server': {
    text: 'this kubeconfig is of the manager at {wanted}, and the one that is signed in to is {server}',
    cure: 'Sign in there: rfo manager login {wanted}',
    retryable: false,
    exit: 2,
  },
  'manager-browser-late': {
    text: 'nobody has signed in by the browser within {minutes} minutes',
    cure: 'Begin again: rfo manager login',
    retryable: false,
    exit: 1,
  },
  'manager-provider-unknown': {
    text: 'nobody can sign in to {server} by a provider "{provider}"',
    cure: 'Ask an administrator for its name, or sign in without --provider',
    retryable: false,
    exit: 2,
  },
  'manager-object-missing': {
    text: '{where} has no {resource} "{name}" that you may see',
    cure: 'Look at what there is: rfo manager get {cluster} {resource}',
    retryable: false,
    exit: 1,
  },
  'manager-object-ambiguous': {
    text: 'cluster {cluster} has {resource} "{name}" in more than one namespace: {namespaces}',
    cure: 'Name one of them: --namespace NAME',
    retryable: false,
    exit: 2,
  },
  'manager-refused': { text: 'the manager says: {problem}', cure: '{cure}', retryable: false, exit: 1 },
  'manager-busy': { text: 'the manager at {server} cannot answer now: {problem}', cure: 'Try again', retryable: true, exit: 1 },
  'manager-unreachable': {
    text: 'the manager at {server} cannot be reached: {problem}',
    cure: 'Check the address, and that the manager runs',
    retryable: true,
    exit: 1,
  },
  'manager-untrusted': {
    text: 'the certificate of the manager at {server} is not trusted: {problem}',
    cure: 'Sign in again with the CA that it has now: rfo manager login {server} --ca-file FILE, or --ca-pin SHA256',
    retryable: false,
    exit: 2,
  },
  'manager-ca-unconfirmed': {
    text: 'nothing says yet that {server} is your manager; the CA that it shows has the SHA-256 {pin}',
    cure: 'Compare it with what the manager printed when it started, and give --ca-pin {pin}, or --ca-file FILE, or --system-ca',
    retryable: false,
    exit: 2,
  },
  'manager-pin-wrong': {
    text: '{server} shows no certificate with the SHA-256 {wanted}, but {shown}',
    cure: 'Check the pin against what the manager printed when it started; if it is right, somebody else answers there',
    retryable: false,
    exit: 2,
  },
  'manager-address-invalid': {
    text: '{address} is not the address of a manager',
    cure: 'Write it like https://rfo.example.com:8443',
    retryable: false,
    exit: 2,
  },
  'manager-answer-invalid': {
    text: 'the manager at {server} answers {path} in a way that is not understood: {problem}',
    cure: 'Check that it is a manager, and that its version fits to this program',
    retryable: false,
    exit: 1,
  },
  'manager-state-invalid': {
    text: 'cannot use {file}: {problem}',
    cure: 'Remove it and sign in again: rfo manager login https://ADDRESS',
    retryable: false,
    exit: 2,
  },
  'manager-home-missing': {
    text: 'neither HOME nor XDG_CONFIG_HOME says where your files are',
    cure: 'Set one of them',
    retryable: false,
    exit: 2,
  },
  'manager-terminal-missing': {
    text: '{what} has to be asked for, and there is no terminal to ask at',
    cure: '{cure}',
    retryable: false,
    exit: 2,
  },
  'manager-password-in-arguments': {
    text: 'a command line is no place for a password',
    cure: 'Leave it out to be asked for it, or use --password-file',
    retryable: false,
    exit: 2,
  },
  'manager-not-confirmed': { text: '{what} was not confirmed', cure: 'Answer yes, or give --yes', retryable: false, exit: 2 },
} as const satisfies Record<string, ErrorEntry>;
