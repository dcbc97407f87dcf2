/**
 * Join tokens, in tables of our own beside those of cfssl. A key is kept as it is: an HMAC cannot be verified by anything that could not make one as well.
 * So the file is 0600, a key is good for few certificates and for a time, and one that expired a month ago is forgotten.
 */
import { createHmac, createSecretKey, hash, type KeyObject, randomBytes, timingSafeEqual } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { type Clock, fail } from '@rfo/foundation';
import type { GroupCommit } from '../store/group-commit.ts';
import type { CertificateKey, WithIt } from '../store/types.ts';
import { checkWish } from './check-wish.ts';
import { matchesNode } from './node-pattern.ts';
import { readToken, readUse, tokenColumns, useColumns } from './token-rows.ts';
import type { JoinToken, JoinTokens, TokenUse } from './types.ts';

type Claim = { readonly node: string; readonly profile: string; readonly publicKeyHash: string };

/** @param db the connection that `commits` writes to */
export function createJoinTokens({
  db,
  commits,
  clock,
}: {
  readonly db: DatabaseSync;
  readonly commits: GroupCommit;
  readonly clock: Clock;
}): JoinTokens {
  // As they were made: two of the same millisecond have no other order, and ids are drawn by lot.
  const allTokens = db.prepare(`SELECT ${tokenColumns} FROM rfo_tokens ORDER BY rowid`);
  const oneToken = db.prepare(`SELECT ${tokenColumns} FROM rfo_tokens WHERE id = ?`);
  const insertToken = db.prepare(`INSERT INTO rfo_tokens (key, ${tokenColumns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`);
  const deleteToken = db.prepare('DELETE FROM rfo_tokens WHERE id = ?');
  const deleteOld = db.prepare('DELETE FROM rfo_tokens WHERE expires_at < ?');
  const usesOf = db.prepare(`SELECT ${useColumns} FROM rfo_token_uses WHERE token = ? ORDER BY at`);
  const insertUse = db.prepare(`INSERT INTO rfo_token_uses (${useColumns}) VALUES (?, ?, ?, ?, ?, ?, ?)`);
  const goodCertificate = db.prepare(
    `SELECT 1 FROM certificates WHERE serial_number = ? AND authority_key_identifier = ? AND status = 'good'`,
  );
  const uses = (id: string): TokenUse[] => usesOf.all(id).map(readUse);
  const active = createKeyring(db);

  /** The use that there is of this kind; throws when there is none and none can be made. */
  const check = (id: string, { node, profile }: Claim): TokenUse | undefined => {
    const row = oneToken.get(id);
    if (!row) throw fail('ca-token-unknown', { id });
    const token = readToken(row);
    if (token.expiresAt !== undefined && token.expiresAt <= clock.now()) {
      throw fail('ca-token-expired', { id, when: new Date(token.expiresAt).toISOString() });
    }
    if (!matchesNode(token.node, node)) throw fail('ca-token-wrong-node', { id, node });
    if (!token.profiles.includes(profile)) throw fail('ca-token-wrong-profile', { id, profile });
    const made = uses(id);
    const same = made.find((use) => use.node === node && use.profile === profile);
    const nodes = new Set(made.map((use) => use.node)).add(node);
    if (!same && nodes.size > token.maxNodes) throw fail('ca-token-used-up', { id });
    return same;
  };

  const record = (id: string, claim: Claim, key: CertificateKey): void => {
    if (check(id, claim)) throw fail('ca-token-used-up', { id });
    insertUse.run(id, claim.node, claim.profile, claim.publicKeyHash, key.serial, key.authorityKeyId, clock.now());
  };

  return {
    create: (wish, withIt) => {
      const createdAt = clock.now();
      const key = randomBytes(32);
      const token: JoinToken = { ...checkWish(wish, createdAt), id: tokenId(key), createdAt };
      return commits.write(() => {
        deleteOld.run(createdAt - keptMs);
        insertToken.run(
          key,
          token.id,
          token.node,
          JSON.stringify(token.profiles),
          JSON.stringify(token.addresses),
          token.maxNodes,
          token.description,
          createdAt,
          token.expiresAt ?? null,
        );
        withIt?.(token);
        return { token, key: key.toString('hex') };
      }, active.forget);
    },
    list: () => allTokens.all().map((row) => ({ ...readToken(row), uses: uses(String(row.id)) })),
    delete: (id, withIt) =>
      commits.write(() => {
        if (deleteToken.run(id).changes === 0) throw fail('ca-token-unknown', { id });
        withIt?.();
      }, active.forget),
    match: (bytes, hmac) => active.match(bytes, hmac),
    claim: ({ id }, wish) => {
      const same = check(id, wish);
      if (!same)
        return {
          record:
            (key: CertificateKey): WithIt =>
            () =>
              record(id, wish, key),
        };
      // What it got is given again, but not to another key, and not when it was taken back.
      if (same.publicKeyHash !== wish.publicKeyHash || !goodCertificate.get(same.serial, same.authorityKeyId))
        throw fail('ca-token-used-up', { id });
      return { again: { serial: same.serial, authorityKeyId: same.authorityKeyId } };
    },
  };
}

/** How long an expired token is known: until then the audit log can say that it has expired. */
const keptMs = 30 * 24 * 3_600_000;

/** First 12 hex digits of the SHA-256 of the key's 32 bytes. */
function tokenId(key: Buffer): string {
  return hash('sha256', key).slice(0, 12);
}

type Keyring = { readonly match: (bytes: Uint8Array, hmac: Uint8Array) => JoinToken | undefined; readonly forget: () => void };

type Held = { readonly version: unknown; readonly tokens: readonly { readonly token: JoinToken; readonly key: KeyObject }[] };

/** The tokens with their keys, read once and again after somebody has written. */
function createKeyring(db: DatabaseSync): Keyring {
  const withKeys = db.prepare(`SELECT key, ${tokenColumns} FROM rfo_tokens`);
  const dataVersion = db.prepare('PRAGMA data_version');
  let held: Held | undefined;

  const tokens = (): Held['tokens'] => {
    const version = dataVersion.get()?.data_version;
    if (held === undefined || held.version !== version) {
      held = { version, tokens: withKeys.all().map((row) => ({ token: readToken(row), key: createSecretKey(row.key as Uint8Array) })) };
    }
    return held.tokens;
  };

  return {
    forget: () => {
      held = undefined;
    },
    match: (bytes, hmac) => {
      let found: JoinToken | undefined;
      // All of them are tried, so that the time does not tell which one it was.
      for (const { token, key } of tokens()) {
        const expected = createHmac('sha256', key).update(bytes).digest();
        if (expected.length === hmac.length && timingSafeEqual(expected, hmac)) found = token;
      }
      return found;
    },
  };
}
