/** One connection to a directory, bound or not: asks, and tells answers that refuse from no answer at all. */
import type { Socket } from 'node:net';
import { fail, RfoError } from '@rfo/foundation';
import { Client, type Entry, type Filter, ResultCodeError, type SearchOptions } from 'ldapts';

export type Search = {
  readonly base: string;
  readonly scope: 'base' | 'one' | 'sub';
  readonly filter: Filter;
  readonly attributes: readonly string[];
  /** So many are enough; without it all are wanted. */
  readonly limit?: number;
};

export type Session = {
  /** As it was written in the settings. */
  readonly server: string;
  readonly isOpen: () => boolean;
  /** Throws ResultCodeError where the server refuses, ldap-unanswered. @param password not empty: that would be no proof (RFC 4513, 5.1.2) */
  readonly bind: (dn: string, password: string) => Promise<void>;
  /** References to other servers are left out. Throws ldap-base-unknown (not of scope base: nothing is found), ldap-too-much, ldap-refused, ldap-unanswered. */
  readonly search: (search: Search) => Promise<readonly Entry[]>;
  readonly close: () => void;
};

/** Entries that are asked for at once; Active Directory gives no more than 1000. */
const page = 500;
/** No question of ours has so many answers. */
const most = 20_000;
/** LDAP result codes (RFC 4511, appendix A). */
const [sizeLimitExceeded, adminLimitExceeded, noSuchObject, busy, unavailable] = [4, 11, 32, 51, 52];
/** Given as bytes. */
const binary = ['objectGUID', 'objectSid'];

/** @param socket connected and as safe as it is to be: the session never opens another */
export function createSession(socket: Socket, { server, timeout }: { readonly server: string; readonly timeout: number }): Session {
  let taken = false;
  const client = new Client({
    url: 'ldap://directory',
    timeout,
    // The library would connect anew by itself, without TLS.
    createConnection: () => {
      if (taken) throw new Error('the connection has ended');
      taken = true;
      return socket;
    },
  });
  const close = (): void => void socket.destroy();

  /** Whatever is no answer of the server leaves the connection in a state that nobody knows. */
  const asked = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      if (error instanceof RfoError || (error instanceof ResultCodeError && error.code !== busy && error.code !== unavailable)) throw error;
      close();
      throw fail('ldap-unanswered', { server, problem: messageOf(error) }, error);
    }
  };

  const all = async (base: string, options: SearchOptions): Promise<readonly Entry[]> => {
    const entries: Entry[] = [];
    for await (const { searchEntries } of client.searchPaginated(base, { ...options, paged: { pageSize: page } })) {
      entries.push(...searchEntries);
      if (entries.length <= most) continue;
      close();
      throw fail('ldap-too-much', { server, problem: `there are more than ${most} entries` });
    }
    return entries;
  };

  return {
    server,
    isOpen: () => !socket.destroyed && !socket.readableEnded && socket.writable,
    close,
    bind: (dn, password) => {
      if (dn === '' || password === '') throw new TypeError('a bind without a name or a password proves nothing');
      return asked(() => client.bind(dn, password));
    },
    search: async ({ base, scope, filter, attributes, limit }) => {
      const options = {
        scope,
        filter,
        attributes: [...attributes],
        explicitBufferAttributes: binary,
        timeLimit: Math.ceil(timeout / 1000),
      };
      try {
        if (limit === undefined) return await asked(() => all(base, options));
        return (await asked(() => client.search(base, { ...options, sizeLimit: limit }))).searchEntries;
      } catch (error) {
        if (!(error instanceof ResultCodeError)) throw error;
        if (error.code === noSuchObject && scope === 'base') return [];
        if (error.code === noSuchObject) throw fail('ldap-base-unknown', { server, base }, error);
        const cut = error.code === sizeLimitExceeded || error.code === adminLimitExceeded;
        throw fail(cut ? 'ldap-too-much' : 'ldap-refused', { server, problem: messageOf(error) }, error);
      }
    },
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message.replaceAll(/\s+/g, ' ').trim() : String(error);
}
