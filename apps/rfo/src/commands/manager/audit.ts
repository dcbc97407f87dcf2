// `rfo manager audit`: who did what, where, with which result.
import { fail, systemClock } from '@rfo/foundation';
import { loadManagerCliOptions } from '@rfo/schema';
import * as z from 'zod/mini';
import type { CommandContext, Run } from '../../cli/context.ts';
import { renderTable } from '../../cli/render-table.ts';
import { loadFlags } from '../../cli/with-config.ts';
import { type ManagerClient, openManager, type Query } from './client.ts';
import { comeBack } from './come-back.ts';
import { type Format, tellEmpty, writeObject } from './output.ts';
import { streamOf } from './stream-output.ts';

const text = z.optional(z.string());
const auditEntry = z.looseObject({
  ...{ id: z.string(), time: z.string(), verb: z.string(), result: z.string(), user: text, username: text, address: text, cluster: text },
  ...{ resource: text, subresource: text, namespace: text, name: text, path: text, code: text },
});
type AuditEntry = z.infer<typeof auditEntry>;

/** The newest entries, the oldest of them first; with `--follow` also what is added from now on. */
export const showAudit: Run = async (context) => {
  const { values } = loadFlags((await loadManagerCliOptions()).managerAuditConfig, context);
  const { client } = await openManager(context);
  const { user, cluster, verb, text: wanted, since, limit, output, follow, verify } = values;
  if (verify) return await verifyAudit(client, output, context);
  const from = since === undefined ? undefined : new Date(systemClock.now() - since).toISOString();
  const query: Query = { user, cluster, verb, text: wanted, from };
  const { items } = await client.call(z.object({ items: z.array(auditEntry) }), {
    method: 'GET',
    path: '/audit',
    query: { ...query, limit },
  });
  const entries = items.toReversed();
  const show = streamOf(output, { titles, row, data: (entry: AuditEntry) => entry });
  context.stdout.write(await show(entries));
  if (!follow) {
    if (entries.length === 0 && output === 'table') tellEmpty(context);
    return 0;
  }
  return await followAudit(client, { query, seen: entries, show }, context);
};

/** Milliseconds by which an entry may come after later ones, as the manager has it: of so long it is asked again what is known already. */
const lateness = 30_000;

/** Goes on until it is interrupted, also when the manager was away for a while. */
async function followAudit(
  client: ManagerClient,
  input: {
    readonly query: Query;
    readonly seen: readonly AuditEntry[];
    readonly show: (entries: readonly AuditEntry[]) => Promise<string>;
  },
  context: CommandContext,
): Promise<never> {
  const { query, seen, show } = input;
  const link = comeBack(context);
  // What was shown comes again, at first from the last moment of it.
  const shown = new Map(seen.map(({ id, time }) => [id, time]));
  let from = seen.at(-1)?.time ?? query.from;
  for (;;) {
    try {
      const request = { method: 'GET', path: '/audit/follow', query: { ...query, from } } as const;
      for await (const entry of client.lines(auditEntry, request, link.well)) {
        if (shown.has(entry.id)) continue;
        shown.set(entry.id, entry.time);
        context.stdout.write(await show([entry]));
      }
      throw fail('manager-busy', { server: client.server, problem: 'it has ended what was followed' });
    } catch (error) {
      await link.wait(error);
    }
    from = forgetEarly(shown) ?? from;
  }
}

/** Keeps what may come again. @returns since when */
function forgetEarly(shown: Map<string, string>): string | undefined {
  const newest = Math.max(...[...shown.values()].map(Date.parse));
  if (!Number.isFinite(newest)) return undefined;
  for (const [id, time] of shown) if (Date.parse(time) < newest - lateness) shown.delete(id);
  return new Date(newest - lateness).toISOString();
}

const verification = z.looseObject({
  segments: z.number(),
  entries: z.number(),
  problems: z.array(z.object({ replica: z.string(), sequence: z.number(), problem: z.string() })),
});

/** @returns 1 where something was changed or removed */
async function verifyAudit(client: ManagerClient, output: Format, context: CommandContext): Promise<number> {
  const found = await client.call(verification, { method: 'GET', path: '/audit/verification' });
  if (output !== 'table') await writeObject(found, output, context);
  else if (found.problems.length === 0)
    context.stdout.write(`The audit log is whole: ${found.entries} entries in ${found.segments} segments.\n`);
  else {
    const rows = found.problems.map(({ replica, sequence, problem }) => [replica, String(sequence), problem]);
    context.stdout.write(renderTable(['REPLICA', 'SEGMENT', 'PROBLEM'], rows));
  }
  return found.problems.length === 0 ? 0 : 1;
}

const titles = ['TIME', 'USER', 'ADDRESS', 'VERB', 'WHAT', 'WHERE', 'RESULT'];

function row(entry: AuditEntry): readonly string[] {
  const { time, user, username, address, verb, resource, subresource, namespace, name, path, cluster, result, code } = entry;
  const object = resource === undefined ? path : [resource, subresource].filter((part) => part !== undefined).join('/');
  const what = [object, [namespace, name].filter((part) => part !== undefined).join('/')]
    .filter((part) => part !== undefined && part !== '')
    .join(' ');
  const cells = [
    time,
    username ?? user ?? '-',
    address ?? '-',
    verb,
    what,
    cluster ?? '-',
    code === undefined ? result : `${result} (${code})`,
  ];
  // A terminal obeys control characters, and others may have written these texts.
  return cells.map((cell) => cell.replace(/\p{Cc}+/gu, ' '));
}
