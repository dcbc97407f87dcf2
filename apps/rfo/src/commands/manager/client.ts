// The REST interface of the manager that the user is signed in to, as the commands call it.
import type { IncomingMessage } from 'node:http';
import type { Agent } from 'node:https';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { fail } from '@rfo/foundation';
import * as z from 'zod/mini';
import type { CommandContext } from '../../cli/context.ts';
import { connectionsTo, errorOf, exchange, type ManagerAddress, type Wish } from './exchange.ts';
import { type ManagerState, readState } from './state.ts';

type Request = Omit<Wish, 'body' | 'headers' | 'signal'> & { readonly body?: unknown; readonly query?: Query };
export type Query = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;

/**
 * Both reject with manager-refused (with the sentence and the cure of the manager), manager-session-over (401), manager-busy, manager-unreachable,
 * manager-untrusted, manager-answer-invalid.
 */
export type ManagerClient = {
  readonly server: string;
  /** One answer. @param schema of what it has to be */
  readonly call: <T>(schema: z.ZodMiniType<T>, request: Request) => Promise<T>;
  /** An answer of one JSON text a line, as they come. */
  readonly lines: <T>(schema: z.ZodMiniType<T>, request: Request) => AsyncGenerator<T>;
};

const prefix = '/api/v1';

/** The answer has no body. */
export const nothing = z.undefined();

/** A client of the manager that is signed in to. @throws manager-signed-out, manager-state-invalid */
export async function openManager(context: CommandContext): Promise<{ readonly client: ManagerClient; readonly state: ManagerState }> {
  const state = await readState(context.env);
  if (state === undefined) throw fail('manager-signed-out', {});
  return { client: createManagerClient({ server: state.server, ca: state.ca }, state.token, context), state };
}

/** A client of any manager. @param token undefined: nobody is signed in */
export function createManagerClient(address: ManagerAddress, token: string | undefined, { env, life }: CommandContext): ManagerClient {
  const { server } = address;
  const agent = connectionsTo(address, env);
  life.defer(() => agent.destroy());

  const ask = async (request: Request): Promise<IncomingMessage> => {
    const answer = await send(address, agent, { request, token, signal: life.signal });
    const status = answer.statusCode ?? 0;
    if (status >= 200 && status <= 299) return answer;
    throw refusal({ server, status, body: await bodyOf(server, answer), path: request.path, signedIn: token !== undefined });
  };

  return {
    server,
    call: async (schema, request) => {
      const body = await bodyOf(server, await ask(request));
      return believed(server, request.path, schema, body === '' ? undefined : jsonOf(server, request.path, body));
    },
    lines: async function* (schema, request) {
      const answer = await ask(request);
      const lines = createInterface({ input: answer, crlfDelay: Number.POSITIVE_INFINITY });
      const failed = new Promise<never>((_, reject) => {
        // The one tells of the other's, and neither must go unheard.
        for (const each of [answer, lines]) each.once('error', (error: unknown) => reject(errorOf(server, error)));
      });
      failed.catch(() => undefined);
      const iterator = lines[Symbol.asyncIterator]();
      for (;;) {
        const next = await Promise.race([iterator.next(), failed]);
        if (next.done === true) return;
        if (next.value !== '') yield believed(server, request.path, schema, jsonOf(server, request.path, next.value));
      }
    },
  };
}

function send(
  address: ManagerAddress,
  agent: Agent,
  { request, token, signal }: { request: Request; token: string | undefined; signal: AbortSignal },
): Promise<IncomingMessage> {
  const { method, path, query, body } = request;
  const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
  return exchange(address, agent, {
    method,
    path: `${prefix}${path}${renderQuery(query)}`,
    headers: {
      'accept': 'application/json',
      'user-agent': 'rfo',
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(body !== undefined && { 'content-type': type }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    signal,
  });
}

function renderQuery(query: Query = {}): string {
  const pairs = Object.entries(query).flatMap(([key, value]) =>
    value === undefined ? [] : [value].flat().map((item) => [key, String(item)] as [string, string]),
  );
  return pairs.length === 0 ? '' : `?${new URLSearchParams(pairs)}`;
}

async function bodyOf(server: string, answer: IncomingMessage): Promise<string> {
  try {
    return await text(answer);
  } catch (error) {
    throw errorOf(server, error);
  }
}

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

function refusal(answer: { server: string; status: number; body: string; path: string; signedIn: boolean }): Error {
  const { server, status, body, path, signedIn } = answer;
  const read = z.safeParse(problem, tryJson(body));
  if (!read.success) {
    const what = `status ${status} without a reason`;
    return status >= 500
      ? fail('manager-busy', { server, problem: what })
      : fail('manager-answer-invalid', { server, path, problem: what });
  }
  const { code, message, cure } = read.data;
  if (status === 401 && signedIn) return fail('manager-session-over', { server, problem: message });
  if (status === 503) return fail('manager-busy', { server, problem: message });
  return fail('manager-refused', { problem: message, cure }, new ManagerRefusal(code, message));
}

function believed<T>(server: string, path: string, schema: z.ZodMiniType<T>, value: unknown): T {
  const read = z.safeParse(schema, value);
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  throw fail('manager-answer-invalid', { server, path, problem: `${issue?.path.join('.') || 'it'}: ${issue?.message ?? 'invalid'}` });
}

function jsonOf(server: string, path: string, body: string): unknown {
  const value = tryJson(body);
  if (value === undefined) throw fail('manager-answer-invalid', { server, path, problem: 'it is no JSON' });
  return value;
}

function tryJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
