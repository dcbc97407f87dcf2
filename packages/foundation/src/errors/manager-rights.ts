// Who may give which rights in the manager.
import type { ErrorEntry } from './entry.ts';

export const managerRightsErrors = {
  'rights-escalation': {
    text: '{username} does not have these rights, and so can neither give them nor change an account that has them: {missing}',
    cure: 'Leave them out, or ask somebody who has them',
    retryable: false,
    exit: 1,
  },
  'rights-needs-global': {
    text: '{username} may not change {field} of project "{name}": that takes a right over all projects',
    cure: 'Ask an administrator',
    retryable: false,
    exit: 1,
  },
  'rights-last-administrator': {
    text: 'this would leave nobody with the role administrator',
    cure: 'Give it to somebody else first',
    retryable: false,
    exit: 2,
  },
  'rights-left': {
    text: 'what the manager has put into the cluster for the sake of rights cannot be removed: {problem}',
    cure: 'Remove what is labelled rfo.io/managed-by=manager there by hand',
    retryable: true,
    exit: 1,
  },
  'role-built-in': {
    text: 'the role "{name}" is built in and never changes',
    cure: 'Make a role of your own that inherits it',
    retryable: false,
    exit: 2,
  },
  'role-in-use': {
    text: 'the role "{name}" is used by {users}',
    cure: 'Change or remove those first',
    retryable: false,
    exit: 2,
  },
  'role-unusable': {
    text: 'the role "{name}" cannot be given: {problem}',
    cure: 'Choose another role, or repair this one',
    retryable: false,
    exit: 2,
  },
} as const satisfies Record<string, ErrorEntry>;
