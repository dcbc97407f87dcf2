/** What the audit log tells of signing in, tokens and users. */
import type { IdentityEvent } from '../identity/events.ts';
import type { AuditRecord } from './types.ts';

/** For `onEvent` of the identity. */
export function recordOfIdentity(event: IdentityEvent): AuditRecord {
  const { act, result, user, username, token, by, address, provider } = event;
  const acting = by ?? { user, username, token: token === undefined || isOfToken(act) ? undefined : { id: token }, provider };
  return {
    verb: act,
    result: result === 'done' ? 'done' : 'refused',
    ...(result === 'limited' && { message: 'too many attempts had failed' }),
    ...{ user: acting.user, username: acting.username, token: acting.token?.id, provider: acting.provider ?? provider, address },
    // What it was done to.
    ...(isOfToken(act) ? { resource: 'tokens.rfo.io', name: token } : { resource: 'users.rfo.io', name: user }),
  };
}

function isOfToken(act: IdentityEvent['act']): boolean {
  return act === 'create-token' || act === 'delete-token';
}
