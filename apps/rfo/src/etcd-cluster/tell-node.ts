import { type Clock, type Life, type Log, retry } from '@rfo/foundation';
import type { KubeClient } from '@rfo/kube';
import { fieldManager, nodeEvent } from '../server/cluster-objects.ts';

export type Tiding = {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
  /** By default our own. */
  readonly nodeName?: string;
};
/** Says something in the log and in an Event of a node. */
export type Tell = (tiding: Tiding) => void;

/** Milliseconds for which an Event is tried: the API may just be away with the etcd that it is about. */
const tryFor = 60_000;

export function tellNode(input: {
  readonly client: KubeClient;
  readonly nodeName: string;
  readonly life: Life;
  readonly log: Log;
  readonly clock: Clock;
}): Tell {
  const { client, life, log, clock } = input;
  return ({ nodeName = input.nodeName, type, reason, message }) => {
    log[type === 'Warning' ? 'warn' : 'info'](message);
    const event = nodeEvent({ nodeName, type, reason, message, now: new Date(clock.now()) });
    const signal = AbortSignal.any([life.signal, AbortSignal.timeout(tryFor)]);
    const write = (): Promise<unknown> => client.apply(event, { fieldManager, force: true, signal });
    void retry(write, { initial: 500, max: 5_000, signal }).catch((error: unknown) => {
      if (!life.signal.aborted) log.warn('the event was not written', { reason, error });
    });
  };
}
