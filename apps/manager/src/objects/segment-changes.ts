// Tells that the audit log has grown, whichever replica wrote it. Segments are many and large: nothing of them is kept, and the API is watched only
// while somebody wants to know.
import { Backoff, fail, type Life, type Log, sleep } from '@rfo/foundation';
import { type KubeClient, metadataOnly } from '@rfo/kube';
import { managerApiVersion } from './schema.ts';

export type SegmentChanges = {
  /** Called when segments were written or removed, and whenever that may have been missed. Gives the function that ends it. */
  readonly onChange: (listener: () => void) => () => void;
};

const kind = { apiVersion: managerApiVersion, kind: 'AuditSegment' };
/** The version of the collection is wanted, not what is in it. */
const versionOnly = `/apis/${managerApiVersion}/auditsegments?limit=1`;
/** Milliseconds without an event or a bookmark, which comes about once a minute. */
const silentAfter = 180_000;

export function openSegmentChanges({
  client,
  life,
  log,
}: {
  readonly client: KubeClient;
  readonly life: Life;
  readonly log: Log;
}): SegmentChanges {
  const listeners = new Set<() => void>();
  const tell = (): void => {
    for (const listener of listeners) listener();
  };
  let watching: Life | undefined;

  const follow = async (signal: AbortSignal): Promise<void> => {
    const backoff = new Backoff({ initial: 200, max: 30_000 });
    while (!signal.aborted) {
      try {
        const resourceVersion = await versionOf(client, signal);
        tell();
        backoff.reset();
        const query = { resourceVersion, allowWatchBookmarks: true, timeoutSeconds: Math.round(300 + 300 * Math.random()) };
        for await (const { type } of client.watchOnce(kind, { query, idle: silentAfter, signal })) {
          if (type === 'ERROR') break;
          if (type !== 'BOOKMARK') tell();
        }
      } catch (error) {
        if (!signal.aborted) log.debug('watching AuditSegment was interrupted', { error });
      }
      await sleep(backoff.next(), signal).catch(() => undefined);
    }
  };

  return {
    onChange: (listener) => {
      listeners.add(listener);
      if (watching === undefined) {
        watching = life.child();
        const following = follow(watching.signal);
        watching.defer(() => following);
      }
      return () => {
        listeners.delete(listener);
        if (listeners.size > 0) return;
        void watching?.end();
        watching = undefined;
      };
    },
  };
}

async function versionOf(client: KubeClient, signal: AbortSignal): Promise<string> {
  const { status, text } = await client.raw({ method: 'GET', path: versionOnly, headers: { accept: metadataOnly }, signal });
  if (status !== 200) throw fail('kube-busy', { what: 'list AuditSegment', problem: text.slice(0, 300), status, reason: 'no list' });
  return (JSON.parse(text) as { readonly metadata: { readonly resourceVersion: string } }).metadata.resourceVersion;
}
