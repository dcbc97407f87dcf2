/** How errors leave through the REST interface: their status, and the one form of body that they have. */
import { type ErrorCode, fail, RfoError } from '@rfo/foundation';
import { apiStatus } from '@rfo/kube';

export type Refusal = {
  readonly status: number;
  readonly problem: { readonly code: string; readonly message: string; readonly cure: string };
  /** Seconds after which another try may succeed. */
  readonly retryAfter?: number;
  /** The caller is told nothing of it, so the log has to tell. */
  readonly unexpected: boolean;
};

const statuses: Partial<Record<ErrorCode, number>> = {
  'api-request-invalid': 400,
  'api-not-found': 404,
  'api-object-unknown': 404,
  'api-object-exists': 409,
  'api-conflict': 409,
  'api-forbidden': 403,
  'api-token-narrow': 403,
  'token-read-only': 403,
  'access-withdrawn': 403,
  'not-signed-in': 401,
  'credentials-refused': 401,
  'session-ended': 401,
  'csrf-refused': 403,
  'password-must-change': 403,
  'password-weak': 400,
  'sign-in-limited': 429,
  'too-many-attempts': 429,
  'sign-in-busy': 503,
  'username-invalid': 400,
  'username-taken': 409,
  'user-unknown': 404,
  'access-token-unknown': 404,
  'access-token-wish': 400,
  'provider-settings': 400,
  'provider-secret-elsewhere': 400,
  'provider-unreachable': 502,
  'provider-unknown': 404,
  'provider-refused': 403,
  'provider-not-allowed': 403,
  'sign-in-code-refused': 403,
  'ldap-name-unknown': 400,
  'ldap-untrusted': 400,
  'ldap-tls-failed': 400,
  'ldap-bind-refused': 400,
  'ldap-base-unknown': 400,
  'ldap-ca-invalid': 400,
  'ldap-filter-invalid': 400,
  'ldap-none-found': 400,
  'ldap-attribute-missing': 400,
  'ldap-refused': 400,
  'ldap-unreachable': 502,
  'ldap-unanswered': 502,
  'ldap-too-much': 502,
  'access-tokens-too-many': 409,
  'rights-escalation': 403,
  'rights-needs-global': 403,
  'rights-last-administrator': 409,
  'role-built-in': 409,
  'role-in-use': 409,
  'role-unusable': 400,
  'cluster-away-unknown': 404,
  'registration-needless': 409,
  'server-url-unknown': 409,
  'cluster-forbidden': 403,
  'token-elsewhere': 403,
  'cluster-away': 503,
  'cluster-broke-off': 502,
  'resource-unknown': 404,
  'resource-forbidden': 403,
  'index-full': 503,
  'index-ended': 503,
  'watches-too-many': 429,
  'watch-message-invalid': 400,
  'server-overloaded': 503,
  'audit-behind': 503,
  'request-too-large': 413,
  'request-too-slow': 408,
  'kube-unreachable': 503,
  'kube-busy': 503,
  'timeout': 503,
};

/** What they say of the hosting cluster is for its administrators, so for the log. */
const behind: ReadonlySet<ErrorCode> = new Set(['kube-unreachable', 'kube-busy', 'timeout']);

/** What is answered to an error. One that callers are not meant to meet is told them without its text, which may name files and hosts. */
export function refusalOf(thrown: unknown, { bodyLimit }: { readonly bodyLimit: number }): Refusal {
  const error = known(thrown, bodyLimit);
  // Fastify's own refusals have a status each.
  const status = error === undefined ? undefined : (statusOf(thrown) ?? statuses[error.code]);
  if (error === undefined || status === undefined) {
    const cure = 'Try again; the log of the manager says what happened';
    return { status: 500, problem: { code: 'internal', message: 'the manager failed to answer', cure }, unexpected: true };
  }
  const { code, message, cure, retryAfter: after } = error;
  if (behind.has(code)) {
    const problem = { code, message: 'the Kubernetes API behind the manager cannot be asked now', cure: 'Try again in a moment' };
    return { status, problem, unexpected: true, retryAfter: 2 };
  }
  // The sentence without its cure, which stands beside it.
  const text = message.slice(0, message.length - `. ${cure}.`.length);
  return {
    status,
    problem: { code, message: text, cure },
    unexpected: false,
    ...(status === 503 && { retryAfter: 2 }),
    // Who has too much open may come back when he has closed some of it.
    ...(status === 429 && { retryAfter: after ?? 1 }),
  };
}

function known(thrown: unknown, bodyLimit: number): RfoError | undefined {
  if (thrown instanceof RfoError) return refusedByKubernetes(thrown) ?? thrown;
  const status = statusOf(thrown);
  if (status === 413) return fail('request-too-large', { limit: bodyLimit });
  // Fastify's own words for a body that is no JSON, of another type, or longer than it says.
  if (thrown instanceof Error && status !== undefined && status < 500)
    return fail('api-request-invalid', { problem: thrown.message }, thrown);
  return undefined;
}

/** The schema of an object is the API server's to judge: what it says of it is for the caller. */
function refusedByKubernetes(error: RfoError): RfoError | undefined {
  const answer = apiStatus(error);
  return answer?.reason === 'Invalid' ? fail('api-request-invalid', { problem: answer.message }, error) : undefined;
}

function statusOf(thrown: unknown): number | undefined {
  if (typeof thrown !== 'object' || thrown === null || !('statusCode' in thrown)) return undefined;
  return typeof thrown.statusCode === 'number' ? thrown.statusCode : undefined;
}
