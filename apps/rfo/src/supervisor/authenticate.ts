/** Who is calling: a client certificate, or a token. Nothing of a request's body is read for it. */

import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';
import { type Clock, fail, type RfoError } from '@rfo/foundation';
import { createLimit } from '@rfo/http';
import { joinHeaders, type TokenVerdict, type TokenVerifier } from './api.ts';
import { certificateIdentity } from './certificate-identity.ts';
import type { Authenticated, Joins } from './joins.ts';

export type Authenticator = (request: IncomingMessage, options: AuthenticateOptions) => Promise<Authenticated>;
type AuthenticateOptions = {
  /** A node's certificate is enough; elsewhere a token that comes with it counts more. */
  readonly nodesMay: boolean;
  readonly signal: AbortSignal;
};

/** Secrets looked at together: what strangers send may not take the server's time. */
const verified = { inFlight: 8, waiting: 1000, patience: 30_000 };

/**
 * The strongest that the caller shows. Gives `anonymous` for one without anything.
 * Throws join-token-wrong, join-token-expired, join-token-used-up, join-node-deleted, server-overloaded.
 */
export function createAuthenticator(input: {
  readonly tokens: TokenVerifier;
  readonly nodeIsKnown: (name: string) => boolean | undefined;
  readonly joins: Joins;
  readonly clock: Clock;
}): Authenticator {
  const { tokens, nodeIsKnown, joins, clock } = input;
  const limit = createLimit(verified);

  const byToken = async ({ id, secret }: Credential, { socket, headers }: IncomingMessage, signal: AbortSignal): Promise<Authenticated> => {
    const credential = joins.markOf(id, secret);
    const verdict = await limit(() => tokens.verify(id, secret), signal);
    if (verdict.ok) return { caller: { kind: 'token', role: verdict.role, tokenId: verdict.tokenId }, credential };
    const from = { nodeName: nodeNameHeader(headers), address: socket.remoteAddress ?? 'gone' };
    const earlier = verdict.why === 'used-up' ? joins.earlier(credential, from) : undefined;
    if (earlier !== undefined) return { caller: earlier, credential };
    throw refusal(verdict);
  };

  return async (request, { nodesMay, signal }) => {
    const { socket, headers } = request;
    const identity = socket instanceof TLSSocket ? certificateIdentity(socket, clock.now()) : ({ kind: 'anonymous' } as const);
    const { authorization } = headers;
    if (identity.kind === 'administrator') return { caller: identity };
    const deleted = identity.kind === 'node' && nodeIsKnown(identity.nodeName) === false;
    if (identity.kind === 'node' && !deleted && (nodesMay || authorization === undefined)) return { caller: identity };
    if (authorization === undefined) {
      if (deleted) throw fail('join-node-deleted', { name: identity.nodeName });
      return { caller: { kind: 'anonymous' } };
    }
    const token = readCredential(authorization);
    if (token === undefined) throw fail('join-token-wrong', {});
    return byToken(token, request, signal);
  };
}

type Credential = { readonly id: string; readonly secret: string };

/** `Basic` with the base64 of `server:<secret>` or `node:<secret>`, or `Bearer <id>.<secret>`; undefined for anything else. */
export function readCredential(authorization: string): Credential | undefined {
  const [, scheme = '', text = ''] = /^(\S+) +(\S+)$/.exec(authorization) ?? [];
  switch (scheme.toLowerCase()) {
    case 'basic': {
      const [, id, secret] = /^(server|node):(.+)$/s.exec(Buffer.from(text, 'base64').toString('utf8')) ?? [];
      return id === undefined || secret === undefined ? undefined : { id, secret };
    }
    case 'bearer': {
      const [, id, secret] = /^([a-z0-9]{1,32})\.([a-z0-9]{1,128})$/.exec(text) ?? [];
      // The two tokens of the cluster have no id.
      if (id === undefined || secret === undefined || id === 'server' || id === 'node') return undefined;
      return { id, secret };
    }
    default:
      return undefined;
  }
}

/** The name that a caller gives himself, in lower case; not yet believed. */
export function nodeNameHeader(headers: IncomingMessage['headers']): string | undefined {
  const value = headers[joinHeaders.nodeName];
  return typeof value === 'string' ? value.toLowerCase() : undefined;
}

function refusal(verdict: Extract<TokenVerdict, { ok: false }>): RfoError {
  switch (verdict.why) {
    case 'expired':
      return fail('join-token-expired', { at: verdict.at ?? 'an unknown time' });
    case 'used-up':
      return fail('join-token-used-up', {});
    case 'unknown':
      return fail('join-token-wrong', {});
  }
}
