import { isDeepStrictEqual } from 'node:util';
import { type Life, type Log, orAbort, RfoError, retry } from '@rfo/foundation';
import { type CustomResourceDefinition, isNotFound, type KubeClient, refOf, waitForObject } from '@rfo/kube';
import { type Addon, addonDefinition, addonKind, addonNamespace, fieldManager } from './addon.ts';
import { type AddonRecord, parseAddon, renderAddon, renderStatus } from './addon-record.ts';

/** The Addon objects of the cluster, read once at the start and written by nobody but us. */
export type AddonStore = {
  readonly records: () => readonly AddonRecord[];
  /** Remembers the record at once; resolves when the cluster has it, too. Tries until the life ends. One that is as it was costs nothing. */
  readonly save: (record: AddonRecord) => Promise<void>;
  readonly remove: (record: AddonRecord) => Promise<void>;
  /** The Addon's uid as soon as the cluster has it. */
  readonly uidOf: (name: string) => Promise<string | undefined>;
  /** Whether the cluster had no Addons before we came. Then nothing can be forgotten, and the first manifests need not wait for records. */
  readonly isNew: boolean;
};

/** Makes sure that the cluster knows the kind Addon, and reads those there are. */
export async function openAddonStore(client: KubeClient, { life, log }: { readonly life: Life; readonly log: Log }): Promise<AddonStore> {
  const { signal } = life;
  const before = await client.find<CustomResourceDefinition>(refOf(addonDefinition), { signal });
  const definition = await client.apply(addonDefinition, { fieldManager, force: true, signal });
  const isNew = before === undefined;
  const served = isEstablished(definition)
    ? Promise.resolve()
    : waitForObject(client, refOf(addonDefinition), { accept: isEstablished, signal }).then(() => undefined);
  // Awaited by every write; without one nobody needs to hear of it.
  served.catch(() => undefined);
  if (!isNew) await served;
  const list = isNew ? [] : (await client.list<Addon>(addonKind, { namespace: addonNamespace, signal })).items;

  const records = new Map(list.map((addon) => [addon.metadata.name, parseAddon(addon)]));
  const uids = new Map(list.map((addon) => [addon.metadata.name, Promise.resolve(addon.metadata.uid)]));
  const writes = new Map<string, Promise<unknown>>();

  /** One after the other for each name, each until it succeeds: the last one wins. */
  const write = <T>(name: string, act: () => Promise<T>): Promise<T> => {
    const onError = (error: unknown): void => {
      if (!isStartingUp(error)) log.warn('an Addon cannot be written', { name, error });
    };
    const turn = (writes.get(name) ?? served).catch(() => undefined).then(() => retry(act, { initial: 50, max: 10_000, signal, onError }));
    // Whoever awaits the write hears of its end with the life; the chain itself does not need to.
    turn.catch(() => undefined);
    writes.set(name, turn);
    return turn;
  };
  life.defer(() => Promise.allSettled(writes.values()));

  return {
    isNew,
    records: () => [...records.values()],
    save: async (record) => {
      if (isDeepStrictEqual(records.get(record.name), record)) return;
      records.set(record.name, record);
      const uid = write(record.name, async () => {
        const addon = await client.apply(renderAddon(record), { fieldManager, force: true, signal });
        await client.apply(renderStatus(record), { fieldManager, force: true, subresource: 'status', signal });
        return addon.metadata.uid;
      });
      uids.set(record.name, uid);
      await uid;
    },
    remove: async ({ name }) => {
      await write(name, () => client.delete({ ...addonKind, namespace: addonNamespace, name }, { signal }));
      records.delete(name);
      uids.delete(name);
    },
    uidOf: (name) => orAbort(uids.get(name) ?? Promise.resolve(undefined), signal),
  };
}

function isEstablished(definition: CustomResourceDefinition): boolean {
  return definition.status?.conditions?.some(({ type, status }) => type === 'Established' && status === 'True') ?? false;
}

/** For a moment after a kind is established it is not served; so is kube-system for a moment after the API is ready. */
function isStartingUp(error: unknown): boolean {
  return isNotFound(error) || (error instanceof RfoError && error.code === 'kube-kind-unknown');
}
