// What a route of the REST interface is: one entry of a table, from which dispatch, rights, validation, audit and OpenAPI follow.
import type { IncomingHttpHeaders } from 'node:http';
import type * as z from 'zod/mini';
import type { Caller } from '../identity/caller.ts';
import type { ManagedKind } from '../rights/may.ts';

/**
 * Who may use a route.
 * - `anybody`: without a credential. The test of the table knows the whole list of them.
 * - `self`: every user; what the route gives or changes is his own alone.
 * - `listing`: every user; `visibleTo` leaves out what he may not see, item by item.
 * - a right: who has it, for the object that the path's `:name` names where there is one.
 */
export type Access =
  | { readonly kind: 'anybody' }
  | { readonly kind: 'self' }
  | { readonly kind: 'listing'; readonly of: ManagedKind }
  | { readonly kind: 'right'; readonly verb: Verb; readonly of: ManagedKind };
export type Verb = 'get' | 'list' | 'create' | 'update' | 'delete';

export type Method = 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';

/** What was done, for the audit: the object before and after as it is answered, so without secrets. */
export type Change = { readonly name: string; readonly before?: unknown; readonly after?: unknown };

/**
 * How the audit hears of a route that changes something.
 * - `api`: every request of somebody who is known is recorded here.
 * - `refusals`: what was done is told by the identity; here only what was refused or failed.
 */
export type Recorded = 'api' | 'refusals';

/** One request that was let through. */
export type Call<P = unknown, Q = unknown, B = unknown> = {
  readonly params: P;
  readonly query: Q;
  readonly body: B;
  /** Address of the peer, without port. */
  readonly address: string;
  readonly headers: IncomingHttpHeaders;
  /** Ends when the peer has gone, or the manager ends. */
  readonly signal: AbortSignal;
  /** Tells the audit what was changed. */
  readonly changed: (change: Change) => void;
  /** Sets a header of the answer. */
  readonly header: (name: string, value: string | readonly string[]) => void;
};

/** The same of a caller who is known. */
export type CallOf<P = unknown, Q = unknown, B = unknown> = Call<P, Q, B> & { readonly caller: Caller };

/** A route as the table holds it; its types are those of its schemas, which the declaring functions below check. */
export type Route = {
  readonly method: Method;
  /** Below `/api/v1`, parameters as `:name`. */
  readonly path: string;
  /** One line for the document; its first word is a verb. */
  readonly summary: string;
  readonly tag: string;
  readonly access: Access;
  /** Good for tokens that are limited to the Kubernetes API as well. */
  readonly narrow: boolean;
  /** A POST that changes nothing that lasts, so that read-only tokens may use it and no audit entry is made. */
  readonly harmless: boolean;
  /** What the audit calls it, where that is not its method. */
  readonly act: string | undefined;
  readonly recorded: Recorded;
  readonly params: z.ZodMiniType | undefined;
  readonly query: z.ZodMiniType | undefined;
  readonly body: z.ZodMiniType | undefined;
  /** What is answered; it is parsed by this on its way out, so that nothing else can leave. Absent: 204 without a body. */
  readonly answer: z.ZodMiniType | undefined;
  /** The answer is one JSON text a line, written as it comes. */
  readonly lines: boolean;
  readonly status: 200 | 201 | 204;
  readonly handle: (call: CallOf) => Promise<unknown>;
};

type Schema = z.ZodMiniType | undefined;
type Out<S> = S extends z.ZodMiniType ? z.output<S> : undefined;
type In<S> = S extends z.ZodMiniType ? z.input<S> : undefined;

type Declared<P extends Schema, Q extends Schema, B extends Schema, A extends Schema> = {
  readonly method: Method;
  readonly path: string;
  readonly summary: string;
  readonly tag: string;
  readonly narrow?: boolean;
  readonly harmless?: boolean;
  readonly act?: string;
  readonly recorded?: Recorded;
  readonly params?: P;
  readonly query?: Q;
  readonly body?: B;
  readonly answer?: A;
  readonly status?: 200 | 201;
};

type Handled<P, Q, B> = CallOf<Out<P>, Out<Q>, Out<B>>;

/** Declares a route of callers who are known. */
export function route<
  P extends Schema = undefined,
  Q extends Schema = undefined,
  B extends Schema = undefined,
  A extends Schema = undefined,
>(
  declared: Declared<P, Q, B, A> & {
    readonly access: Exclude<Access, { readonly kind: 'anybody' }>;
    readonly handle: (call: Handled<P, Q, B>) => Promise<In<A>>;
  },
): Route {
  return complete(declared, declared.access, declared.handle);
}

/** Declares one whose answer goes on, line by line. */
export function lineRoute<Q extends Schema, A extends z.ZodMiniType>(
  declared: Declared<undefined, Q, undefined, A> & {
    readonly access: Exclude<Access, { readonly kind: 'anybody' }>;
    readonly handle: (call: Handled<undefined, Q, undefined>) => Promise<AsyncIterable<z.input<A>>>;
  },
): Route {
  return { ...complete(declared, declared.access, declared.handle), lines: true };
}

/** Declares one that answers anybody. */
export function openRoute<B extends Schema = undefined, A extends Schema = undefined>(
  declared: Declared<undefined, undefined, B, A> & {
    readonly handle: (call: Call<undefined, undefined, Out<B>>) => Promise<In<A>>;
  },
): Route {
  return complete(declared, { kind: 'anybody' }, declared.handle);
}

/** Whether requests of the route can change anything that lasts. */
export function changes({ method, harmless }: Pick<Route, 'method' | 'harmless'>): boolean {
  return method !== 'GET' && !harmless;
}

/** The types of the schemas are forgotten here: dispatch gives the handler what the schemas made. */
function complete(declared: Declared<Schema, Schema, Schema, Schema>, access: Access, handle: unknown): Route {
  const { method, path, summary, tag, narrow = false, harmless = false, act, recorded = 'api', params, query, body, answer } = declared;
  const status = answer === undefined ? 204 : (declared.status ?? 200);
  const schemas = { params, query, body, answer };
  const audited = { act, recorded };
  return {
    method,
    path,
    summary,
    tag,
    access,
    narrow,
    harmless,
    ...audited,
    ...schemas,
    lines: false,
    status,
    handle: handle as Route['handle'],
  };
}
