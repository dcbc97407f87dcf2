/**
 * Who may enter a cluster by a token of the manager while nobody asks the manager: one Secret for each person, written by the manager and read by
 * what answers the cluster's API server. It holds hashes alone: who reads it can enter nowhere.
 */
import { hash, timingSafeEqual } from 'node:crypto';
import type { Life, Log } from '@rfo/foundation';
import type { KubeClient } from '../client.ts';
import { createInformer } from '../informer.ts';
import { readEntry, renderEntries, type Secret, secretKind } from '../secret.ts';

export type DirectToken = {
  /** The public half of the token. */
  readonly id: string;
  /** SHA-256 of its secret half, in hex. */
  readonly hash: string;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
  readonly groups: readonly string[];
  readonly extra: Readonly<Record<string, readonly string[]>>;
};

export type DirectUser = {
  /** As clusters know the person: `rfo:<user>`. */
  readonly user: string;
  readonly tokens: readonly DirectToken[];
};

/** As an API server is told of somebody (authentication.k8s.io UserInfo). */
export type Person = Pick<DirectToken, 'groups' | 'extra'> & { readonly username: string };

export const directUsersLabel = { name: 'rfo.io/record', value: 'direct-user' } as const;
const secretType = 'rfo.io/direct-user';
const entry = 'user.json';

/** The Secret of a person. */
export function renderDirectUser(direct: DirectUser, namespace: string): Secret {
  return {
    ...secretKind,
    metadata: {
      name: `rfo-direct.${direct.user.slice(userPrefix.length)}`,
      namespace,
      labels: { [directUsersLabel.name]: directUsersLabel.value },
    },
    type: secretType,
    data: renderEntries({ [entry]: JSON.stringify(direct) }),
  };
}

const userPrefix = 'rfo:';
const userForm = /^rfo:[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
/** No Secret can make anybody a member of another group, such as system:masters. */
const groupForm = /^(rfo:.+|system:authenticated)$/;
const extraForm = /^rfo\.io\//;
const tokenForm = /^rfo_([a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)_([0-9a-f]{64})$/;

/** What a Secret says, or undefined where it is none that the manager renders. */
export function parseDirectUser(secret: Secret): DirectUser | undefined {
  if (secret.type !== secretType) return undefined;
  try {
    const value: unknown = JSON.parse(readEntry(secret, entry) ?? '');
    return isDirectUser(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isDirectUser(value: unknown): value is DirectUser {
  return (
    isRecord(value) &&
    typeof value.user === 'string' &&
    userForm.test(value.user) &&
    Array.isArray(value.tokens) &&
    value.tokens.every(isToken)
  );
}

function isToken(value: unknown): value is DirectToken {
  if (!isRecord(value) || !isRecord(value.extra)) return false;
  const { id, hash: hashed, expiresAt, groups, extra } = value;
  return (
    typeof id === 'string' &&
    typeof hashed === 'string' &&
    /^[0-9a-f]{64}$/.test(hashed) &&
    typeof expiresAt === 'number' &&
    isTexts(groups) &&
    groups.every((group) => groupForm.test(group)) &&
    Object.entries(extra).every(([key, values]) => extraForm.test(key) && isTexts(values))
  );
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'string');
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

export type DirectUsers = {
  /** Whose token it is; undefined for one that is nobody's or has ended. @param now milliseconds since 1970 */
  readonly personOf: (token: string, now: number) => Person | undefined;
  /** Resolves when all that there is is known. */
  readonly synced: Promise<void>;
};

/** Follows the Secrets of a namespace until the life ends; while the API is away, what they said last is known. */
export function followDirectUsers(input: {
  readonly client: KubeClient;
  readonly namespace: string;
  readonly life: Life;
  readonly log: Log;
}): DirectUsers {
  const { client, namespace, life, log } = input;
  const known = new WeakMap<object, DirectUser>();
  const { store, synced } = createInformer<Secret>({
    ...{ client, namespace, kind: secretKind, life, log },
    labelSelector: `${directUsersLabel.name}=${directUsersLabel.value}`,
    transform: (secret) => {
      const { apiVersion, kind, metadata } = secret;
      const { name, resourceVersion = '' } = metadata;
      const kept: Secret = { apiVersion, kind, metadata: { name, namespace, resourceVersion } };
      const direct = parseDirectUser(secret);
      if (direct === undefined) log.warn('a Secret does not say what the manager lets it say, and counts for nothing', { secret: name });
      else known.set(kept, direct);
      return kept;
    },
    indexes: { token: (secret) => known.get(secret)?.tokens.map(({ id }) => id) ?? [] },
  });
  return {
    synced,
    personOf: (token, now) => {
      const [, id = '', secret = ''] = tokenForm.exec(token) ?? [];
      for (const object of store.byIndex('token', id)) {
        const direct = known.get(object);
        const found = direct?.tokens.find((each) => each.id === id && isHashOf(secret, each.hash));
        if (direct === undefined || found === undefined || found.expiresAt <= now) continue;
        return { username: direct.user, groups: found.groups, extra: found.extra };
      }
      return undefined;
    },
  };
}

function isHashOf(secret: string, expected: string): boolean {
  return timingSafeEqual(Buffer.from(hash('sha256', secret)), Buffer.from(expected));
}
