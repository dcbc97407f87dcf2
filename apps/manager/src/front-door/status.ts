/** How errors leave through the front door: as the Status object that clients of Kubernetes understand. */
import { type ErrorCode, RfoError } from '@rfo/foundation';

export type StatusAnswer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Of the table of errors. */
  readonly code: string;
  /** The caller is told nothing of it, so the log has to tell. */
  readonly unexpected: boolean;
};

type Kind = { readonly status: number; readonly reason: string };

const badRequest = { status: 400, reason: 'BadRequest' } as const;
const unauthorized = { status: 401, reason: 'Unauthorized' } as const;
const forbidden = { status: 403, reason: 'Forbidden' } as const;
const notFound = { status: 404, reason: 'NotFound' } as const;
const tooMany = { status: 429, reason: 'TooManyRequests' } as const;
const badGateway = { status: 502, reason: 'InternalError' } as const;
const unavailable = { status: 503, reason: 'ServiceUnavailable' } as const;

const kinds: Partial<Record<ErrorCode, Kind>> = {
  'not-signed-in': unauthorized,
  'credentials-refused': unauthorized,
  'session-ended': unauthorized,
  'csrf-refused': forbidden,
  'proxy-request-invalid': badRequest,
  'proxy-path-invalid': badRequest,
  'proxy-origin': forbidden,
  'impersonation-invalid': badRequest,
  'impersonation-forbidden': forbidden,
  'token-read-only': forbidden,
  'token-elsewhere': forbidden,
  'cluster-forbidden': forbidden,
  'access-withdrawn': unauthorized,
  'too-many-open': tooMany,
  'cluster-away': unavailable,
  'cluster-away-unknown': notFound,
  'tunnel-unreachable': unavailable,
  'tunnel-refused': unavailable,
  'tunnel-closed': unavailable,
  'cluster-broke-off': badGateway,
  'cluster-answer-refused': badGateway,
  'cluster-refuses-agent': badGateway,
  'audit-behind': unavailable,
  'manager-stopping': unavailable,
  'server-overloaded': unavailable,
  'kube-unreachable': unavailable,
  'kube-busy': unavailable,
};

/** What is answered to an error. One that callers are not meant to meet is told them without its text, which may name hosts and files. */
export function statusOf(error: unknown): StatusAnswer {
  const known = error instanceof RfoError ? kinds[error.code] : undefined;
  if (!(error instanceof RfoError) || known === undefined) {
    const message = 'the manager failed to answer; its log says why';
    return { ...render({ status: 500, reason: 'InternalError', message, code: 'internal' }), unexpected: true };
  }
  const { message, code, retryAfter } = error;
  return { ...render({ ...known, message, code, retryAfter }), unexpected: false };
}

function render(
  input: Kind & { readonly message: string; readonly code: string; readonly retryAfter?: number | undefined },
): Omit<StatusAnswer, 'unexpected'> {
  const { status, reason, message, code, retryAfter } = input;
  const body = JSON.stringify({
    ...{ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason },
    details: { causes: [{ reason: code, message }], ...(retryAfter !== undefined && { retryAfterSeconds: retryAfter }) },
    code: status,
  });
  const headers = {
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(body)),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...(retryAfter !== undefined && { 'retry-after': String(retryAfter) }),
    ...(status === 401 && { 'www-authenticate': 'Bearer realm="rfo"' }),
  };
  return { status, headers, body, code };
}
