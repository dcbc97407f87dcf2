// What a manager refuses with, as an error of the table.
import { errorTable, fail } from '@rfo/foundation';
import * as z from 'zod/mini';

const problem = z.object({ code: z.string(), message: z.string(), cure: z.string() });

/** What the manager refused with; the `cause` of `manager-refused`. */
class ManagerRefusal extends Error {
  /** Of the manager's table of errors. */
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.name = 'ManagerRefusal';
    this.code = code;
  }
}

/** The manager's own code behind an error, or undefined for any other error. */
export function refusalCode(error: unknown): string | undefined {
  return error instanceof Error && error.cause instanceof ManagerRefusal ? error.cause.code : undefined;
}

/** Of an answer that is none of what was asked for. */
export function refusal(answer: { server: string; status: number; body: string; path: string; signedIn: boolean }): Error {
  const { server, status, body, path, signedIn } = answer;
  const read = z.safeParse(problem, tryJson(body));
  if (!read.success) {
    const what = `status ${status} without a reason`;
    return status >= 500
      ? fail('manager-busy', { server, problem: what })
      : fail('manager-answer-invalid', { server, path, problem: what });
  }
  const { message } = read.data;
  if (status === 401 && signedIn) return fail('manager-session-over', { server, problem: message });
  if (status === 503) return fail('manager-busy', { server, problem: message });
  return refusedBy(read.data);
}

/** Of a message that tells why something is followed no more. */
export function refusalTold(server: string, { code, message, cure }: z.infer<typeof problem>): Error {
  if (code === 'access-withdrawn') return fail('manager-session-over', { server, problem: message });
  const known: { readonly retryable: boolean } | undefined = Object.hasOwn(errorTable, code)
    ? errorTable[code as keyof typeof errorTable]
    : undefined;
  if (known?.retryable === true) return fail('manager-busy', { server, problem: message });
  return refusedBy({ code, message, cure });
}

function refusedBy({ code, message, cure }: z.infer<typeof problem>): Error {
  // The manager names the document of its routes, which nobody has before him at the command line.
  const here = code === 'api-request-invalid' ? 'See what the command takes: --help' : cure;
  return fail('manager-refused', { problem: message, cure: here }, new ManagerRefusal(code, message));
}

/** Undefined where it is no JSON. */
export function tryJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
