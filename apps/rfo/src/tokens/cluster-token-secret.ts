// The Secret through which all servers have the same tokens of the cluster, and the change of it that a rotation is.

import { fail } from '@rfo/foundation';
import { isAlreadyExists, isConflict, type KubeClient, type ObjectRef, readEntry, type Secret, secretKind } from '@rfo/kube';
import {
  type ClusterTokenKind,
  type ClusterTokens,
  isOldToken,
  parseClusterTokens,
  renderClusterTokens,
  retire,
} from './cluster-tokens.ts';
import { tokenNamespace } from './made-token.ts';

export const clusterTokenName = 'rfo-cluster-token';
const clusterTokenType = 'rfo.io/cluster-token';
const key = 'tokens.json';

export const clusterTokenRef: ObjectRef = { ...secretKind, namespace: tokenNamespace, name: clusterTokenName };

/** @param resourceVersion of the Secret that it takes the place of */
export function renderTokenSecret(tokens: ClusterTokens, resourceVersion?: string): Secret {
  return {
    ...secretKind,
    metadata: {
      namespace: tokenNamespace,
      name: clusterTokenName,
      labels: { 'app.kubernetes.io/managed-by': 'rfo' },
      ...(resourceVersion !== undefined && { resourceVersion }),
    },
    type: clusterTokenType,
    stringData: { [key]: renderClusterTokens(tokens) },
  };
}

/** @throws data-unreadable */
export function parseTokenSecret(secret: Secret): ClusterTokens {
  return parseClusterTokens(readEntry(secret, key) ?? '', `Secret ${tokenNamespace}/${clusterTokenName}`);
}

/**
 * Puts a new token in the place of one of the cluster's own; every server takes it over from there.
 * @param own what this server's disk says: holds where no server has told the API yet
 * @param until milliseconds since 1970: how long the old one is accepted
 * @throws token-not-new, data-unreadable, and the errors of the API
 */
export async function rotateClusterToken(
  input: Rotation & { readonly client: KubeClient; readonly own: ClusterTokens; readonly signal: AbortSignal },
): Promise<ClusterTokens> {
  const { client, own, signal } = input;
  for (let tries = 1; ; tries += 1) {
    const secret = await client.find<Secret>(clusterTokenRef, { signal });
    const shared = secret === undefined ? own : parseTokenSecret(secret);
    const next = rotated(shared.revision < own.revision ? own : shared, input);
    try {
      if (secret === undefined) await client.create(renderTokenSecret(next), { signal });
      else await client.replace(renderTokenSecret(next, secret.metadata.resourceVersion), { signal });
      return next;
    } catch (error) {
      // Somebody else wrote it since we read it: his change must not be lost.
      if (tries === 5 || !(isConflict(error) || isAlreadyExists(error))) throw error;
    }
  }
}

type Rotation = { readonly which: ClusterTokenKind; readonly password: string; readonly now: number; readonly until: number };

/** How many old ones are remembered at least after their time. */
const remembered = 10;

/**
 * The pure part. Where agents join with the server token, they go on doing so with the new one.
 * @throws token-not-new
 */
export function rotated(tokens: ClusterTokens, { which, password, now, until }: Rotation): ClusterTokens {
  const other = which === 'server' ? 'agent' : 'server';
  const refuse = (what: string): Error => fail('token-not-new', { what });
  if (password === tokens[which]) throw refuse(`the present ${which} token`);
  if (password === tokens[other]) throw refuse(`the ${other} token`);
  if (tokens.old.some((old) => isOldToken(old, password))) throw refuse('one that was rotated out');
  const before = tokens[which];
  const kept = tokens.old.filter((old, at) => old.until > now || at >= tokens.old.length - remembered);
  const old = before === undefined ? kept : [...kept, retire(which, before, until)];
  return { ...tokens, revision: tokens.revision + 1, [which]: password, old };
}
