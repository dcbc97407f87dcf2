import { fail, RfoError } from '@rfo/foundation';

/** What the API server answers instead of an object when it refuses: a metav1.Status. The `cause` of `kube-api` and `kube-busy` errors. */
export class ApiStatus extends Error {
  /** HTTP status code. */
  readonly status: number;
  /** `NotFound`, `AlreadyExists`, `Conflict`, `Invalid`, `Expired`, `Forbidden`… or empty. */
  readonly reason: string;
  readonly details: Readonly<Record<string, unknown>>;
  constructor(input: {
    readonly status: number;
    readonly reason: string;
    readonly message: string;
    readonly details: Readonly<Record<string, unknown>>;
  }) {
    super(input.message);
    this.name = 'ApiStatus';
    this.status = input.status;
    this.reason = input.reason;
    this.details = input.details;
  }
}

/**
 * Makes the error of a refused request from the answer's body: `kube-busy` where trying again may help (429, 5xx), else `kube-api`.
 * @param what the request, `apply Deployment kube-system/coredns`
 */
export function apiError(what: string, status: number, body: unknown): RfoError {
  const cause = parseStatus(status, body);
  const params = { what, problem: cause.message, status: cause.status, reason: cause.reason || 'no reason given' };
  const busy = cause.status === 429 || cause.status >= 500;
  return busy ? fail('kube-busy', params, cause) : fail('kube-api', params, cause);
}

/** The server's Status behind an error, or undefined for any other error. */
export function apiStatus(error: unknown): ApiStatus | undefined {
  return error instanceof RfoError && error.cause instanceof ApiStatus ? error.cause : undefined;
}

export const isNotFound = (error: unknown): boolean => apiStatus(error)?.status === 404;
export const isAlreadyExists = (error: unknown): boolean => apiStatus(error)?.reason === 'AlreadyExists';
export const isConflict = (error: unknown): boolean => apiStatus(error)?.reason === 'Conflict';
/** The resourceVersion asked for is no longer kept. */
export const isGone = (error: unknown): boolean => apiStatus(error)?.status === 410;

function parseStatus(status: number, body: unknown): ApiStatus {
  if (typeof body === 'object' && body !== null && 'kind' in body && body.kind === 'Status') {
    const { code, reason, message, details } = body as { code?: unknown; reason?: unknown; message?: unknown; details?: unknown };
    return new ApiStatus({
      status: typeof code === 'number' ? code : status,
      reason: typeof reason === 'string' ? reason : '',
      message: typeof message === 'string' ? message : 'no message',
      details: typeof details === 'object' && details !== null ? { ...details } : {},
    });
  }
  const message = typeof body === 'string' && body.trim() !== '' ? body.trim().slice(0, 300) : 'no message';
  return new ApiStatus({ status, reason: '', message, details: {} });
}
