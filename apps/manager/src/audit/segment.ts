/** A segment of the audit log as it stands in the Kubernetes API: what a replica has written in a stretch of time, chained to what it wrote before. */
import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { constants, zstdCompress, zstdDecompress } from 'node:zlib';
import type { KubeObject } from '@rfo/kube';

export type Segment = {
  readonly replica: string;
  /** From 1. */
  readonly sequence: number;
  /** RFC 3339, of the first and the last entry. */
  readonly first: string;
  readonly last: string;
  /** Hash of the segment before; empty in the first. */
  readonly previous: string;
  /** JSON lines. */
  readonly lines: string;
};

export const segmentKind = { apiVersion: 'rfo.io/v1alpha1', kind: 'AuditSegment' } as const;
export const segmentPath = '/apis/rfo.io/v1alpha1/auditsegments';
/** Of the replica, as far as a label can hold it. */
export const replicaLabel = 'rfo.io/audit-replica';
/** What tells which segment it is without its content being read. */
export const annotations = {
  replica: 'rfo.io/audit-replica',
  sequence: 'rfo.io/audit-sequence',
  first: 'rfo.io/audit-first',
  last: 'rfo.io/audit-last',
} as const;

/** Bytes that a segment unpacks to at most: nobody may fill our memory by writing one. */
const mostUnpacked = 8 * 1024 * 1024;
const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);

/** SHA-256, in hex, of all that a segment says. It does not depend on how the entries were compressed. */
export function hashSegment({ replica, sequence, first, last, previous, lines }: Segment): string {
  return createHash('sha256')
    .update(`${JSON.stringify([replica, sequence, first, last, previous])}\n`)
    .update(lines)
    .digest('hex');
}

/** @param resourceVersion of the object that this one takes the place of */
export async function renderSegment(segment: Segment, resourceVersion?: string): Promise<KubeObject> {
  const { replica, sequence, first, last, previous, lines } = segment;
  const packed = await compress(lines, { params: { [constants.ZSTD_c_compressionLevel]: 6 } });
  return {
    ...segmentKind,
    metadata: {
      name: segmentName(replica, sequence),
      labels: { [replicaLabel]: labelOf(replica) },
      annotations: {
        [annotations.replica]: replica,
        [annotations.sequence]: String(sequence),
        [annotations.first]: first,
        [annotations.last]: last,
      },
      ...(resourceVersion !== undefined && { resourceVersion }),
    },
    spec: { replica, sequence, first, last, previous, hash: hashSegment(segment), entries: packed.toString('base64') },
  };
}

/** What an object says, and the hash that it claims to have; a problem where it is no segment. */
export async function parseSegment(
  object: KubeObject,
): Promise<{ readonly segment: Segment; readonly hash: string } | { readonly problem: string }> {
  const spec = (object.spec ?? {}) as Readonly<Record<string, unknown>>;
  const { replica, sequence, first, last, previous, hash, entries } = spec;
  if (typeof replica !== 'string' || typeof sequence !== 'number' || typeof first !== 'string' || typeof last !== 'string')
    return noSegment;
  if (typeof previous !== 'string' || typeof hash !== 'string' || typeof entries !== 'string') return noSegment;
  try {
    const lines = await decompress(Buffer.from(entries, 'base64'), { maxOutputLength: mostUnpacked });
    return { segment: { replica, sequence, first, last, previous, lines: lines.toString() }, hash };
  } catch (error) {
    return { problem: `its entries cannot be unpacked: ${error instanceof Error ? error.message : String(error)}` };
  }
}

const noSegment = { problem: 'it is no segment' };

/** Sorts like the sequence. */
export function segmentName(replica: string, sequence: number): string {
  return `${labelOf(replica)}-${String(sequence).padStart(8, '0')}`;
}

/** A DNS label that no other replica has. */
export function labelOf(replica: string): string {
  if (replica.length <= 52 && /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(replica)) return replica;
  const hash = createHash('sha256').update(replica).digest('hex').slice(0, 12);
  const plain = replica
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 39);
  return `r${plain}-${hash}`.replace(/-+/g, '-');
}
