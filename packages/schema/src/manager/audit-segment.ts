import * as z from 'zod/mini';
import { count, field, line, sha256, time } from './fields.ts';
import { defineKind } from './kind.ts';

export const auditSegmentKind = defineKind({
  kind: 'AuditSegment',
  plural: 'auditsegments',
  description: 'A stretch of what one replica of the manager has recorded. Each holds the hash of the one before.',
  spec: z.object({
    replica: field(line(253), 'Who recorded it.'),
    sequence: field(count(), 'Its number among those of that replica.'),
    first: field(time(), 'Time of its first entry.'),
    last: field(time(), 'Time of its last entry.'),
    previous: field(z.string().check(z.maxLength(64), z.regex(/^([0-9a-f]{64})?$/)), 'Hash of the segment before; empty in the first.'),
    hash: field(sha256(), 'Hash of this one.'),
    entries: field(
      z.string().check(z.maxLength(1_300_000), z.regex(/^[A-Za-z0-9+/]*={0,2}$/)),
      'JSON lines, compressed by zstd, in base64.',
    ),
  }),
  columns: [
    { name: 'Replica', path: '.spec.replica' },
    { name: 'Sequence', path: '.spec.sequence', type: 'integer' },
    { name: 'First', path: '.spec.first' },
    { name: 'Last', path: '.spec.last' },
  ],
  selectable: ['.spec.replica'],
  longNames: true,
});
