/** Who joined with what: counted once for each node, and told to the log. */
import { createHmac, randomBytes } from 'node:crypto';
import type { Clock, Log } from '@rfo/foundation';
import type { Caller, TokenVerifier } from './api.ts';

/** A caller, and the HMAC of the secret that he showed, if he showed one. */
export type Authenticated = { readonly caller: Caller; readonly credential?: string };

export type Joins = {
  readonly markOf: (id: string, secret: string) => string;
  /** Notes that a node was let in: the first time within ten minutes its token's use is counted, and the log has a line. */
  readonly accepted: (who: Authenticated, at: { readonly nodeName: string; readonly address: string }) => void;
  /**
   * Who showed this secret when the node was let in, ten minutes ago or less since he last did. A node makes several requests to join: the
   * last of them must not be refused because the first used the token up. Where the request does not name its node, its host counts.
   */
  readonly earlier: (credential: string, from: { readonly nodeName: string | undefined; readonly address: string }) => Caller | undefined;
  /** Tells the log of a refusal. */
  readonly refused: (what: Refused) => void;
};

type Refused = {
  readonly who: string;
  readonly nodeName: string | undefined;
  readonly address: string;
  readonly path: string;
  readonly code: string;
};

const joinTime = 10 * 60_000;
/** Strangers must not fill the log: so many refusals are told in a window of so many milliseconds. */
const toldRefusals = { count: 20, window: 10_000 };

export function createJoins(input: { readonly tokens: TokenVerifier; readonly clock: Clock; readonly log: Log }): Joins {
  const { tokens, clock, log } = input;
  const key = randomBytes(32);
  const joined = new Map<string, { readonly caller: Caller; readonly until: number }>();
  let window = { end: 0, told: 0 };

  /** Who joined, and until when that counts as one join. */
  const recent = (entry: string): Caller | undefined => {
    const found = joined.get(entry);
    return found !== undefined && found.until > clock.now() ? found.caller : undefined;
  };
  const keep = (entry: string, caller: Caller): void => {
    joined.set(entry, { caller, until: clock.now() + joinTime });
  };
  const removeOld = (): void => {
    for (const [entry, { until }] of joined) if (until <= clock.now()) joined.delete(entry);
  };

  return {
    markOf: (id, secret) => createHmac('sha256', key).update(`${id}\0${secret}`).digest('base64'),
    accepted: ({ caller, credential = '' }, { nodeName, address }) => {
      const entry = `${describeCaller(caller)}\0${credential}\0${nodeName}`;
      if (recent(entry) !== undefined) return;
      removeOld();
      keep(entry, caller);
      if (credential !== '') for (const from of [byName(nodeName), byHost(address)]) keep(`${credential}\0${from}`, caller);
      if (caller.kind === 'token') tokens.used(caller.tokenId, nodeName);
      log.info('a node was let in', { node: nodeName, with: describeCaller(caller), address, outcome: 'accepted' });
    },
    earlier: (credential, { nodeName, address }) => {
      const entry = `${credential}\0${nodeName === undefined ? byHost(address) : byName(nodeName)}`;
      const caller = recent(entry);
      if (caller !== undefined) keep(entry, caller);
      return caller;
    },
    refused: ({ who, nodeName, address, path, code }) => {
      const now = clock.now();
      if (now >= window.end) {
        const silent = window.told - toldRefusals.count;
        if (silent > 0) log.warn('further requests were refused and not listed', { count: silent });
        window = { end: now + toldRefusals.window, told: 0 };
      }
      window.told++;
      if (window.told > toldRefusals.count) return;
      log.warn('a request was refused', { node: printable(nodeName), with: who, address, path, outcome: code });
    },
  };
}

/** Who it is, without any secret. */
export function describeCaller(caller: Caller): string {
  if (caller.kind === 'token') return `token ${caller.tokenId} (${caller.role})`;
  return caller.kind === 'node' ? `certificate of node ${caller.nodeName}` : caller.kind;
}

const byName = (nodeName: string): string => `node ${nodeName}`;
const byHost = (address: string): string => `host ${address}`;

/** What a stranger sent as his name: only what a name can have, and not for long. */
function printable(text: string | undefined): string | undefined {
  return text?.replace(/[^\w.-]/g, '?').slice(0, 64);
}
