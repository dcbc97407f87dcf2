// Objects of clusters that the manager shows out of its indexes, and the WebSocket that they are followed by.
import type { ErrorEntry } from './entry.ts';

export const managerWatchErrors = {
  'resource-unknown': {
    text: 'cluster {cluster} has no list of {resource}: {problem}',
    cure: 'Name group, version and resource as in the paths of its API; kubectl api-resources lists them',
    retryable: false,
    exit: 2,
  },
  'manager-resource-unknown': {
    text: 'cluster {cluster} has no resource "{resource}" that can be listed',
    cure: 'Give its plural, with its group where it has one: pods, deployments.apps',
    retryable: false,
    exit: 2,
  },
  'resource-forbidden': {
    text: '{username} may not {verb} {resource} in {where}',
    cure: 'Ask for a role that includes it',
    retryable: false,
    exit: 1,
  },
  'index-full': {
    text: 'there is no room to look through so many objects: the lists of this replica hold {megabytes} MB already',
    cure: 'Try again in a minute, or ask the API of the cluster itself',
    retryable: true,
    exit: 1,
  },
  'index-ended': {
    text: 'the list of {resource} of cluster {cluster} was closed',
    cure: 'Ask again',
    retryable: true,
    exit: 1,
  },
  'watch-message-invalid': {
    text: 'the message is not understood: {problem}',
    cure: 'The reference of the protocol says what may be sent',
    retryable: false,
    exit: 2,
  },
  'watches-too-many': {
    text: 'there are {limit} {what} already',
    cure: 'Close those that nobody looks at',
    retryable: false,
    exit: 1,
  },
} as const satisfies Record<string, ErrorEntry>;
