/** Says something of a Cluster where `kubectl describe` shows it. */
import { randomBytes } from 'node:crypto';
import type { Log } from '@rfo/foundation';
import type { EventObject, KubeClient } from '@rfo/kube';

/** Events of objects without a namespace stand in this one. */
const namespace = 'default';

/** Never throws: an event that is lost stands in the log. */
export async function recordEvent(input: {
  readonly client: KubeClient;
  readonly cluster: string;
  readonly type: EventObject['type'];
  /** One word. */
  readonly reason: string;
  readonly message: string;
  readonly now: number;
  readonly log: Log;
}): Promise<void> {
  const { client, cluster, type, reason, message, now, log } = input;
  const time = `${new Date(now).toISOString().slice(0, -5)}Z`;
  const event: EventObject = {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: `${cluster}.${randomBytes(8).toString('hex')}`, namespace },
    involvedObject: { apiVersion: 'rfo.io/v1alpha1', kind: 'Cluster', name: cluster },
    ...{ type, reason, message: message.slice(0, 1024), firstTimestamp: time, lastTimestamp: time, count: 1 },
    source: { component: 'rfo-manager' },
  };
  await client.create(event).catch((error: unknown) => log.warn('an event was not written', { cluster, reason, message, error }));
}
