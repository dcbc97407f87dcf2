/** Import addresses: one-time tokens that let the agents of one cluster in for the first time. */
import type { Clock } from '@rfo/foundation';
import { fail } from '@rfo/foundation';
import { type KubeClient, secretKind } from '@rfo/kube';
import * as z from 'zod/mini';
import { type AgentToken, formatAgentToken, hasHash, hashOf, makeRegisterToken } from './secret-token.ts';
import { changeRecord, readRecord, secretRef } from './stored-secret.ts';

export const clusterLabel = 'rfo.io/cluster';
const kindLabel = 'rfo.io/record';

const record = z.object({ cluster: z.string(), hash: z.string(), expiresAt: z.string() });
type Record = z.output<typeof record>;

export type Registrations = {
  /** Ends earlier ones of the cluster. Gives the token as text. @param ttl milliseconds */
  readonly create: (cluster: string, ttl: number) => Promise<{ readonly token: string; readonly expiresAt: string }>;
  /** The cluster that the token is for. Throws registration-unknown, registration-expired. */
  readonly find: (token: AgentToken & { readonly kind: 'register' }) => Promise<string>;
  /** An agent has a token of its own now. */
  readonly consume: (id: string) => Promise<void>;
  readonly removeAll: (cluster: string) => Promise<void>;
};

/** Each is a Secret in the namespace, which holds a hash alone. */
export function createRegistrations(input: {
  readonly client: KubeClient;
  readonly namespace: string;
  readonly clock: Clock;
}): Registrations {
  const { client, namespace, clock } = input;
  const refOf = (id: string) => secretRef(namespace, `rfo-registration-${id}`);
  const removeAll = async (cluster: string): Promise<void> => {
    const labelSelector = `${kindLabel}=registration,${clusterLabel}=${cluster}`;
    const { items } = await client.list(secretKind, { namespace, labelSelector });
    await Promise.all(items.map(({ metadata }) => client.delete(secretRef(namespace, metadata.name))));
  };
  return {
    removeAll,
    create: async (cluster, ttl) => {
      await removeAll(cluster);
      const token = makeRegisterToken();
      const value: Record = { cluster, hash: hashOf(token), expiresAt: new Date(clock.now() + ttl).toISOString() };
      const labels = { [kindLabel]: 'registration', [clusterLabel]: cluster };
      await changeRecord(client, refOf(token.id), { parse: parseRecord, change: () => value, labels });
      return { token: formatAgentToken(token), expiresAt: value.expiresAt };
    },
    find: async (token) => {
      const found = await readRecord(client, refOf(token.id), parseRecord);
      if (found === undefined || !hasHash(token, found.value.hash)) throw fail('registration-unknown', {});
      const { cluster, expiresAt } = found.value;
      if (Date.parse(expiresAt) <= clock.now()) throw fail('registration-expired', { at: expiresAt });
      return cluster;
    },
    consume: async (id) => {
      await client.delete(refOf(id));
    },
  };
}

function parseRecord(value: unknown): Record {
  return z.parse(record, value);
}
