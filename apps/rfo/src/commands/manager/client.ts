// The REST interface of the manager that the user is signed in to, as the commands call it.
import type { IncomingMessage } from 'node:http';
import type { Agent } from 'node:https';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { fail } from '@rfo/foundation';
import * as z from 'zod/mini';
import type { CommandContext } from '../../cli/context.ts';
import { endWithReader } from '../../cli/end-with-reader.ts';
import { connectionsTo, errorOf, exchange, type ManagerAddress, type Wish } from './exchange.ts';
import { refusal, tryJson } from './refusal.ts';
import { type ManagerState, readState } from './state.ts';
import { type ListMessage, type ListRequest, watchMessages } from './watch-messages.ts';

type Request = Omit<Wish, 'body' | 'headers' | 'signal'> & { readonly body?: unknown; readonly query?: Query };
export type Query = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;

/**
 * All reject with manager-refused (with the sentence and the cure of the manager), manager-session-over (401), manager-busy, manager-unreachable,
 * manager-untrusted, manager-answer-invalid.
 */
export type ManagerClient = {
  readonly server: string;
  /** One answer. @param schema of what it has to be */
  readonly call: <T>(schema: z.ZodMiniType<T>, request: Request) => Promise<T>;
  /** An answer of one JSON text a line, as they come. @param begun called when it begins */
  readonly lines: <T>(schema: z.ZodMiniType<T>, request: Request, begun?: () => void) => AsyncGenerator<T>;
  /** What is told of a list by one WebSocket. It never just ends: that the connection has is an error as well. */
  readonly messages: (request: ListRequest) => AsyncGenerator<ListMessage>;
};

const prefix = '/api/v1';

/** The answer has no body. */
export const nothing = z.undefined();

/** A client of the manager that is signed in to. @throws manager-signed-out, manager-state-invalid */
export async function openManager(context: CommandContext): Promise<{ readonly client: ManagerClient; readonly state: ManagerState }> {
  const state = await readState(context.env);
  if (state === undefined) throw fail('manager-signed-out', {});
  endWithReader();
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
    messages: (request) => watchMessages({ address, agent, headers: headersOf(token), signal: life.signal }, request),
    lines: async function* (schema, request, begun) {
      const answer = await ask(request);
      begun?.();
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
      accept: 'application/json',
      ...headersOf(token),
      ...(body !== undefined && { 'content-type': type }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    signal,
  });
}

/** Who asks. */
function headersOf(token: string | undefined): Readonly<Record<string, string>> {
  return { 'user-agent': 'rfo', ...(token !== undefined && { authorization: `Bearer ${token}` }) };
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
