/** A directory that people sign in by: LDAP (RFC 4511), Active Directory, FreeIPA. */
import { type Clock, type Life, type Log, systemClock } from '@rfo/foundation';
import type { Entry } from 'ldapts';
import type { Found, Outside } from '../outside.ts';
import { isOutOfUse } from './account-state.ts';
import { checkDirectory } from './check.ts';
import { createConnections } from './connections.ts';
import { createGroupFinder, type GroupFinder } from './groups.ts';
import { findById, findByName, outsideOf } from './people.ts';
import { type LdapSettings, type Plan, planOf } from './plan.ts';
import { searchDirectory } from './search.ts';
import type { Session } from './session.ts';

export type LdapDirectory = {
  /**
   * Undefined for a name that nobody or more than one has, a wrong or empty password and an account out of use alike, after the same steps.
   * Throws what keeps the directory from being asked: ldap-name-unknown, ldap-unreachable, ldap-untrusted, ldap-tls-failed, ldap-unanswered,
   * ldap-bind-refused, ldap-base-unknown, ldap-filter-invalid, ldap-attribute-missing, ldap-too-much, ldap-refused, sign-in-busy; and the signal's reason.
   */
  readonly authenticate: (request: {
    readonly username: string;
    readonly password: string;
    readonly signal: AbortSignal;
  }) => Promise<Outside | undefined>;
  /** Users and groups whose names begin with the text; at most `limit` of each. Throws the same. */
  readonly search: (text: string, options: { readonly limit: number; readonly signal: AbortSignal }) => Promise<readonly Found[]>;
  /** Tries the settings on each server. Throws the same with the reason for the first that fails, and ldap-none-found. */
  readonly check: (signal: AbortSignal) => Promise<void>;
  /** Undefined for who is gone, out of use, or no longer where users are looked for. Throws the same. @param id that of an `Outside` */
  readonly refresh: (id: string, signal: AbortSignal) => Promise<Outside | undefined>;
};

/**
 * Connects when it is first asked something, and finds only then that its settings are of no use: others must not suffer from them.
 * @param options.bindPassword asked for at each new connection, so that a new one is used at once
 * @param options.life ends its connections
 */
export function createLdapDirectory(options: {
  readonly settings: LdapSettings;
  readonly bindPassword: () => Promise<string>;
  readonly log: Log;
  readonly life: Life;
  readonly clock?: Clock;
}): LdapDirectory {
  const { settings, bindPassword, log, life, clock = systemClock } = options;
  const connections = createConnections({ settings, bindPassword, log, life });
  let known: { readonly plan: Plan; readonly findGroups: GroupFinder } | undefined;
  const open = () => {
    if (known !== undefined) return known;
    const plan = planOf(settings);
    known = { plan, findGroups: createGroupFinder({ plan, clock, log }) };
    return known;
  };
  const told = async (session: Session, entry: Entry): Promise<Outside> => {
    const { plan, findGroups } = open();
    return outsideOf(entry, plan, await findGroups(session, entry));
  };

  return {
    authenticate: async ({ username, password, signal }) => {
      // A bind with a name and no password is no proof and succeeds at many servers (RFC 4513, 5.1.2).
      if (password === '' || username.trim() === '') return undefined;
      const { plan } = open();
      const found = await connections.use((session) => findByName(session, plan, username), signal);
      if (found.length > 1) log.warn('a name is of more than one user of the directory', { dns: found.map(({ dn }) => dn).join(' | ') });
      const entry = found.length === 1 ? found[0] : undefined;
      // For nobody a password is tried as well, so that the steps and the time tell nothing.
      const isRight = await connections.isPassword({ dn: entry?.dn ?? `cn=nobody-here,${settings.userBase}`, password }, signal);
      if (!isRight || entry === undefined || isOutOfUse(entry, clock.now())) return undefined;
      return await connections.use((session) => told(session, entry), signal);
    },
    refresh: async (id, signal) => {
      const { plan } = open();
      return await connections.use(async (session) => {
        const entry = await findById(session, plan, id);
        return entry === undefined || isOutOfUse(entry, clock.now()) ? undefined : await told(session, entry);
      }, signal);
    },
    search: async (text, { limit, signal }) => {
      const { plan } = open();
      return await connections.use((session) => searchDirectory(session, plan, { text, limit }), signal);
    },
    check: async (signal) => await checkDirectory({ settings, plan: open().plan, connections }, signal),
  };
}
