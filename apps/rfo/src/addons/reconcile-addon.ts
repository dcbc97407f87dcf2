import { createHash } from 'node:crypto';
import { type Log, readFileIfExists, toRfoError } from '@rfo/foundation';
import { type KubeClient, type KubeObject, type ReconcileResult, refOf } from '@rfo/kube';
import { addonName } from './addon-name.ts';
import { type AddonRecord, type Reason, withState } from './addon-record.ts';
import type { AddonStore } from './addon-store.ts';
import { applyObjects, describeProblems, placeObjects } from './apply-objects.ts';
import type { EventReason } from './event.ts';
import { parseManifest } from './parse-manifest.ts';
import { objectsToPrune, pruneObjects, unite } from './prune-objects.ts';
import type { ManifestFiles } from './scan-manifests.ts';

export type AddonContext = {
  readonly client: KubeClient;
  readonly store: AddonStore;
  readonly node: string;
  readonly manifests: () => ManifestFiles;
  /** Short names that the user has switched off. */
  readonly disabled: ReadonlySet<string>;
  readonly tell: (addon: string, reason: EventReason, message: string) => void;
  readonly log: Log;
};

/**
 * Brings the cluster in line with one file: applies what it holds and deletes what it held before, or everything when the file is gone.
 * Nothing is deleted while anything of the file cannot be applied.
 */
export async function reconcileAddon(context: AddonContext, source: string, signal: AbortSignal): Promise<ReconcileResult> {
  const { manifests, store } = context;
  if (manifests().skipped.has(source)) return undefined;
  const text = manifests().files.has(source) ? await readFileIfExists(source) : undefined;
  if (text === undefined) {
    const record = store.records().find((known) => known.source === source);
    return record === undefined ? undefined : removeAddon(context, record, signal);
  }
  return applyAddon(context, { source, text, signal });
}

async function applyAddon(context: AddonContext, file: { source: string; text: string; signal: AbortSignal }): Promise<ReconcileResult> {
  const { client, store, node, tell, log } = context;
  const { source, text, signal } = file;
  const name = addonName(source, { records: store.records(), files: new Set(context.manifests().files.keys()) });
  const previous = store.records().find((record) => record.name === name);
  const checksum = createHash('sha256').update(text).digest('hex');
  const same = previous?.checksum === checksum;
  const held = previous?.objects ?? [];
  const owner = same ? previous.node : node;
  const save = (objects: AddonRecord['objects'], reason: Reason, message: string): Promise<void> =>
    store.save(withState({ name, source, checksum, node: owner, objects }, { reason, message }, { previous, now: new Date() }));
  /** Says it once, not again for every new attempt with the same content. */
  const tellNew = (reason: Reason, event: EventReason, message: string): void => {
    if (!same || previous.reason !== reason) tell(name, event, message);
  };

  let objects: KubeObject[];
  try {
    objects = await parseManifest(text, source);
  } catch (error) {
    const { message } = toRfoError(error);
    log.error('a manifest cannot be read', { error });
    background(save(held, 'ParseFailed', message));
    tellNew('ParseFailed', 'ParseManifestFailed', message);
    return undefined;
  }

  const placed = await placeObjects(client, objects);
  const wanted = placed.map(refOf);
  if (!same || objectsToPrune({ held: wanted, wanted: held, heldByOthers: [] }).length > 0) {
    // What may come to exist is remembered before it does.
    const saved = save(unite(held, wanted), 'Applying', `applying ${wanted.length} objects`);
    background(saved);
    if (!store.isNew) await saved;
    tell(name, 'ApplyingManifest', `Applying manifest at "${source}"`);
  }

  const { waiting, failed } = await applyObjects(client, placed, signal);
  if (waiting.length + failed.length > 0) {
    const problem = describeProblems([...failed, ...waiting]);
    const reason = failed.length > 0 ? 'ApplyFailed' : 'Waiting';
    background(save(unite(held, wanted), reason, problem));
    if (reason === 'Waiting') log.info('a manifest waits for what it needs', { file: source, problem });
    else {
      log.warn('a manifest is not applied yet', { file: source, problem });
      tellNew(reason, 'ApplyManifestFailed', problem);
    }
    return { retry: true };
  }

  // Half a file looks like a file without its second half: what is deleted must be gone from the file as it stands now.
  if ((await readFileIfExists(source)) !== text) return { retry: true };
  await pruneObjects(client, objectsToPrune({ held, wanted, heldByOthers: heldByOthers(store, name) }), { log, signal });
  background(save(wanted, 'Applied', `${wanted.length} objects`));
  tellNew('Applied', 'AppliedManifest', `Applied manifest at "${source}"`);
  log.info('applied', { manifest: name, objects: wanted.length });
  return undefined;
}

async function removeAddon(context: AddonContext, record: AddonRecord, signal: AbortSignal): Promise<undefined> {
  const { client, store, node, tell, log, disabled } = context;
  // Another server's file, which is not here to be found.
  if (record.node !== node && !disabled.has(record.name)) return undefined;
  tell(record.name, 'DeletingManifest', `Deleting what the manifest at "${record.source}" held`);
  const refs = objectsToPrune({ held: record.objects, wanted: [], heldByOthers: heldByOthers(store, record.name) });
  await pruneObjects(client, refs, { log, signal });
  await store.remove(record);
  log.info('removed', { manifest: record.name, objects: refs.length });
  return undefined;
}

function heldByOthers(store: AddonStore, name: string): AddonRecord['objects'] {
  return store
    .records()
    .filter((record) => record.name !== name)
    .flatMap(({ objects }) => objects);
}

/** The store itself tries until it succeeds, so there is nothing to wait for. */
function background(saved: Promise<void>): void {
  saved.catch(() => undefined);
}
