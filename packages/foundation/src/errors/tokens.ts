// Tokens, and what is sealed with them.
import type { ErrorEntry } from './entry.ts';

export const tokenErrors = {
  'token-unreadable': {
    text: '{key}: cannot read {file}: {problem}',
    cure: 'Write the token there, readable by root',
    retryable: false,
    exit: 2,
  },
  'token-mismatch': {
    text: 'the configured {key} is not that of this cluster ({file})',
    cure: 'Remove the setting, or give what stands there; rfo token rotate changes it in the whole cluster',
    retryable: false,
    exit: 2,
  },
  'token-malformed': {
    text: '{where} is not a token: {problem}',
    cure: 'Copy the whole of one: server/node-token of a server, or what rfo token create prints',
    retryable: false,
    exit: 2,
  },
  'token-form': {
    text: '{key} has the form <6>.<16> of tokens that rfo token create makes: nodes that present it would be taken for holders of such a one and be refused',
    cure: 'Give another secret, or none for a random one',
    retryable: false,
    exit: 2,
  },
  'token-not-new': {
    text: 'the new token is {what}',
    cure: 'Give one that this cluster never had, or none for a random one',
    retryable: false,
    exit: 2,
  },
  'token-in-arguments': {
    text: 'a secret on the command line can be read by everybody on this host (ps, the history of the shell)',
    cure: 'Write it to a file or a pipe: rfo token rotate --new-token-file FILE, or - for the standard input',
    retryable: false,
    exit: 2,
  },
  'token-unknown': { text: 'there is no token "{id}"', cure: '{suggestion}', retryable: false, exit: 2 },
  'tokens-not-read': {
    text: 'made tokens cannot be told from wrong ones yet: the Kubernetes API has not answered since this server started',
    cure: 'Try again in a moment',
    retryable: true,
    exit: 1,
  },
  'bootstrap-locked': {
    text: 'the bootstrap data of the cluster cannot be opened with this token',
    cure: 'Give the server token that was in force when it was written',
    retryable: false,
    exit: 1,
  },
  'bootstrap-damaged': {
    text: 'the bootstrap data of the cluster is damaged: {problem}',
    cure: 'Start a server that has its files: it writes them anew',
    retryable: false,
    exit: 1,
  },
} as const satisfies Record<string, ErrorEntry>;
