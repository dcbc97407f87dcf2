// Tells on port 9345 who may join: from the files of the cluster's own tokens, and from the Secrets of made ones.
import { hash, timingSafeEqual } from 'node:crypto';
import { statSync } from 'node:fs';
import { type Clock, fail, type Life, type Log, systemClock } from '@rfo/foundation';
import { createInformer, type KubeClient, type Secret, secretKind } from '@rfo/kube';
import type { Paths } from '../paths.ts';
import type { TokenVerdict, TokenVerifier } from '../supervisor/api.ts';
import { type ClusterTokens, isOldToken, readClusterTokens } from './cluster-tokens.ts';
import { countUses } from './count-uses.ts';
import { isSecretOf, type MadeToken, madeTokenKey, madeTokenType, parseMadeToken, tokenNamespace } from './made-token.ts';
import { removeExpired } from './remove-expired.ts';

export type VerifierOptions = {
  readonly paths: Paths;
  /** May read, change and delete Secrets in kube-system. */
  readonly client: KubeClient;
  /** When the API can be asked; at once by default. Before, nobody is bothered with refused connections in the log. */
  readonly apiServes?: Promise<unknown>;
  readonly life: Life;
  readonly log: Log;
  readonly clock?: Clock;
};

export type Verifier = TokenVerifier & {
  /** When made tokens are known; rejects when the life ends before. */
  readonly synced: Promise<void>;
};

/**
 * Verifies join tokens, until its life ends. The cluster's own are read again when their file changed, and need no API; that of the servers is
 * good for agents too. Made ones are known from a watch: while the API is away, those that were known last stand. Uses are counted in
 * their Secrets, a second later; a token whose last use two servers see at the same time may be used once too often. Secrets of expired
 * tokens go a day after they expired.
 *
 * `verify` throws tokens-not-read (worth another try) for a made token before the API has answered once, and data-unreadable.
 */
export function createTokenVerifier(options: VerifierOptions): Verifier {
  const { paths, client, life, log, clock = systemClock, apiServes = Promise.resolve() } = options;
  const clusterTokens = createReader(paths);
  const uses = countUses({ client, life, log, clock });
  let made: ((id: string) => MadeToken | undefined) | undefined;

  const follow = async (): Promise<void> => {
    await apiServes;
    life.signal.throwIfAborted();
    const informer = createInformer<Secret>({
      client,
      kind: secretKind,
      namespace: tokenNamespace,
      fieldSelector: `type=${madeTokenType}`,
      life,
      log,
    });
    informer.subscribe(({ before, after }) => {
      if (after === undefined && before !== undefined) uses.forget(parseMadeToken(before)?.id);
      if (after !== undefined && parseMadeToken(after) === undefined)
        log.warn('a join token is not valid and is not accepted', { secret: after.metadata.name });
    });
    await informer.synced;
    made = (id) => {
      const secret = informer.store.get(madeTokenKey(id));
      return secret === undefined ? undefined : parseMadeToken(secret);
    };
    removeExpired({ client, informer, life, log, clock });
  };
  const synced = follow();
  // Not everybody waits for it; what the API says is in the log.
  synced.catch(() => undefined);

  const verifyMade = (id: string, secret: string): TokenVerdict => {
    if (made === undefined) throw fail('tokens-not-read', {});
    const token = made(id);
    if (!isSecretOf(token, secret) || token === undefined) return { ok: false, why: 'unknown' };
    const { role, expires, maxUses } = token;
    if (expires !== undefined && expires <= clock.now()) return expired(expires);
    if (maxUses !== undefined && uses.withSeen(token).uses >= maxUses) return { ok: false, why: 'used-up' };
    return { ok: true, role, tokenId: id };
  };

  return {
    synced,
    verify: async (id, secret) => {
      if (id !== 'server' && id !== 'node') return verifyMade(id, secret);
      return verifyOwn(await clusterTokens(), { id, secret, now: clock.now() });
    },
    used: (tokenId, nodeName) => {
      if (tokenId !== 'server' && tokenId !== 'node') uses.note(tokenId, nodeName);
    },
  };
}

/** The pure part for the cluster's own tokens. */
export function verifyOwn(
  tokens: ClusterTokens | undefined,
  { id, secret, now }: { readonly id: 'server' | 'node'; readonly secret: string; readonly now: number },
): TokenVerdict {
  if (tokens === undefined || secret === '') return { ok: false, why: 'unknown' };
  const { server, agent = server, old } = tokens;
  // Both are compared in any case: the time must not tell which one it was.
  const [isServer, isAgent] = [isSame(server, secret), isSame(agent, secret)];
  if (id === 'server' && isServer) return { ok: true, role: 'server', tokenId: 'server' };
  if (id === 'node' && (isServer || isAgent)) return { ok: true, role: 'agent', tokenId: 'node' };
  const matching = old.filter((token) => isOldToken(token, secret) && (id === 'node' || token.which === 'server'));
  const until = Math.max(...matching.map((token) => token.until));
  if (matching.length === 0) return { ok: false, why: 'unknown' };
  return now < until ? { ok: true, role: id === 'server' ? 'server' : 'agent', tokenId: id } : expired(until);
}

function expired(at: number): TokenVerdict {
  return { ok: false, why: 'expired', at: new Date(at).toISOString() };
}

function isSame(known: string, given: string): boolean {
  return timingSafeEqual(hash('sha256', known, 'buffer'), hash('sha256', given, 'buffer'));
}

/**
 * Reads the file anew whenever it is another one: it is only ever replaced as a whole. Looked at for each request, and so without the detour over a
 * thread, which would cost eight times as much.
 */
function createReader(paths: Paths): () => Promise<ClusterTokens | undefined> {
  let last: { readonly mark: string; readonly tokens: Promise<ClusterTokens | undefined> } | undefined;
  return async () => {
    const mark = [paths.server.clusterTokens, paths.server.passwd].map(markOf).join(' ');
    if (last?.mark !== mark) last = { mark, tokens: readClusterTokens(paths) };
    try {
      return await last.tokens;
    } catch (error) {
      last = undefined;
      throw error;
    }
  };
}

function markOf(file: string): string {
  const found = statSync(file, { bigint: true, throwIfNoEntry: false });
  return found === undefined ? 'none' : `${found.ino}:${found.mtimeNs}:${found.size}`;
}
