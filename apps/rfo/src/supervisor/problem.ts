/** How errors leave through the join API: their status and the one form of body that they have. */
import { type ErrorCode, RfoError } from '@rfo/foundation';
import type { ApiProblem } from './api.ts';

export type Refusal = {
  readonly status: number;
  readonly problem: ApiProblem;
  /** Seconds after which another try may succeed. */
  readonly retryAfter?: number;
  /** The caller is told nothing of it, so the log has to tell. */
  readonly unexpected?: true;
};

const statuses: Partial<Record<ErrorCode, number>> = {
  'request-invalid': 400,
  'signing-request-invalid': 400,
  'node-name-invalid': 400,
  'join-no-credentials': 401,
  'join-token-wrong': 401,
  'join-token-expired': 401,
  'join-token-used-up': 401,
  'join-node-deleted': 401,
  'join-forbidden': 403,
  'join-foreign-name': 403,
  'join-name-taken': 403,
  'join-name-reserved': 403,
  'etcd-member-unknown': 404,
  'request-too-slow': 408,
  'etcd-refused': 409,
  'etcd-not-caught-up': 409,
  'etcd-node-name-taken': 409,
  'etcd-address-taken': 409,
  'etcd-member-votes': 409,
  // What another server answered to a request that was passed on to it.
  'join-refused': 409,
  'request-too-large': 413,
  'server-starting': 503,
  'server-overloaded': 503,
  'kube-unreachable': 503,
  'kube-busy': 503,
  'tokens-not-read': 503,
  'etcd-unreachable': 503,
  'etcd-unsettled': 503,
  'etcd-busy': 503,
  'server-not-ready': 503,
  'server-unreachable': 503,
  'timeout': 503,
};

/** What is answered to an error. One that callers are not meant to meet is told them without its text, which may name files and hosts. */
export function refusalOf(error: unknown): Refusal {
  const status = error instanceof RfoError ? statuses[error.code] : undefined;
  if (!(error instanceof RfoError) || status === undefined) {
    const problem = { code: 'internal', message: 'the server failed to answer; its log says why' };
    return { status: 500, problem, unexpected: true };
  }
  const problem = { code: error.code, message: error.message };
  return { status, problem, ...(status === 503 && { retryAfter: 2 }) };
}

/** There is nothing at this path; which ones there are, a stranger is not told. */
export const notFound: Refusal = { status: 404, problem: { code: 'not-found', message: 'not found' } };
export const methodNotAllowed: Refusal = { status: 405, problem: { code: 'method-not-allowed', message: 'method not allowed' } };
