/** Tries the settings of a directory step by step, on each of its servers, so that an administrator reads which step fails and why. */
import { once } from 'node:events';
import { connect as connectTls, type DetailedPeerCertificate } from 'node:tls';
import { fail, RfoError } from '@rfo/foundation';
import { PresenceFilter } from 'ldapts';
import { connectTo, problemOf, type Server } from './connect.ts';
import type { Connections } from './connections.ts';
import { idOf } from './entry.ts';
import { both } from './filters.ts';
import { userAttributes } from './people.ts';
import type { LdapSettings, Place, Plan } from './plan.ts';
import type { Session } from './session.ts';
import { askForTls } from './start-tls.ts';

/**
 * Throws the first of: ldap-name-unknown, ldap-unreachable, ldap-tls-failed, ldap-untrusted (with the chain that was shown), ldap-bind-refused,
 * ldap-base-unknown, ldap-none-found, ldap-attribute-missing, ldap-refused, ldap-unanswered, and the signal's reason.
 */
export async function checkDirectory(
  parts: { readonly settings: LdapSettings; readonly plan: Plan; readonly connections: Connections },
  signal: AbortSignal,
): Promise<void> {
  const { settings, plan, connections } = parts;
  for (const server of connections.servers) {
    const session = await connections.open(server, signal).catch(async (error: unknown) => {
      throw await withChain(error, { server, settings, signal });
    });
    signal.addEventListener('abort', session.close, { once: true });
    try {
      await checkUsers(session, plan);
      if (plan.groups !== undefined) await checkGroups(session, plan.groups, plan);
    } finally {
      signal.removeEventListener('abort', session.close);
      session.close();
    }
  }
}

async function checkUsers(session: Session, plan: Plan): Promise<void> {
  const { users, attributes } = plan;
  const filter = both(users.filter, new PresenceFilter({ attribute: attributes.username }));
  const [user] = await session.search({ ...users, filter, attributes: userAttributes(plan), limit: 1 });
  const wanted = `${users.filterText} with ${attributes.username}`;
  if (user === undefined) throw fail('ldap-none-found', { what: 'user', base: users.base, filter: wanted });
  if (idOf(user, attributes.userId) === undefined) throw fail('ldap-attribute-missing', { attribute: attributes.userId, dn: user.dn });
}

async function checkGroups(session: Session, place: Place, { attributes }: Plan): Promise<void> {
  const filter = both(place.filter, new PresenceFilter({ attribute: attributes.groupName }));
  const [group] = await session.search({ ...place, filter, attributes: [attributes.groupName], limit: 1 });
  const wanted = `${place.filterText} with ${attributes.groupName}`;
  if (group === undefined) throw fail('ldap-none-found', { what: 'group', base: place.base, filter: wanted });
}

/** What to look for in the CA that is set, where the certificate is not of it. */
async function withChain(
  error: unknown,
  { server, settings, signal }: { readonly server: Server; readonly settings: LdapSettings; readonly signal: AbortSignal },
): Promise<unknown> {
  if (!(error instanceof RfoError) || error.code !== 'ldap-untrusted' || !(error.cause instanceof Error)) return error;
  const chain = await shownChain(server, settings, signal).catch(() => undefined);
  if (chain === undefined) return error;
  return fail('ldap-untrusted', { server: server.text, problem: `${problemOf(error.cause)}; it shows ${chain}` }, error.cause);
}

/** Nothing but the handshake goes over this connection, so it need not be trusted. */
async function shownChain(server: Server, settings: LdapSettings, signal: AbortSignal): Promise<string> {
  const socket = await connectTo(server, { ...settings, security: 'plain' }, signal);
  const bounded = AbortSignal.any([signal, AbortSignal.timeout(settings.connectTimeoutSeconds * 1000)]);
  try {
    if (settings.security === 'start-tls') await askForTls(socket, bounded);
    const tls = connectTls({ socket, host: server.host, rejectUnauthorized: false });
    await once(tls, 'secureConnect', { signal: bounded });
    return describe(tls.getPeerCertificate(true));
  } finally {
    socket.destroy();
  }
}

function describe(leaf: DetailedPeerCertificate): string {
  const seen = new Set<string>();
  let top = leaf;
  while (top.issuerCertificate !== undefined && !seen.has(top.fingerprint256)) {
    seen.add(top.fingerprint256);
    top = top.issuerCertificate;
  }
  const names = leaf.subjectaltname ?? 'no names';
  return `a certificate for ${names}, issued by ${nameOf(leaf.issuer)}, valid until ${leaf.valid_to}; the last of its chain is ${nameOf(top.subject)}, SHA-256 ${top.fingerprint256}`;
}

function nameOf(name: DetailedPeerCertificate['subject']): string {
  return Object.entries(name)
    .map(([key, value]) => `${key}=${String(value)}`)
    .join(', ');
}
