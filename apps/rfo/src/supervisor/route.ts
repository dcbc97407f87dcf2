/** What a route is, what its handler reads out of a request, and in which form it answers. */
import type { IncomingHttpHeaders } from 'node:http';
import { fail } from '@rfo/foundation';
import { joinHeaders } from './api.ts';
import type { Authenticated } from './joins.ts';

/**
 * `joiners`: any token, a node's certificate; `servers`: the token of a server; `administrators`: their certificate, which opens the others as well.
 */
export type Access = 'anybody' | 'joiners' | 'servers' | 'administrators';

/** What a handler sees of a request that was let through. */
export type Call = {
  readonly who: Authenticated;
  readonly headers: IncomingHttpHeaders;
  readonly query: URLSearchParams;
  readonly body: Buffer;
  readonly address: string;
  readonly signal: AbortSignal;
};
export type Answer = { readonly type: string; readonly body: string };

export type Route = {
  readonly path: string;
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly access: Access;
  /** Which of the two limits of requests in flight it counts for. None: it costs nothing, or must answer under load. */
  readonly limit: 'read' | 'write' | 'none';
  /** Most bytes of body. */
  readonly body: number;
  readonly handle: (call: Call) => Answer | Promise<Answer>;
};

export function header(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'string' ? value : undefined;
}

/** An agent makes one of 32 characters. Longer ones only cost; a short one is somebody's mistake. */
const passwordLength = { least: 16, most: 256 };

/** @throws request-invalid */
export function passwordOf(headers: IncomingHttpHeaders): string {
  const password = header(headers, joinHeaders.nodePassword) ?? '';
  if (password.length >= passwordLength.least && password.length <= passwordLength.most) return password;
  throw fail('request-invalid', { problem: `it has no node password of ${passwordLength.least} to ${passwordLength.most} characters` });
}

/** @throws request-invalid where `parse` throws */
export function expected<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw fail('request-invalid', { problem: 'its body is not the JSON that belongs here' }, error);
  }
}

export const json = (value: unknown): Answer => ({ type: 'application/json', body: JSON.stringify(value) });
export const text = (body: string): Answer => ({ type: 'text/plain; charset=utf-8', body });
export const pem = (body: string): Answer => ({ type: 'application/x-pem-file', body });
