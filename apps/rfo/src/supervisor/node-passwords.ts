/** The passwords of nodes: the first host that joins under a name keeps it. Kept as Secrets, so that every server knows them. */

import { createHmac, randomBytes } from 'node:crypto';
import { type Clock, fail, type Life, type Log, orAbort, retry, systemClock } from '@rfo/foundation';
import { within } from '@rfo/http';
import { apiStatus, isAlreadyExists, type KubeClient, type ObjectRef, readEntry, renderEntries, type Secret, secretKind } from '@rfo/kube';
import { hashPassword, matchesHash } from './password-hash.ts';

export type NodePasswords = {
  /**
   * Resolves when the name is this password's: since earlier, or from now on.
   * @throws join-name-taken, server-overloaded, what a Kubernetes client throws, or the signal's reason
   */
  readonly check: (nodeName: string, password: string, signal: AbortSignal) => Promise<void>;
};

export const nodePasswordType = 'rfo.io/node-password';
const suffix = '.node-password.rfo';

/** The Secret of a node's password. To remove it lets another host take the name. */
export function nodePasswordRef(nodeName: string): ObjectRef & { readonly namespace: string } {
  return { ...secretKind, namespace: 'kube-system', name: `${nodeName.toLowerCase()}${suffix}` };
}

/** The name of the node whose password this Secret is. */
export function nodeNameOfSecret(name: string): string {
  return name.endsWith(suffix) ? name.slice(0, -suffix.length) : name;
}

/** How long a password that was right is not checked again: a node asks for all its certificates in a row. */
const rememberedFor = 60_000;
/** What one check may take in milliseconds, whoever waits for it. */
const checkWithin = 20_000;

export function createNodePasswords(input: {
  readonly client: KubeClient;
  readonly life: Life;
  readonly log: Log;
  readonly clock?: Clock;
}): NodePasswords {
  const { client, life, log, clock = systemClock } = input;
  const key = randomBytes(32);
  /** Passwords are held in memory only as their HMAC under a key that is never written. */
  const markOf = (nodeName: string, password: string): string =>
    createHmac('sha256', key).update(`${nodeName}\0${password}`).digest('base64');
  const remembered = new Map<string, number>();
  const running = new Map<string, Promise<void>>();
  /** Names whose Secret could not be written yet. */
  const unwritten = new Map<string, string>();

  const remember = (mark: string): void => {
    const now = clock.now();
    for (const [old, until] of remembered) if (until <= now) remembered.delete(old);
    remembered.set(mark, now + rememberedFor);
  };

  const verify = async (nodeName: string, password: string, { mark, signal }: { mark: string; signal: AbortSignal }): Promise<void> => {
    const ref = nodePasswordRef(nodeName);
    const hash = await hashPassword(password, signal);
    try {
      // Not looked for first: who shows a password is new in nearly all cases, for the others have a certificate.
      await client.create(renderSecret(ref, hash), { signal });
    } catch (error) {
      const blocked = isWebhookInTheWay(error);
      if (!blocked && !isAlreadyExists(error)) throw error;
      const stored = await client.find<Secret>(ref, { signal });
      if (stored !== undefined) {
        if (await isPasswordOf(stored, password, signal)) return;
        if (!(await isLeftBehind(stored, nodeName, signal))) throw fail('join-name-taken', { name: nodeName });
        const { uid } = stored.metadata;
        await client.delete(ref, { signal, ...(uid !== undefined && { uid }) });
      }
      // Removed: the name is free again.
      if (stored !== undefined || !blocked) return verify(nodeName, password, { mark, signal });
      const earlier = unwritten.get(nodeName);
      if (earlier !== undefined && earlier !== mark) throw fail('join-name-taken', { name: nodeName });
      if (earlier === undefined) writeLater(nodeName, { ref, hash, mark, error });
    }
  };

  /** The Secret of a Node that was deleted goes with it, but a little later. */
  const isLeftBehind = async ({ metadata }: Secret, nodeName: string, signal: AbortSignal): Promise<boolean> => {
    const had = metadata.ownerReferences?.some(({ kind }) => kind === 'Node') === true;
    return had && (await client.find({ apiVersion: 'v1', kind: 'Node', name: nodeName }, { signal })) === undefined;
  };

  /** No webhook may lock nodes out of their cluster: the name counts as taken in this process until the Secret can be written. */
  const writeLater = (nodeName: string, what: { ref: ReturnType<typeof nodePasswordRef>; hash: string; mark: string; error: unknown }) => {
    unwritten.set(nodeName, what.mark);
    log.warn('a webhook is in the way: the node joins, its password is written later', { node: nodeName, error: what.error });
    const writing = retry(() => client.create(renderSecret(what.ref, what.hash), { signal: life.signal }).catch(unlessExists), {
      ...{ initial: 5_000, max: 300_000 },
      signal: life.signal,
    }).then(
      () => {
        unwritten.delete(nodeName);
        log.info('the password of a node is written now', { node: nodeName });
      },
      () => undefined, // The life has ended.
    );
    life.defer(() => writing);
  };

  return {
    check: async (name, password, signal) => {
      const nodeName = name.toLowerCase();
      const mark = markOf(nodeName, password);
      if ((remembered.get(mark) ?? 0) > clock.now()) return;
      let run = running.get(mark);
      if (run === undefined) {
        // Not by the caller's signal: others may wait for the same.
        const bounds = { what: 'looking after the password of a node', milliseconds: checkWithin, signal: life.signal };
        run = within((ending) => verify(nodeName, password, { mark, signal: ending }), bounds)
          .then(() => remember(mark))
          .finally(() => running.delete(mark));
        running.set(mark, run);
      }
      await orAbort(run, signal);
    },
  };
}

function isPasswordOf(stored: Secret, password: string, signal: AbortSignal): Promise<boolean> {
  return matchesHash(password, readEntry(stored, 'hash') ?? '', signal);
}

function renderSecret(ref: ObjectRef & { readonly namespace: string }, hash: string): Secret {
  const { name, namespace } = ref;
  return { ...secretKind, metadata: { name, namespace }, type: nodePasswordType, immutable: true, data: renderEntries({ hash }) };
}

/** As the API server words it when an admission webhook cannot be reached or says no (k8s.io/apiserver pkg/admission/plugin/webhook/errors). */
function isWebhookInTheWay(error: unknown): boolean {
  return /failed calling webhook|admission webhook .* denied the request/.test(apiStatus(error)?.message ?? '');
}

/** Another server wrote one meanwhile: it decides at the next check. */
function unlessExists(error: unknown): undefined {
  if (!isAlreadyExists(error)) throw error;
}
