/** What goes wrong on the pages for signing in: the errors that people meet there, the status of each, and what is told of it. */
import { type ErrorCode, RfoError } from '@rfo/foundation';

const statuses = {
  'credentials-refused': 401,
  'password-must-change': 403,
  'password-weak': 400,
  'password-repetition': 400,
  'sign-in-limited': 429,
  'sign-in-busy': 503,
  'provider-not-allowed': 403,
  'provider-unreachable': 502,
  'provider-settings': 502,
  'provider-unknown': 404,
  'provider-refused': 403,
  'sign-in-lost': 400,
  'sign-in-form': 400,
  'server-url-unknown': 409,
  'csrf-refused': 403,
  'not-signed-in': 401,
  'session-ended': 401,
  'request-too-large': 413,
  'request-too-slow': 408,
  'internal': 500,
} as const satisfies Partial<Record<ErrorCode, number>>;
export type ProblemCode = keyof typeof statuses;

export type Problem = {
  readonly code: ProblemCode;
  readonly status: number;
  /** As it is called here. Empty where the problem has none. */
  readonly provider: string;
  /** By which the provider knows the user. Empty where nothing is known of him. */
  readonly username: string;
  /** Seconds to wait. */
  readonly retryAfter: number | undefined;
  /** What exactly was found, in English: for who helps. */
  readonly detail: string | undefined;
};

/**
 * What is told of an error; `internal`, and nothing else of it, where it is none that people are meant to meet.
 * @param nameOf what the provider of this name is called on the pages
 */
export function problemOf(error: unknown, nameOf: (provider: string) => string): Problem {
  const code = error instanceof RfoError && isProblemCode(error.code) ? error.code : 'internal';
  const status = statuses[code];
  const { params = {}, retryAfter } = error instanceof RfoError && code !== 'internal' ? error : {};
  const text = (name: string): string => String(params[name] ?? '');
  // What exactly a provider has said that cannot be asked may name hosts of the inside: that is for the log.
  const detail = status === 502 || text('problem') === '' ? undefined : text('problem');
  const provider = text('provider') === '' ? '' : nameOf(text('provider'));
  return { code, status, provider, username: text('username'), retryAfter, detail };
}

function isProblemCode(code: ErrorCode): code is ProblemCode {
  return Object.hasOwn(statuses, code);
}
