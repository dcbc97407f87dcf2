/** Makes of an answer that is no success the error that the user reads, with the server's own words. */
import { fail, type RfoError } from '@rfo/foundation';
import * as z from 'zod/mini';
import type { ApiProblem } from '../supervisor/api.ts';
import type { Answer } from './exchange.ts';

const problem = z.object({ code: z.string(), message: z.string() });

/** What the server says is wrong; its status where it says nothing that we know, as something that stands between may do. */
export function problemOf({ status, body }: Answer): ApiProblem {
  try {
    return z.parse(problem, JSON.parse(body.toString('utf8')));
  } catch {
    return { code: `HTTP ${status}`, message: `it answers ${status}` };
  }
}

/** join-unauthorized for 401, server-not-ready for what may go well a moment later, else join-refused. */
export function refusal(answer: Answer, about: { readonly server: string; readonly what: string; readonly credential: string }): RfoError {
  const { server, what, credential } = about;
  const { code, message } = problemOf(answer);
  const { problem, cure } = split(message);
  if (answer.status === 401) return fail('join-unauthorized', { server, credential, problem, cure });
  if ([408, 425, 429].includes(answer.status) || answer.status >= 500) return fail('server-not-ready', { server, what, problem });
  return fail('join-refused', { server, what, problem, problemCode: code, cure });
}

/** A server says what is wrong in one sentence, and what cures it after that. Neither has a full stop here. */
function split(message: string): { problem: string; cure: string } {
  const [problem = '', cure = 'The log of that server says more'] = message
    .trim()
    .replace(/\.$/, '')
    .split(/\. (.*)/s);
  return { problem, cure };
}
