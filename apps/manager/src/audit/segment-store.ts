/** Reads and writes segments of the audit log in the Kubernetes API. No informer: they are many, large and seldom looked at. */
import { fail } from '@rfo/foundation';
import { isAlreadyExists, isConflict, isNotFound, type KubeClient, type KubeObject, metadataOnly } from '@rfo/kube';
import {
  annotations,
  hashSegment,
  labelOf,
  parseSegment,
  renderSegment,
  replicaLabel,
  type Segment,
  segmentKind,
  segmentName,
  segmentPath,
} from './segment.ts';

/** A segment without its content. */
export type SegmentRef = {
  readonly name: string;
  readonly uid: string;
  readonly replica: string;
  readonly sequence: number;
  readonly first: string;
  readonly last: string;
};

/** `taken`: something else is there, which was left as it is. */
export type Written = { readonly resourceVersion: string } | 'taken';

export type SegmentStore = {
  /** All of them, or those of one replica, in no order. */
  readonly list: (options: { readonly replica?: string; readonly signal?: AbortSignal | undefined }) => Promise<SegmentRef[]>;
  /** Undefined where it is gone. */
  readonly read: (name: string, signal?: AbortSignal) => Promise<Awaited<ReturnType<typeof parseSegment>> | undefined>;
  /**
   * Writes a segment anew, or in place of the version that the caller has written before.
   * @param known of that version: its resourceVersion and hash
   */
  readonly write: (segment: Segment, known?: { readonly resourceVersion: string; readonly hash: string }) => Promise<Written>;
  /** Gives false where it was gone already. */
  readonly delete: (ref: SegmentRef) => Promise<boolean>;
};

/** All methods throw kube-api, kube-busy, kube-unreachable. */
export function createSegmentStore(client: KubeClient): SegmentStore {
  const find = (name: string, signal?: AbortSignal): Promise<KubeObject | undefined> => client.find({ ...segmentKind, name }, { signal });

  const write: SegmentStore['write'] = async (segment, known) => {
    const object = await renderSegment(segment, known?.resourceVersion);
    try {
      const { metadata } = known === undefined ? await client.create(object) : await client.replace(object);
      return { resourceVersion: metadata.resourceVersion ?? '' };
    } catch (error) {
      if (!isConflict(error) && !isAlreadyExists(error) && !isNotFound(error)) throw error;
    }
    const found = await find(segmentName(segment.replica, segment.sequence));
    // Deleted by somebody: what it said is still known here.
    if (found === undefined) return write(segment);
    const hash = (found.spec as { readonly hash?: unknown } | undefined)?.hash;
    const resourceVersion = found.metadata.resourceVersion ?? '';
    // Written by us, and the answer got lost.
    if (hash === hashSegment(segment)) return { resourceVersion };
    // Only its metadata was changed.
    if (known !== undefined && hash === known.hash && resourceVersion !== known.resourceVersion)
      return write(segment, { resourceVersion, hash });
    return 'taken';
  };

  return {
    write,
    list: async ({ replica, signal }) => {
      const refs: SegmentRef[] = [];
      const selector = replica === undefined ? {} : { labelSelector: `${replicaLabel}=${labelOf(replica)}` };
      for (let next: string | undefined; ; ) {
        const query = new URLSearchParams({ limit: '500', ...selector, ...(next !== undefined && { continue: next }) });
        const path = `${segmentPath}?${query}`;
        // A list of the segments themselves would be hundreds of megabytes.
        const { status, text } = await client.raw({ method: 'GET', path, headers: { accept: metadataOnly }, signal });
        if (status !== 200) throw fail('kube-busy', { what: 'list AuditSegment', problem: messageIn(text), status, reason: 'no list' });
        const page = JSON.parse(text) as { readonly items?: readonly KubeObject[]; readonly metadata?: { readonly continue?: string } };
        for (const item of page.items ?? []) refs.push(refOf(item));
        next = page.metadata?.continue;
        if (next === undefined || next === '') return refs;
      }
    },
    read: async (name, signal) => {
      const object = await find(name, signal);
      return object === undefined ? undefined : parseSegment(object);
    },
    delete: ({ name, uid }) => client.delete({ ...segmentKind, name }, { uid }),
  };
}

/** Of a Status, or the beginning of what else came. */
function messageIn(text: string): string {
  return /"message":\s*"((?:[^"\\]|\\.)*)"/.exec(text)?.[1] ?? text.slice(0, 200);
}

function refOf({ metadata: { name, uid = '', annotations: notes = {} } }: KubeObject): SegmentRef {
  return {
    ...{ name, uid },
    replica: notes[annotations.replica] ?? name.slice(0, name.lastIndexOf('-')),
    sequence: Number(notes[annotations.sequence] ?? name.slice(name.lastIndexOf('-') + 1)),
    first: notes[annotations.first] ?? '',
    last: notes[annotations.last] ?? '',
  };
}
