import type { Clock, Log } from '@rfo/foundation';
import type { KubeClient } from '@rfo/kube';
import type { ServerInputs } from './inputs.ts';
import { type ManagerFacts, managerFacts, markShown } from './manager-facts.ts';
import { renderReady } from './ready-text.ts';
import { givenArgument } from './rfo-manager.ts';

/**
 * Tells whoever started this server by hand that it is ready, and how to sign in to the manager for the first time: that once for each cluster.
 * A manager that cannot be asked does not keep the rest from being told.
 */
export async function announceServer(given: {
  readonly inputs: ServerInputs;
  readonly client: KubeClient;
  readonly write: (text: string) => unknown;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly log: Log;
}): Promise<void> {
  const { inputs, client, write, clock, signal, log } = given;
  const { config } = inputs;
  const namespace = givenArgument(config, 'namespace') ?? 'rfo-system';
  const ownCa = givenArgument(config, 'tls-cert-file') === undefined;
  const unknown = (error: unknown): undefined => {
    log.warn('the manager cannot be asked for its address', { error });
  };
  const facts: ManagerFacts | undefined = config.manager
    ? await managerFacts({ client, namespace, ownCa, signal }).catch(unknown)
    : undefined;
  write(renderReady(inputs, facts));
  if (facts?.password === undefined || facts.shown) return;
  await markShown({ client, namespace, now: new Date(clock.now()), signal }).catch((error: unknown) =>
    log.warn('the first password of the administrator will be shown again', { error }),
  );
}
