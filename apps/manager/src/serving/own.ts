// The manager's own CA and certificate: one Secret that all replicas share. Whoever first finds that something is due writes it, the others read it.
import { type Clock, fail, type Life, type Log, systemClock } from '@rfo/foundation';
import {
  createInformer,
  isAlreadyExists,
  isConflict,
  type KubeClient,
  readEntries,
  renderEntries,
  type Secret,
  secretKind,
} from '@rfo/kube';
import type { ServingCertificate } from './certificate.ts';
import { planServing, type ServingPems } from './plan.ts';

const secretName = 'rfo-manager-tls';
/** Timers take no longer ones; and clocks jump. */
const lookAtLeastEvery = 12 * 3_600_000;
const tryAgainAfter = 60_000;

export type OwnCertificate = ServingCertificate & {
  /** Looks whether it still is for the right names. */
  readonly look: () => void;
};

/**
 * Reads the Secret `rfo-manager-tls`, or makes it, and keeps it good until the life ends.
 * @param options.names asked for at every look
 * @throws authority-unusable, certificate-unreadable, key-unreadable, alt-name-invalid, and what the API says
 */
export async function ownCertificate(options: {
  readonly client: KubeClient;
  readonly namespace: string;
  readonly names: () => readonly string[];
  readonly life: Life;
  readonly log: Log;
  readonly clock?: Clock;
}): Promise<OwnCertificate> {
  const { client, namespace, names, life, log, clock = systemClock } = options;
  const ref = { ...secretKind, name: secretName, namespace };
  const where = `the Secret ${namespace}/${secretName}`;
  const listeners = new Set<() => void>();
  let current: ServingPems | undefined;
  let timer: NodeJS.Timeout | undefined;

  const take = (pems: ServingPems): void => {
    if (current !== undefined && keys.every((key) => current?.[key] === pems[key])) return;
    const first = current === undefined;
    current = pems;
    if (!first) for (const listener of listeners) listener();
  };

  /** One round: what is held is taken, or what is due is written. Two that write at the same time: the API lets one through, the other reads again. */
  const ensure = async (): Promise<void> => {
    for (;;) {
      const found = await client.find<Secret>(ref, { signal: life.signal });
      const plan = planServing({ held: found === undefined ? current : readEntries(found), names: names(), now: clock.now(), where });
      const lost = found === undefined && current !== undefined;
      if (lost) log.warn('the Secret of the certificate was deleted, and is put back', { secret: secretName });
      if ((plan.reason === undefined && !lost) || (await written(found, plan.pems))) {
        if (plan.reason !== undefined) log.info('a certificate of its own was made', { reason: plan.reason });
        take(plan.pems);
        again(Math.max(0, Math.min(plan.next - clock.now(), lookAtLeastEvery)));
        return;
      }
    }
  };

  const written = async (found: Secret | undefined, pems: ServingPems): Promise<boolean> => {
    const data = renderEntries(pems);
    try {
      if (found === undefined)
        await client.create({ ...secretKind, metadata: { name: secretName, namespace }, type: 'Opaque', data }, { signal: life.signal });
      else await client.replace({ ...found, data: { ...found.data, ...data } }, { signal: life.signal });
      return true;
    } catch (error) {
      if (isAlreadyExists(error) || isConflict(error)) return false;
      throw error;
    }
  };

  // One look after the other: what is noticed meanwhile is looked at next.
  let looking = false;
  let noticed = false;
  const look = (): void => {
    noticed = true;
    if (!looking) void lookAsNoticed();
  };
  const lookAsNoticed = async (): Promise<void> => {
    looking = true;
    while (noticed && !life.signal.aborted) {
      noticed = false;
      await ensure().catch((error: unknown) => {
        if (life.signal.aborted) return;
        log.error('the certificate cannot be looked after', { error });
        again(tryAgainAfter);
      });
    }
    looking = false;
  };
  const again = (ms: number): void => {
    clearTimeout(timer);
    if (!life.signal.aborted) timer = setTimeout(look, ms).unref();
  };

  await ensure();
  const informer = createInformer<Secret>({ client, kind: ref, namespace, fieldSelector: `metadata.name=${secretName}`, life, log });
  life.defer(informer.subscribe(look));
  life.defer(() => clearTimeout(timer));
  const held = (): ServingPems => {
    if (current === undefined) throw fail('manager-certificate-unusable', { where, problem: 'it was never read' });
    return current;
  };
  return {
    current: () => ({ cert: held()['tls.crt'], key: held()['tls.key'] }),
    ca: () => held()['ca.crt'],
    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    look,
  };
}

const keys = ['ca.crt', 'ca.key', 'tls.crt', 'tls.key'] as const;
