// The audit: searched, followed, exported and verified.
import * as z from 'zod/mini';
import { followAudit } from '../follow-audit.ts';
import type { ApiParts } from '../parts.ts';
import { lineRoute, type Route, route } from '../route.ts';
import { named } from '../schema-names.ts';

const text = z.optional(z.string().check(z.maxLength(512)));
const time = z.optional(
  z.string().check(z.maxLength(40), z.regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?Z$/, 'a time like 2026-11-21T18:00:00Z')),
);
const which = { user: text, cluster: text, verb: text, text, from: time, to: time };
const limit = (preset: number) => z.prefault(z.coerce.number().check(z.int(), z.gte(1), z.lte(100_000)), preset);

/** Its writer has masked what is secret; what a later version adds goes through. */
const auditEntry = named('AuditEntry', z.looseObject({ time: z.string(), replica: z.string(), verb: z.string(), result: z.string() }));

const verification = z.object({
  segments: z.number(),
  entries: z.number(),
  chains: z.array(z.object({ replica: z.string(), first: z.number(), last: z.number(), hash: z.string() })),
  problems: z.array(z.object({ replica: z.string(), sequence: z.number(), problem: z.string() })),
});

export function auditRoutes({ audit, client, log }: ApiParts): readonly Route[] {
  const tag = 'Audit';
  const access = { kind: 'right', verb: 'list', of: 'AuditSegment' } as const;
  return [
    route({
      ...{ method: 'GET', path: '/audit', tag, access, summary: 'Search the audit log, the newest entries first' },
      query: z.strictObject({ ...which, limit: limit(100) }),
      answer: z.object({ items: z.array(auditEntry) }),
      handle: async ({ query, signal }) => ({ items: await Array.fromAsync(audit.search({ ...query, signal }), asRecord) }),
    }),
    lineRoute({
      ...{ method: 'GET', path: '/audit/export', tag, access, summary: 'Export the audit log, one entry a line, the newest first' },
      query: z.strictObject(which),
      answer: auditEntry,
      handle: async ({ query, signal }) => mapped(audit.search({ ...query, signal })),
    }),
    lineRoute({
      ...{
        method: 'GET',
        path: '/audit/follow',
        tag,
        access,
        summary: 'Follow the audit log, one entry a line, until the connection ends',
      },
      query: z.strictObject({ ...which, to: z.optional(z.never()) }),
      answer: auditEntry,
      handle: async ({ query: { to: _, ...query }, signal }) => mapped(followAudit({ audit, client, log }, { ...query, signal })),
    }),
    route({
      ...{
        method: 'GET',
        path: '/audit/verification',
        tag,
        access,
        summary: 'Check that nothing in the audit log was changed or left out',
      },
      answer: verification,
      handle: async ({ signal }) => {
        const { segments, entries, chains, problems } = await audit.verify({ signal });
        return { segments, entries, chains: [...chains], problems: [...problems] };
      },
    }),
  ];
}

type Entry = z.input<typeof auditEntry>;

function asRecord(entry: object): Entry {
  return { ...entry } as Entry;
}

async function* mapped(entries: AsyncIterable<object>): AsyncGenerator<Entry> {
  for await (const entry of entries) yield asRecord(entry);
}
