/** The tokens of clusters: what their agents present after the import. They are replaced in time, and the old one ends a while after the new one is kept. */
import type { Clock } from '@rfo/foundation';
import type { KubeClient } from '@rfo/kube';
import * as z from 'zod/mini';
import { clusterLabel } from './registrations.ts';
import { type AgentToken, formatAgentToken, hasHash, hashOf, makeClusterToken } from './secret-token.ts';
import { changeRecord, readRecord, secretRef } from './stored-secret.ts';

/** A token is replaced after this (ms); the one before is good for `overlap` longer, for agents that have not read the new one yet. */
const rotateAfter = 7 * 24 * 3_600_000;
const overlap = 3_600_000;
/** Until one that was given out is confirmed, no other is; then whoever should have kept it is asked to keep another. */
const patience = 600_000;

const entry = z.object({
  id: z.string(),
  hash: z.string(),
  createdAt: z.number(),
  /** An agent has kept it. */
  confirmed: z.boolean(),
  expiresAt: z.optional(z.number()),
});
const record = z.object({ tokens: z.array(entry) });
type Entry = z.output<typeof entry>;
type Record = z.output<typeof record>;
type Token = AgentToken & { readonly kind: 'cluster' };

/** What became of a token that was presented. */
export type Verdict = 'good' | 'unknown' | 'expired';

export type ClusterTokens = {
  /** Whether the token is one of its cluster, and whether another should take its place. Who presents one has kept it: it is confirmed. */
  readonly check: (token: Token) => Promise<{ readonly verdict: Verdict; readonly old: boolean }>;
  /**
   * Makes another one, which is good at once and ends unless it is confirmed: not before an agent that has kept it and was not heard must have come
   * back. Gives it as text; undefined while another one waits to be confirmed: so there is always one order in which they follow each other.
   */
  readonly issue: (cluster: string) => Promise<{ readonly token: string; readonly id: string } | undefined>;
  /** Whether another should take the place of the one in use. */
  readonly isOld: (cluster: string) => Promise<boolean>;
  /** It is kept by an agent: all others end after a while. */
  readonly confirm: (cluster: string, id: string) => Promise<void>;
  /** No agent has it. */
  readonly drop: (cluster: string, id: string) => Promise<void>;
  readonly removeAll: (cluster: string) => Promise<void>;
};

/** One Secret a cluster in the namespace, which holds hashes alone. */
export function createClusterTokens(input: {
  readonly client: KubeClient;
  readonly namespace: string;
  readonly clock: Clock;
}): ClusterTokens {
  const { client, namespace, clock } = input;
  const refOf = (cluster: string) => secretRef(namespace, `rfo-agent-token-${cluster}`);
  const change = async (cluster: string, next: (tokens: readonly Entry[], now: number) => Entry[] | undefined): Promise<void> => {
    await changeRecord(client, refOf(cluster), {
      parse: parseRecord,
      labels: { 'rfo.io/record': 'agent-token', [clusterLabel]: cluster },
      change: (value) => {
        const now = clock.now();
        const tokens = next(
          (value?.tokens ?? []).filter((each) => !isOver(each, now)),
          now,
        );
        return tokens && { tokens };
      },
    });
  };
  const confirm: ClusterTokens['confirm'] = (cluster, id) =>
    change(cluster, (tokens, now) => {
      const kept = tokens.find((each) => each.id === id);
      // Nothing may end for the sake of one that is none any more, or that another has taken the place of.
      if (kept === undefined || tokens.some(({ confirmed, createdAt }) => confirmed && createdAt > kept.createdAt)) return undefined;
      return tokens.map(({ expiresAt, ...each }) => {
        if (each.id === id) return { ...each, confirmed: true };
        return { ...each, expiresAt: Math.min(expiresAt ?? Number.POSITIVE_INFINITY, now + overlap) };
      });
    });
  return {
    confirm,
    check: async (token) => {
      const found = await readRecord(client, refOf(token.cluster), parseRecord);
      const known = found?.value.tokens.find(({ id, hash }) => id === token.id && hasHash(token, hash));
      if (known === undefined) return { verdict: 'unknown', old: false };
      const now = clock.now();
      if (isOver(known, now)) return { verdict: 'expired', old: true };
      if (!known.confirmed) await confirm(token.cluster, token.id);
      return { verdict: 'good', old: isOld(known, now) };
    },
    isOld: async (cluster) => {
      const found = await readRecord(client, refOf(cluster), parseRecord);
      return found?.value.tokens.some((each) => isOld(each, clock.now())) ?? false;
    },
    issue: async (cluster) => {
      const token = makeClusterToken(cluster);
      let waits = false;
      await change(cluster, (tokens, now) => {
        waits = tokens.some(({ confirmed, createdAt }) => !confirmed && now - createdAt < patience);
        if (waits) return undefined;
        return [...tokens, { id: token.id, hash: hashOf(token), createdAt: now, confirmed: false, expiresAt: now + rotateAfter }];
      });
      return waits ? undefined : { token: formatAgentToken(token), id: token.id };
    },
    drop: (cluster, id) => change(cluster, (tokens) => tokens.filter((each) => each.id !== id)),
    removeAll: async (cluster) => {
      await client.delete(refOf(cluster));
    },
  };
}

function isOver({ expiresAt }: Entry, now: number): boolean {
  return expiresAt !== undefined && expiresAt <= now;
}

/** Of one that is in use: those that were replaced already end by themselves. */
function isOld({ createdAt, expiresAt }: Entry, now: number): boolean {
  return expiresAt === undefined && now - createdAt >= rotateAfter;
}

function parseRecord(value: unknown): Record {
  return z.parse(record, value);
}
