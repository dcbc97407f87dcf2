// What the manager does not let one address or one user do too often or too much of at once.
import type { ErrorEntry } from './entry.ts';

export const managerLimitErrors = {
  'too-many-attempts': {
    text: 'too many wrong tokens came from this address',
    cure: 'Try again in {seconds} s',
    retryable: true,
    exit: 1,
  },
  'too-many-open': {
    text: '{username} has {limit} requests open at this replica, and that is the most',
    cure: 'Close watches and shells that you no longer need, or try again in {seconds} s',
    retryable: true,
    exit: 1,
  },
} as const satisfies Record<string, ErrorEntry>;
