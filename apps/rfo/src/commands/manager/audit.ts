// `rfo manager audit`: who did what, where, with which result.
import { systemClock } from '@rfo/foundation';
import { loadManagerCliOptions } from '@rfo/schema';
import * as z from 'zod/mini';
import type { CommandContext, Run } from '../../cli/context.ts';
import { renderTable } from '../../cli/render-table.ts';
import { loadFlags } from '../../cli/with-config.ts';
import { type ManagerClient, openManager, type Query } from './client.ts';
import { type Format, renderData, writeObject } from './output.ts';

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
  context.stdout.write(await renderEntries(entries, output, { header: true }));
  if (!follow) return 0;
  return await followAudit(client, { query: { ...query, from: entries.at(-1)?.time ?? from }, seen: entries, output }, context);
};

/** Goes on until it is interrupted or the manager ends it, which it tells as an error. */
async function followAudit(
  client: ManagerClient,
  { query, seen, output }: { readonly query: Query; readonly seen: readonly AuditEntry[]; readonly output: Format },
  { stdout }: CommandContext,
): Promise<number> {
  // The entries of the last moment that was shown come again.
  const shown = new Set(seen.map(({ id }) => id));
  for await (const entry of client.lines(auditEntry, { method: 'GET', path: '/audit/follow', query })) {
    if (!shown.delete(entry.id)) stdout.write(await renderEntries([entry], output, { header: false }));
  }
  return 0;
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

const header = ['TIME', 'USER', 'ADDRESS', 'VERB', 'WHAT', 'WHERE', 'RESULT'];

async function renderEntries(
  entries: readonly AuditEntry[],
  output: Format,
  { header: withHeader }: { readonly header: boolean },
): Promise<string> {
  // One a line, as what is followed comes.
  if (output === 'json') return entries.map((entry) => `${JSON.stringify(entry)}\n`).join('');
  if (output === 'yaml') return (await Promise.all(entries.map(async (entry) => `---\n${await renderData(entry, 'yaml')}`))).join('');
  const rows = entries.map(row);
  if (withHeader) return renderTable(header, rows);
  return rows.map((cells) => `${cells.join('  ')}\n`).join('');
}

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
