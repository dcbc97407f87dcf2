// Ways to the clusters that a manager looks after.
import type { ErrorEntry } from './entry.ts';

export const managerConnectionErrors = {
  'cluster-away': {
    text: 'cluster {name} cannot be reached: {problem}',
    cure: 'The status of the Cluster says why its agent is away; it comes back by itself',
    retryable: true,
    exit: 1,
  },
  'cluster-away-unknown': {
    text: 'there is no cluster {name}',
    cure: 'The list of clusters names them all',
    retryable: false,
    exit: 2,
  },
  'registration-unknown': {
    text: 'this import address is none of this manager, or it was used',
    cure: 'Make a new one for the cluster',
    retryable: false,
    exit: 2,
  },
  'registration-expired': {
    text: 'this import address expired at {at}',
    cure: 'Make a new one for the cluster',
    retryable: false,
    exit: 2,
  },
  'registration-needless': {
    text: 'cluster {name} is the one that the manager runs in: it needs no agent',
    cure: 'Import another one',
    retryable: false,
    exit: 2,
  },
  'agent-refused': {
    text: 'the manager refuses this agent: {problem} ({reason})',
    cure: 'Make a new import address for the cluster and apply it again',
    retryable: false,
    exit: 1,
  },
  'agent-settings': {
    text: 'the settings of this agent cannot be used: {problem}',
    cure: 'Apply the import manifest of the cluster again',
    retryable: false,
    exit: 3,
  },
  'server-url-unknown': {
    text: 'the manager does not know the address that agents reach it by',
    cure: 'Set server-url',
    retryable: false,
    exit: 2,
  },
} as const satisfies Record<string, ErrorEntry>;
