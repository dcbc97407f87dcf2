// The audit log as it grows, whichever replica writes it.
import { Backoff, type Log, sleep } from '@rfo/foundation';
import { type KubeClient, metadataOnly } from '@rfo/kube';
import { segmentKind, segmentPath } from '../audit/segment.ts';
import type { Audit, AuditEntry, AuditQuery } from '../audit/types.ts';

/** Milliseconds by which an entry may come after later ones: replicas write about once in a second, and their clocks differ. */
const lateness = 30_000;
/** Milliseconds without an event or bookmark until the watch is started anew; the server sends a bookmark about once a minute. */
const silentAfter = 180_000;

type Parts = { readonly audit: Pick<Audit, 'search'>; readonly client: KubeClient; readonly log: Log };

/** Entries as they come in, from `query.from` on, or from now: each once, those that come together by their time. Ends with the signal. */
export async function* followAudit(
  { audit, client, log }: Parts,
  query: AuditQuery & { readonly signal: AbortSignal },
): AsyncGenerator<AuditEntry> {
  const done = new AbortController();
  const signal = AbortSignal.any([query.signal, done.signal]);
  let changed = Promise.withResolvers<void>();
  const wake = (): void => changed.resolve();
  signal.addEventListener('abort', wake, { once: true });
  void watchSegments(client, { onChange: wake, log, signal });
  // With milliseconds, as entries have their times: they are compared as texts.
  let from = (query.from === undefined ? new Date() : new Date(query.from)).toISOString();
  const shown = new Map<string, string>();
  try {
    while (!signal.aborted) {
      changed = Promise.withResolvers<void>();
      const found = await Array.fromAsync(audit.search({ ...query, from, signal }));
      const fresh = found.filter(({ id }) => !shown.has(id)).reverse();
      for (const { id, time } of fresh) shown.set(id, time);
      yield* fresh;
      const earliest = new Date(Date.parse(found[0]?.time ?? from) - lateness).toISOString();
      if (earliest > from) from = earliest;
      for (const [id, time] of shown) if (time < from) shown.delete(id);
      await changed.promise;
    }
  } finally {
    done.abort();
  }
}

/**
 * Tells every change of a segment, and once at the beginning of each watch. Not by an informer: that would hold the whole log, and nobody needs
 * to know what was before.
 */
async function watchSegments(
  client: KubeClient,
  { onChange, log, signal }: { readonly onChange: () => void; readonly log: Log; readonly signal: AbortSignal },
): Promise<void> {
  const backoff = new Backoff({ initial: 200, max: 30_000 });
  while (!signal.aborted) {
    try {
      const query = { resourceVersion: await versionOf(client, signal), allowWatchBookmarks: true };
      onChange();
      for await (const _ of client.watchOnce(segmentKind, { query, idle: silentAfter, signal })) {
        backoff.reset();
        onChange();
      }
    } catch (error) {
      if (signal.aborted) return;
      log.warn('the audit log is followed again', { error });
    }
    // The server ends every watch sooner or later. One that it ends at once, again and again, must not become a busy loop.
    await sleep(backoff.next(), signal).catch(() => undefined);
  }
}

/** Of the collection as it is now. */
async function versionOf(client: KubeClient, signal: AbortSignal): Promise<string> {
  const headers = { accept: metadataOnly };
  const { status, text } = await client.raw({ method: 'GET', path: `${segmentPath}?limit=1`, headers, signal });
  if (status !== 200) throw new Error(`the API server answers ${status}`);
  const list = JSON.parse(text) as { readonly metadata: { readonly resourceVersion: string } };
  return list.metadata.resourceVersion;
}
