// Makes the API server serve the group rfo.io.
import { fail, type Log } from '@rfo/foundation';
import { type CustomResourceDefinition, type KubeClient, waitForObject } from '@rfo/kube';
import { renderCrds } from './schema.ts';

/** Milliseconds; the API server needs some, and in a cluster of several it waits by itself until the others know. */
const establishWithin = 60_000;

/**
 * Brings the definitions of all kinds in line by server-side apply and resolves when all are served. Every replica may do it at any time.
 * @throws crd-not-established, and what the API says
 */
export async function installCrds(client: KubeClient, { log, signal }: { readonly log: Log; readonly signal: AbortSignal }): Promise<void> {
  const crds = renderCrds();
  await Promise.all(
    crds.map(async (crd) => {
      await client.apply(crd, { fieldManager: 'rfo-manager', force: true, signal });
      await established(client, crd.metadata.name, signal);
    }),
  );
  log.debug('the definitions of rfo.io are in place', { count: crds.length });
}

async function established(client: KubeClient, name: string, signal: AbortSignal): Promise<void> {
  const ref = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', name };
  let problem = 'it says nothing about it';
  const accept = ({ status }: CustomResourceDefinition): boolean => {
    const told = status?.conditions ?? [];
    problem = told.find(({ type, status: holds }) => type === 'NamesAccepted' && holds === 'False')?.message ?? problem;
    return told.some(({ type, status: holds }) => type === 'Established' && holds === 'True');
  };
  const late = AbortSignal.timeout(establishWithin);
  try {
    await waitForObject<CustomResourceDefinition>(client, ref, { accept, signal: AbortSignal.any([signal, late]) });
  } catch (error) {
    signal.throwIfAborted();
    throw late.aborted ? fail('crd-not-established', { name, problem }, error) : error;
  }
}
