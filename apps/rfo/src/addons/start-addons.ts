import { mkdir, rm } from 'node:fs/promises';
import { type Life, type Log, orAbort } from '@rfo/foundation';
import { createController, type KubeClient, type KubeObject, watch } from '@rfo/kube';
import { shortName } from './addon-name.ts';
import { openAddonStore } from './addon-store.ts';
import { type EventReason, renderEvent } from './event.ts';
import { type AddonContext, reconcileAddon } from './reconcile-addon.ts';
import { scanManifests } from './scan-manifests.ts';
import { watchManifests } from './watch-manifests.ts';

export type AddonsOptions = {
  readonly client: KubeClient;
  /** The manifest directory; made if it is missing. */
  readonly directory: string;
  /** Short names (`rfo-coredns`) whose files are deleted, with everything they held. */
  readonly disable: readonly string[];
  /** This node's name: only files that were seen on it can be missing from it. */
  readonly node: string;
  readonly life: Life;
  readonly log: Log;
};

/**
 * Keeps the cluster equal to the manifest directory, until the life ends. Resolves when every file there was has been tried once; what
 * failed or waits is tried again in the background, and says so in its Addon, in Events and in the log.
 */
export async function startAddons(options: AddonsOptions): Promise<void> {
  const { client, directory, node, life, log } = options;
  const disabled = new Set(options.disable);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await removeDisabled([...(await scanManifests(directory)).files.keys()], { disabled, log });
  const store = await openAddonStore(client, { life, log });
  const enqueue = (files: Iterable<string>): void => {
    for (const file of files) controller.enqueue(file);
  };
  const manifests = await watchManifests({
    folder: directory,
    life,
    log,
    onChange: ({ changed, gone }) => {
      void removeDisabled(changed, { disabled, log });
      // Present files first: what moved from one file to another is then held by the new one when the old one is dealt with.
      enqueue([...changed.filter((file) => !disabled.has(shortName(file))), ...gone]);
    },
  });

  const tell = createTeller({ ...options, uidOf: store.uidOf });
  const context: AddonContext = { client, store, node, disabled, log, manifests, tell };
  const unsettled = new Set<string>();
  const wakeWhen = createWaker(options, () => enqueue(unsettled));
  const untried = new Set(manifests().files.keys());
  const firstPass = Promise.withResolvers<void>();
  if (untried.size === 0) firstPass.resolve();
  const controller = createController({
    name: 'addons',
    sources: [],
    backoff: { initial: 200, max: 300_000 },
    life,
    log,
    reconcile: async (file, own) => {
      try {
        const result = await reconcileAddon(context, file, own);
        unsettled.delete(file);
        // It may be what the others wait for.
        if (!result?.retry) enqueue(unsettled);
        else unsettled.add(file);
        wakeWhen(unsettled.size > 0);
        return result;
      } finally {
        untried.delete(file);
        if (untried.size === 0) firstPass.resolve();
      }
    },
  });
  enqueue(untried);

  await orAbort(firstPass.promise, life.signal);
  // What was deleted while nobody looked.
  const { files, skipped } = manifests();
  enqueue(
    store
      .records()
      .map(({ source }) => source)
      .filter((source) => !files.has(source) && !skipped.has(source)),
  );
}

async function removeDisabled(
  files: readonly string[],
  { disabled, log }: { readonly disabled: ReadonlySet<string>; readonly log: Log },
): Promise<void> {
  for (const file of files) {
    if (!disabled.has(shortName(file))) continue;
    log.info('removes a manifest that is switched off', { file });
    await rm(file, { force: true }).catch((error: unknown) => log.error('cannot remove it', { file, error }));
  }
}

/**
 * Sends Events in the background, those of an Addon in their order: a cluster that cannot take them is no reason not to apply a manifest.
 */
function createTeller({
  client,
  node,
  life,
  log,
  uidOf,
}: AddonsOptions & { readonly uidOf: (name: string) => Promise<string | undefined> }) {
  const sent = new Map<string, Promise<void>>();
  return (addon: string, reason: EventReason, message: string): void => {
    const now = new Date();
    const send = async (): Promise<void> => {
      await client.create(renderEvent({ addon, reason, message }, { uid: await uidOf(addon), node, now }), { signal: life.signal });
    };
    const turn = (sent.get(addon) ?? Promise.resolve()).then(send).catch((error: unknown) => {
      if (!life.signal.aborted) log.warn('an event was not recorded', { addon, reason, error });
    });
    sent.set(addon, turn);
  };
}

/** While something waits, every change of a CRD wakes it; nothing is watched as long as nothing waits. */
function createWaker({ client, life, log }: AddonsOptions, wake: () => void): (isNeeded: boolean) => void {
  let watching: Life | undefined;
  const follow = async (own: Life): Promise<void> => {
    const kind = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition' };
    const onError = (error: unknown): void => log.debug('watching CRDs was interrupted', { error });
    for await (const item of watch<KubeObject>({ client, kind, onError, signal: own.signal })) if (item.type !== 'reset') wake();
  };
  return (isNeeded) => {
    if (isNeeded && watching === undefined) {
      watching = life.child();
      const following = follow(watching);
      watching.defer(() => following);
    } else if (!isNeeded && watching !== undefined) {
      void watching.end();
      watching = undefined;
    }
  };
}
