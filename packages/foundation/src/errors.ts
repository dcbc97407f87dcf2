import { errorTable } from './error-table.ts';

export type ErrorCode = keyof typeof errorTable;

type Names<Text extends string> = Text extends `${string}{${infer Name}}${infer Rest}` ? Name | Names<Rest> : never;
type Params<Code extends ErrorCode> = Record<Names<(typeof errorTable)[Code]['text'] | (typeof errorTable)[Code]['cure']>, string | number>;

/** An error of the table. `message` is the whole sentence for the user, cure included; `code` is stable. */
export class RfoError extends Error {
  readonly code: ErrorCode;
  readonly cure: string;
  readonly retryable: boolean;
  readonly exit: number;
  /** Seconds after which another try may succeed, where that is known. */
  readonly retryAfter: number | undefined;
  /** What the placeholders of the entry stand for, for who says it in another language. */
  readonly params: Readonly<Record<string, string | number>>;
  constructor(
    code: ErrorCode,
    text: string,
    cure: string,
    cause?: unknown,
    about: { readonly retryAfter?: number | undefined; readonly params?: Readonly<Record<string, string | number>> } = {},
  ) {
    super(`${text}. ${cure}.`, cause === undefined ? undefined : { cause });
    this.name = 'RfoError';
    this.code = code;
    this.cure = cure;
    this.retryable = errorTable[code].retryable;
    this.exit = errorTable[code].exit;
    this.retryAfter = about.retryAfter;
    this.params = about.params ?? {};
  }
}

/**
 * Makes (does not throw) the error with this code.
 * @param params what the entry's `{placeholders}` stand for
 * @param cause the error that led here, kept for the log
 */
export function fail<Code extends ErrorCode>(code: Code, params: Params<Code>, cause?: unknown): RfoError {
  const entry = errorTable[code];
  // A cure that tells how long to wait is one that a program can follow.
  const { seconds } = params as Readonly<Record<string, unknown>>;
  const retryAfter = typeof seconds === 'number' && entry.cure.includes('{seconds}') ? seconds : undefined;
  return new RfoError(code, fill(entry.text, params), fill(entry.cure, params), cause, { retryAfter, params });
}

/** Turns anything that was thrown into an RfoError: the edge where unknown becomes known. */
export function toRfoError(thrown: unknown): RfoError {
  if (thrown instanceof RfoError) return thrown;
  return fail('internal', { what: thrown instanceof Error ? thrown.message : String(thrown) }, thrown);
}

/** The system's error code (`ENOENT`, `EADDRINUSE`) of a thrown value, or undefined. */
export function systemCode(thrown: unknown): string | undefined {
  if (!(thrown instanceof Error) || !('code' in thrown)) return undefined;
  return typeof thrown.code === 'string' ? thrown.code : undefined;
}

function fill(template: string, params: Readonly<Record<string, string | number>>): string {
  return template.replace(/\{(\w+)\}/g, (_, name: string) => String(params[name] ?? ''));
}
