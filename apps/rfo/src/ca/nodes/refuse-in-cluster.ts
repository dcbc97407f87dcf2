/** Brings a cluster to refuse what a CA has revoked, and waits until it does. */
import { fail, retry } from '@rfo/foundation';
import type { KubeClient } from '@rfo/kube';
import { certificateInfo } from '@rfo/pki';
import type { CertificateRecord } from '../store/types.ts';
import { fingerprint, refusalName, renderRefusalList, renderRefusalPolicy } from './cluster-refusals.ts';

/** Milliseconds that an API server may take to heed a policy. */
const heedWithin = 60_000;

/**
 * The list is made anew from what the database says: what has expired goes by itself.
 * @param revoked of nodes, revoked and not expired, all of them
 * @throws what a Kubernetes client throws
 */
export async function refuseCertificates(client: KubeClient, revoked: readonly CertificateRecord[], signal: AbortSignal): Promise<void> {
  const entries = revoked.map(({ pem, commonName, expiry }) => {
    const { der } = certificateInfo(pem);
    return [fingerprint(der), `${commonName} until ${new Date(expiry).toISOString()}`] as const;
  });
  await writeRefusals(client, { entries: Object.fromEntries(entries), manager: 'rfo-ca', signal });
}

/** Refuses every certificate of a node, for good: of whose certificates this CA knows none. `kubectl` lets it in again. */
export async function refuseNode(client: KubeClient, node: string, signal: AbortSignal): Promise<void> {
  // A manager of its own: the other list is written whole.
  await writeRefusals(client, {
    entries: { [`node.${node}`]: 'until this line is removed' },
    manager: `rfo-ca-node-${fingerprint(Buffer.from(node)).slice(0, 12)}`,
    signal,
  });
}

/**
 * Asks as the node would, without changing anything, until the answer is no.
 * @param credential hash of a certificate that is to be refused; undefined: by its name
 * @throws timeout, what a Kubernetes client throws
 */
export async function untilRefused(
  client: KubeClient,
  who: { readonly node: string; readonly credential: string | undefined },
  signal: AbortSignal,
): Promise<void> {
  const { node, credential } = who;
  const limit = AbortSignal.any([signal, AbortSignal.timeout(heedWithin)]);
  const body = JSON.stringify({ apiVersion: 'v1', kind: 'Node', metadata: { name: node } });
  const ask = async (): Promise<void> => {
    const { status, text } = await client.raw({
      method: 'POST',
      path: '/api/v1/nodes?dryRun=All',
      headers: {
        'content-type': 'application/json',
        'impersonate-user': `system:node:${node}`,
        'impersonate-group': ['system:nodes', 'system:authenticated'],
        ...(credential !== undefined && { 'impersonate-extra-authentication.kubernetes.io%2fcredential-id': `X509SHA256=${credential}` }),
      },
      body,
      signal: limit,
    });
    if (status !== 403) throw new Error(`the API server answers ${status}: ${text.slice(0, 200)}`);
    // The administrator himself may be the one who is refused: he must be allowed to ask as somebody else.
    if (/cannot impersonate/.test(text))
      throw fail('kube-api', { what: 'impersonate a node', problem: text.slice(0, 200), status, reason: 'Forbidden' });
  };
  let last = '';
  try {
    await retry(ask, {
      initial: 50,
      max: 500,
      signal: limit,
      onError: (error) => {
        last = error instanceof Error ? error.message : String(error);
        if (last.includes('cannot impersonate')) throw error;
      },
    });
  } catch (error) {
    if (signal.aborted || !limit.aborted) throw error;
    throw fail('timeout', {
      what: `the refusal of ${node} by the API server`,
      seconds: heedWithin / 1000,
      cure: `Look at the policy ${refusalName}: ${last}`,
    });
  }
}

async function writeRefusals(
  client: KubeClient,
  what: { readonly entries: Readonly<Record<string, string>>; readonly manager: string; readonly signal: AbortSignal },
): Promise<void> {
  const { entries, manager: fieldManager, signal } = what;
  await client.apply(renderRefusalList(entries), { fieldManager, force: true, signal });
  for (const object of renderRefusalPolicy()) await client.apply(object, { fieldManager: 'rfo-ca', force: true, signal });
}
