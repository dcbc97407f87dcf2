/** What replicas tell each other of their sessions. */
import * as z from 'zod/mini';

export const replicaPath = '/v1/sessions';
export const longestReplicaLine = 1024 * 1024;

const session = z.object({
  id: z.string(),
  via: z.enum(['deployment', 'node', 'local']),
  version: z.string(),
  since: z.number(),
  apiServer: z.string(),
  settings: z.optional(z.string()),
  /** Of the agent's account; they stay in memory. */
  credentials: z.object({ ca: z.string(), token: z.optional(z.string()) }),
});

const report = z.object({
  cluster: z.string(),
  /** All that the replica holds of this cluster now. */
  sessions: z.array(session),
  problem: z.optional(z.object({ reason: z.string(), message: z.string(), at: z.number() })),
});

/** After the reports of all clusters that there are when somebody begins to listen. */
const complete = z.object({ complete: z.literal(true) });

export type ReplicaReport = Readonly<z.output<typeof report>>;
export type ReportedSession = ReplicaReport['sessions'][number];

/** What replicas send line by line. Throws the errors of zod. */
export const parseReplicaLine = (value: unknown): ReplicaReport | z.output<typeof complete> => z.parse(z.union([report, complete]), value);
