/** The connections to a directory: few, kept while they are of use, to the first of its servers that answers. */
import { fail, type Life, type Log, orAbort, RfoError, toRfoError } from '@rfo/foundation';
import { createLimit } from '@rfo/http';
import { ResultCodeError } from 'ldapts';
import { connectTo, type Server, serverOf } from './connect.ts';
import type { LdapSettings } from './plan.ts';
import { createSession, type Session } from './session.ts';

export type Connections = {
  /**
   * Does the work on a connection that is bound as the manager; from the start on another where that broke, so it must only ask.
   * @throws what the work throws; sign-in-busy; ldap-name-unknown, ldap-unreachable, ldap-untrusted, ldap-tls-failed, ldap-unanswered when no
   *   server answers; ldap-bind-refused, and the signal's reason
   */
  readonly use: <T>(work: (session: Session) => Promise<T>, signal: AbortSignal) => Promise<T>;
  /** Whether this is the password of the entry; tried on a connection of its own, which ends with it. Throws what `use` throws. */
  readonly isPassword: (entry: { readonly dn: string; readonly password: string }, signal: AbortSignal) => Promise<boolean>;
  /** A new connection to this server, bound as the manager. Whoever asked for it closes it. Throws what `use` throws. */
  readonly open: (server: Server, signal: AbortSignal) => Promise<Session>;
  readonly servers: readonly Server[];
};

/** At once, and those that wait for one of them. */
const [atOnce, waiting] = [8, 200];
/** Milliseconds for which a connection is kept unused, and for which a server that did not answer is asked last. */
const [idleFor, avoidedFor] = [30_000, 60_000];
/** Of one piece of work in all, as a multiple of the time for one request. */
const deadline = 4;
/** Codes of LDAP for a name or a password that is not accepted, among them those of locked and expired ones. */
const refusals: ReadonlySet<number> = new Set([19, 32, 34, 48, 49, 50, 53]);

