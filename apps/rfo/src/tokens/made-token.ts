// A token that `rfo token create` made, and the Secret that stands for it. Pure.
import { createHash, timingSafeEqual } from 'node:crypto';
import { type ObjectRef, objectKey, readEntry, type Secret, secretKind } from '@rfo/kube';
import type { TokenRole } from '../supervisor/api.ts';

export type MadeToken = {
  /** Six letters or digits. */
  readonly id: string;
  /**
   * SHA-256 of the secret, in hex. No salt and no slow function: the secret is 82 random bits, so that there is nothing to try or to look up.
   */
  readonly hash: string;
  readonly role: TokenRole;
  readonly description: string;
  /** Milliseconds since 1970; absent: never. */
  readonly expires?: number;
  /** How many nodes may join with it, 1000 at most: all their names must have room in a Secret; absent: any number. */
  readonly maxUses?: number;
  /** How many did. */
  readonly uses: number;
  readonly lastUsed?: number;
  /** The nodes that did, the last one last: all of them where their number is limited, else the last ten. */
  readonly nodes: readonly string[];
};

export const tokenNamespace = 'kube-system';
export const madeTokenType = 'rfo.io/join-token';
const keptNodes = 10;
const prefix = 'rfo-token-';

export function madeTokenRef(id: string): ObjectRef {
  return { ...secretKind, namespace: tokenNamespace, name: `${prefix}${id}` };
}

/** Where an informer's store has it. */
export const madeTokenKey = (id: string): string => objectKey(madeTokenRef(id));

export function renderMadeToken(token: MadeToken): Secret {
  const { id, hash, role, description, expires, maxUses } = token;
  const { namespace, name } = madeTokenRef(id);
  return {
    ...secretKind,
    metadata: { name, ...(namespace !== undefined && { namespace }), labels: { 'app.kubernetes.io/managed-by': 'rfo' } },
    type: madeTokenType,
    stringData: {
      hash,
      role,
      description,
      ...(expires !== undefined && { expires: new Date(expires).toISOString() }),
      ...(maxUses !== undefined && { 'max-uses': String(maxUses) }),
      ...renderUses(token),
    },
  };
}

/** What counts the uses: everything in the Secret that changes. */
export function renderUses({ uses, lastUsed, nodes }: MadeToken): Readonly<Record<string, string>> {
  return {
    uses: String(uses),
    nodes: nodes.join('\n'),
    ...(lastUsed !== undefined && { 'last-used': new Date(lastUsed).toISOString() }),
  };
}

/** Undefined where the Secret is not one that this program wrote: nothing in doubt opens a door. */
export function parseMadeToken(secret: Secret): MadeToken | undefined {
  const { metadata, type } = secret;
  const text = (key: string): string | undefined => readEntry(secret, key);
  const [, id] = /^rfo-token-([a-z0-9]{6})$/.exec(metadata.name) ?? [];
  const [hash, role] = [text('hash') ?? '', text('role')];
  if (id === undefined || type !== madeTokenType || !/^[0-9a-f]{64}$/.test(hash) || (role !== 'server' && role !== 'agent'))
    return undefined;
  const expires = parseTime(text('expires'));
  const lastUsed = parseTime(text('last-used'));
  const maxUses = parseCount(text('max-uses'));
  const uses = parseCount(text('uses') ?? '0');
  if ([expires, lastUsed, maxUses, uses].some(Number.isNaN) || uses === undefined) return undefined;
  return {
    id,
    hash,
    role,
    description: text('description') ?? '',
    ...(expires !== undefined && { expires }),
    ...(maxUses !== undefined && { maxUses }),
    uses,
    ...(lastUsed !== undefined && { lastUsed }),
    nodes: (text('nodes') ?? '').split('\n').filter((name) => name !== ''),
  };
}

/**
 * The token after these nodes joined with it. A node that did so before is no further use.
 * @param joined when each of them did, in milliseconds since 1970
 */
export function withUses(token: MadeToken, joined: ReadonlyMap<string, number>): MadeToken {
  const fresh = [...joined.keys()].filter((name) => !token.nodes.includes(name));
  const nodes = [...token.nodes.filter((name) => !joined.has(name)), ...joined.keys()];
  return {
    ...token,
    uses: token.uses + fresh.length,
    lastUsed: Math.max(token.lastUsed ?? 0, ...joined.values()),
    nodes: token.maxUses === undefined ? nodes.slice(-keptNodes) : nodes,
  };
}

export function hashSecret(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

/** Compares without telling by its time how much was right; takes as long where there is nothing to compare with. */
export function isSecretOf(token: MadeToken | undefined, secret: string): boolean {
  const given = Buffer.from(hashSecret(secret), 'hex');
  const known = token === undefined ? Buffer.alloc(given.length) : Buffer.from(token.hash, 'hex');
  return timingSafeEqual(known, given) && token !== undefined;
}

function parseTime(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Date.parse(text);
}

function parseCount(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  return /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
}
