// The manager as the way to the Kubernetes API of its clusters, and the audit log of what goes through it.
import type { ErrorEntry } from './entry.ts';

export const managerFrontDoorErrors = {
  'proxy-path-invalid': {
    text: 'the path is not passed on: {problem}',
    cure: 'Write it like /k8s/clusters/<name>/api/v1/pods, without anything that could be read in two ways',
    retryable: false,
    exit: 2,
  },
  'proxy-request-invalid': {
    text: 'the request is not passed on: {problem}',
    cure: 'Send a plain HTTP/1.1 request',
    retryable: false,
    exit: 2,
  },
  'proxy-origin': {
    text: 'a page of another site sent this request with your session',
    cure: "Open the manager's own pages, or use a token",
    retryable: false,
    exit: 2,
  },
  'cluster-forbidden': {
    text: '{username} may not enter cluster {cluster}',
    cure: 'Ask for a role in a project that contains it; if it should, check the name',
    retryable: false,
    exit: 2,
  },
  'token-elsewhere': {
    text: 'this token is not good for cluster {cluster}',
    cure: 'Use one that names it, or one without a list of clusters',
    retryable: false,
    exit: 2,
  },
  'token-read-only': {
    text: 'this token may only read, and this is {verb} of {what}',
    cure: 'Use one that is not read-only',
    retryable: false,
    exit: 2,
  },
  'impersonation-invalid': {
    text: 'the Impersonate headers cannot be understood: {problem}',
    cure: 'Name the user by Impersonate-User, and groups by one Impersonate-Group each',
    retryable: false,
    exit: 2,
  },
  'impersonation-forbidden': {
    text: '{username} may not act as {whom} in cluster {cluster}',
    cure: 'Ask for the right to impersonate it there; what begins with rfo: and system:masters are for administrators alone',
    retryable: false,
    exit: 2,
  },
  'access-withdrawn': {
    text: 'the right to this was withdrawn while it was going on',
    cure: 'Sign in again; if that is refused, ask an administrator',
    retryable: false,
    exit: 2,
  },
  'cluster-broke-off': {
    text: 'cluster {cluster} was reached and did not answer: {problem}',
    cure: 'Try again; the status of the Cluster tells whether it is well',
    retryable: true,
    exit: 1,
  },
  'cluster-answer-refused': {
    text: 'the answer of cluster {cluster} is not passed on: {problem}',
    cure: 'Ask who looks after that cluster',
    retryable: false,
    exit: 1,
  },
  'cluster-refuses-agent': {
    text: 'the API server of cluster {cluster} does not accept the credentials that the manager has for it',
    cure: 'They renew when the agent connects again; if this stays, import the cluster once more',
    retryable: true,
    exit: 1,
  },
  'manager-stopping': {
    text: 'this replica of the manager is stopping',
    cure: 'Try again: another one answers',
    retryable: true,
    exit: 1,
  },
  'audit-behind': {
    text: 'the audit log cannot be written at present, and what it has to tell of is not done without it: {problem}',
    cure: 'Check that the cluster of the manager takes writes; reading goes on meanwhile',
    retryable: true,
    exit: 1,
  },
} as const satisfies Record<string, ErrorEntry>;