export function createConnections(parts: {
  readonly settings: LdapSettings;
  readonly bindPassword: () => Promise<string>;
  readonly life: Life;
  readonly log: Log;
}): Connections {
  const { settings, bindPassword, life, log } = parts;
  const servers = settings.servers.map((text) => serverOf(text, settings.security));
  const timeout = settings.timeoutSeconds * 1000;
  const limited = createLimit({ inFlight: atOnce, waiting, refusal: () => fail('sign-in-busy', {}) });
  const avoided = new Map<string, number>();
  const idle = new Map<Session, NodeJS.Timeout>();

  const openUnbound = async (server: Server, signal: AbortSignal): Promise<Session> =>
    createSession(await connectTo(server, settings, signal), { server: server.text, timeout });

  const open = async (server: Server, signal: AbortSignal): Promise<Session> => {
    const { bindDn } = settings;
    const password = bindDn === undefined ? '' : await bindPassword();
    if (bindDn !== undefined && password === '')
      throw fail('ldap-bind-refused', { server: server.text, who: bindDn, problem: 'it has no password here' });
    const session = await openUnbound(server, signal);
    try {
      if (bindDn !== undefined) await tied(session, signal, () => session.bind(bindDn, password));
      return session;
    } catch (error) {
      session.close();
      if (!(error instanceof ResultCodeError)) throw error;
      throw fail('ldap-bind-refused', { server: server.text, who: bindDn ?? '', problem: error.message }, error);
    }
  };

  const keep = (session: Session): void => {
    if (!session.isOpen() || life.signal.aborted) {
      session.close();
      return;
    }
    const end = (): void => {
      idle.delete(session);
      session.close();
    };
    idle.set(session, setTimeout(end, idleFor).unref());
  };
  const takeIdle = (): Session | undefined => {
    for (const [session, timer] of idle) {
      clearTimeout(timer);
      idle.delete(session);
      if (session.isOpen()) return session;
    }
    return undefined;
  };
  life.defer(() => {
    for (let session = takeIdle(); session !== undefined; session = takeIdle()) session.close();
  });

  /** As they are written, those that have just failed last. */
  const inTurn = (): readonly Server[] => {
    const isAvoided = ({ text }: Server): boolean => (avoided.get(text) ?? 0) > Date.now();
    return [...servers.filter((server) => !isAvoided(server)), ...servers.filter(isAvoided)];
  };

  const onSome = async <T>(work: (server: Server) => Promise<T>, signal: AbortSignal): Promise<T> => {
    const failures: RfoError[] = [];
    for (const server of inTurn()) {
      try {
        const result = await work(server);
        avoided.delete(server.text);
        return result;
      } catch (error) {
        signal.throwIfAborted();
        if (!isOutage(error)) throw error;
        avoided.set(server.text, Date.now() + avoidedFor);
        log.warn('a server of the directory does not answer', { server: server.text, error });
        failures.push(toRfoError(error));
      }
    }
    throw joined(failures, servers);
  };

  const onFresh = <T>(work: (session: Session) => Promise<T>, signal: AbortSignal): Promise<T> =>
    onSome(async (server) => {
      const session = await open(server, signal);
      try {
        return await tied(session, signal, () => work(session));
      } finally {
        keep(session);
      }
    }, signal);

  /** Within its turn and its time. */
  const inTime = <T>(outer: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> =>
    limited(async () => {
      const tooLate = AbortSignal.timeout(deadline * timeout);
      try {
        return await work(AbortSignal.any([outer, life.signal, tooLate]));
      } catch (error) {
        if (error !== tooLate.reason) throw error;
        const problem = `it took longer than ${(deadline * timeout) / 1000} s`;
        throw fail('ldap-unanswered', { server: settings.servers.join(', '), problem }, error);
      }
    });

  const tryPassword = async (
    server: Server,
    { dn, password }: { readonly dn: string; readonly password: string },
    signal: AbortSignal,
  ): Promise<boolean> => {
    const session = await openUnbound(server, signal);
    try {
      await tied(session, signal, () => session.bind(dn, password));
      return true;
    } catch (error) {
      if (!(error instanceof ResultCodeError)) throw error;
      if (!refusals.has(error.code)) throw fail('ldap-refused', { server: server.text, problem: error.message }, error);
      log.info('a directory refuses a sign-in', { server: server.text, reason: reasonOf(error) });
      return false;
    } finally {
      session.close();
    }
  };

  return {
    servers,
    open,
    use: (work, outer) =>
      inTime(outer, async (signal) => {
        for (let session = takeIdle(); session !== undefined; session = takeIdle()) {
          const own = session;
          try {
            return await tied(own, signal, () => work(own));
          } catch (error) {
            // A server ends connections that were idle, and it may have been started anew.
            if (own.isOpen() || signal.aborted || !isOutage(error)) throw error;
          } finally {
            keep(own);
          }
        }
        return await onFresh(work, signal);
      }),
    isPassword: (entry, outer) => inTime(outer, (signal) => onSome((server) => tryPassword(server, entry, signal), signal)),
  };
}

/** Ends the connection when the signal does: nobody reads what still comes. */
async function tied<T>(session: Session, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  signal.addEventListener('abort', session.close, { once: true });
  try {
    return await orAbort(work(), signal);
  } finally {
    signal.removeEventListener('abort', session.close);
  }
}

/** Another server may do better. */
const outages: ReadonlySet<string> = new Set([
  'ldap-name-unknown',
  'ldap-unreachable',
  'ldap-untrusted',
  'ldap-tls-failed',
  'ldap-unanswered',
]);

function isOutage(error: unknown): boolean {
  return error instanceof RfoError && outages.has(error.code);
}

function joined(failures: readonly RfoError[], servers: readonly Server[]): RfoError {
  const [first] = failures;
  if (first !== undefined && failures.length === 1) return first;
  const problem = failures.map(({ message }) => message).join(' ');
  return fail('ldap-unreachable', { server: servers.map(({ text }) => text).join(', '), problem }, first);
}

/** Active Directory tells by a number why. Its documentation: "Windows system error codes". */
const reasons: Readonly<Record<string, string>> = {
  '525': 'no such user',
  '52e': 'wrong password',
  '530': 'not at this time',
  '531': 'not from this place',
  '532': 'the password has expired',
  '533': 'the account is disabled',
  '701': 'the account has expired',
  '773': 'the password has to be changed',
  '775': 'the account is locked',
};

function reasonOf({ code, message }: ResultCodeError): string {
  const [, data = ''] = /\bdata ([0-9a-f]{3}),/i.exec(message) ?? [];
  return reasons[data.toLowerCase()] ?? `code ${code}`;
}
