/** Takes from a node all that it has: its certificates, its join tokens, its place in the cluster. */
import { type Clock, fail } from '@rfo/foundation';
import type { KubeClient } from '@rfo/kube';
import { certificateInfo } from '@rfo/pki';
import type { Audit, AuditEntry } from '../audit/types.ts';
import type { CertificateRecord, CertificateStore } from '../store/types.ts';
import { matchesNode } from '../tokens/node-pattern.ts';
import type { JoinTokens } from '../tokens/types.ts';
import { fingerprint } from './cluster-refusals.ts';
import { nodeOf } from './node-of.ts';
import { refuseCertificates, refuseNode, untilRefused } from './refuse-in-cluster.ts';

export type RevokedNode = {
  /** Serial numbers, decimal, that were good until now. */
  readonly certificates: readonly string[];
  /** Ids of the tokens that were of this node alone, deleted now. */
  readonly tokens: readonly string[];
  /** Ids of tokens of several nodes that it may know: under another name that they are for, its host could still join with them. */
  readonly sharedTokens: readonly string[];
  /** Whether there was a Node; undefined where no cluster was given. */
  readonly nodeDeleted: boolean | undefined;
};

/**
 * Everything is done in an order in which nothing comes back: first tokens and certificates, then the cluster refuses them, and last the Node goes.
 * Doing it again is harmless and takes up what was left.
 * @param options `who` is for the audit log; `reason` a number of RFC 5280 §5.3.1; without `cluster` nobody but users of CRL and OCSP hears of it
 * @throws ca-node-unknown where neither CA nor cluster knows the node, ca-cluster-too-old, what a Kubernetes client and the store throw
 */
export async function revokeNode(
  node: string,
  options: {
    readonly store: CertificateStore;
    readonly tokens: JoinTokens;
    readonly audit: Audit;
    readonly clock: Clock;
    readonly who: Pick<AuditEntry, 'user' | 'remote'>;
    readonly reason: number;
    readonly cluster: KubeClient | undefined;
    readonly signal: AbortSignal;
  },
): Promise<RevokedNode> {
  const { store, audit, clock, cluster, who, reason, signal } = options;
  const known = store.list({ node, unexpiredAt: clock.now() }).length > 0 || tokensFor(node, options.tokens).own.length > 0;
  if (cluster !== undefined) await checkVersion(cluster, signal);
  const ref = { apiVersion: 'v1', kind: 'Node', name: node } as const;
  if (!known && (cluster === undefined || (await cluster.find(ref, { signal })) === undefined)) throw fail('ca-node-unknown', { node });

  const entry = { ...who, node, result: 'done' } as const;
  const { own, shared } = tokensFor(node, options.tokens);
  for (const token of own) await options.tokens.delete(token, audit.within({ ...entry, act: 'token-delete', token }));
  const certificates: string[] = [];
  // Until there is none: one may have been signed while the tokens were deleted.
  for (let good = goodOf(node, store, clock); good.length > 0; good = goodOf(node, store, clock)) {
    for (const { serial, authorityKeyId } of good) {
      const acted = audit.within({ ...entry, act: 'revoke', serial, authorityKeyId });
      await store.revoke({ serial, authorityKeyId }, { reason, at: clock.now() }, acted);
      certificates.push(serial);
    }
  }
  if (cluster === undefined) return { certificates, tokens: own, sharedTokens: shared, nodeDeleted: undefined };

  const revoked = revokedNodes(store, clock);
  const ofNode = revoked.filter(({ commonName }) => commonName === `system:node:${node}`);
  await refuseCertificates(cluster, revoked, signal);
  if (ofNode.length === 0) await refuseNode(cluster, node, signal);
  const [newest] = ofNode;
  await untilRefused(
    cluster,
    { node, credential: newest === undefined ? undefined : fingerprint(certificateInfo(newest.pem).der) },
    signal,
  );
  const nodeDeleted = await cluster.delete(ref, { signal });
  await audit.write({ ...entry, act: 'node-delete', ...(nodeDeleted ? {} : { reason: 'there was none' }) });
  return { certificates, tokens: own, sharedTokens: shared, nodeDeleted };
}

/** Certificates of nodes that are revoked and have not expired: what a cluster has to be told. */
function revokedNodes(store: CertificateStore, clock: Clock): readonly CertificateRecord[] {
  return store.list({ status: 'revoked', unexpiredAt: clock.now() }).filter(({ pem }) => nodeOf(certificateInfo(pem)) !== undefined);
}

function goodOf(node: string, store: CertificateStore, clock: Clock): readonly CertificateRecord[] {
  return store.list({ node, status: 'good', unexpiredAt: clock.now() });
}

/** Ids of the tokens that can be used by this name: its own, and those of a pattern. */
function tokensFor(node: string, tokens: JoinTokens): { readonly own: readonly string[]; readonly shared: readonly string[] } {
  const all = tokens.list();
  return {
    own: all.filter((token) => token.node === node).map(({ id }) => id),
    shared: all.filter((token) => token.node !== node && matchesNode(token.node, node)).map(({ id }) => id),
  };
}

/** What older API servers do not say, nobody can compare. */
async function checkVersion(cluster: KubeClient, signal: AbortSignal): Promise<void> {
  const { text } = await cluster.raw({ method: 'GET', path: '/version', signal });
  const { major, minor, gitVersion } = JSON.parse(text) as { readonly major: string; readonly minor: string; readonly gitVersion: string };
  if (Number(major) === 1 && Number.parseInt(minor, 10) < 32) throw fail('ca-cluster-too-old', { version: gitVersion });
}
