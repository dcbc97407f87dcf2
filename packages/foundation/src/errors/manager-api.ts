// What the manager's REST interface answers to requests that it does not carry out.
import type { ErrorEntry } from './entry.ts';

export const managerApiErrors = {
  'api-request-invalid': {
    text: 'the request cannot be carried out: {problem}',
    cure: 'The document at /api/v1/openapi.json says what each route takes',
    retryable: false,
    exit: 2,
  },
  'api-not-found': {
    text: 'there is no route {method} {path}',
    cure: 'The document at /api/v1/openapi.json lists all routes',
    retryable: false,
    exit: 2,
  },
  'api-object-unknown': {
    text: 'there is no {what} "{name}", or it is not yours to see',
    cure: 'Check its name against the list',
    retryable: false,
    exit: 2,
  },
  'api-object-exists': {
    text: 'there is a {what} "{name}" already',
    cure: 'Change that one, or take another name',
    retryable: false,
    exit: 2,
  },
  'api-conflict': {
    text: '{what} "{name}" was changed by somebody else: it is at version {actual} now, the change was made to version {given}',
    cure: 'Read it again and repeat the change',
    retryable: false,
    exit: 1,
  },
  'api-forbidden': {
    text: '{username} may not {verb} {what}',
    cure: 'Ask an administrator for a role that includes it',
    retryable: false,
    exit: 1,
  },
  'api-token-narrow': {
    text: 'this token is good for the Kubernetes API of clusters alone',
    cure: 'Sign in, or use a token of kind api that is not limited to clusters',
    retryable: false,
    exit: 1,
  },
} as const satisfies Record<string, ErrorEntry>;
