import type { Clock, Log } from '@rfo/foundation';
import type { KubeClient } from '@rfo/kube';
import { managerNamespace } from '@rfo/schema';
import type { ServerInputs } from './inputs.ts';
import { claimPassword, type ManagerFacts, managerFacts } from './manager-facts.ts';
import { renderManagerReady, renderReady } from './ready-text.ts';
import { givenArgument } from './rfo-manager.ts';

/**
 * Tells whoever started this server by hand that the node is ready, and when its manager is, how to sign in to that for the first time: once for
 * each cluster. Resolves when all is told. A manager that does not get ready tells why by its component, and one that cannot be asked by the log.
 * @param given.managerReady resolves when the manager of this server serves, and rejects where that was stopped or failed
 */
export async function announceServer(given: {
  readonly inputs: ServerInputs;
  readonly client: KubeClient;
  readonly managerReady: () => Promise<void>;
  readonly write: (text: string) => unknown;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly log: Log;
}): Promise<void> {
  const { inputs, managerReady, write, signal, log } = given;
  write(renderReady(inputs));
  if (!inputs.config.manager) return;
  const serves = await managerReady().then(
    () => true,
    () => false,
  );
  if (!serves) return;
  try {
    write(renderManagerReady(inputs, await learn(given)));
  } catch (error) {
    if (!signal.aborted) log.warn('the manager is ready, and cannot be asked for its address', { error });
  }
}

/** Its password is told to whom it was not told before, by any server. */
async function learn({ inputs, client, clock, signal }: Parameters<typeof announceServer>[0]): Promise<ManagerFacts> {
  const { config } = inputs;
  const namespace = givenArgument(config, 'namespace') ?? managerNamespace;
  const ownCa = givenArgument(config, 'tls-cert-file') === undefined;
  const facts = await managerFacts({ client, namespace, ownCa, signal });
  if (facts.password === undefined || facts.shown) return facts;
  const first = await claimPassword({ client, namespace, now: new Date(clock.now()), signal });
  return { ...facts, shown: !first };
}
