// What the audit is told of requests to the REST interface.
import type { IncomingHttpHeaders } from 'node:http';
import { diffObjects } from '../audit/diff-objects.ts';
import type { Audit, AuditRecord } from '../audit/types.ts';
import type { Caller } from '../identity/caller.ts';
import { type Change, changes, type Route } from './route.ts';

export type Ended = {
  readonly route: Route;
  /** HTTP status of the answer, and the code of its error. */
  readonly status: number;
  readonly code: string | undefined;
  readonly caller: Caller | undefined;
  readonly name: string | undefined;
  readonly change: Change | undefined;
  readonly address: string;
  readonly headers: IncomingHttpHeaders;
};

/** Records what changed something, or was to: once for each request of somebody who is known. Strangers cannot fill the log. */
export function recordRequest(audit: Pick<Audit, 'record'>, ended: Ended): void {
  const { route, caller, status } = ended;
  if (!changes(route) || caller === undefined) return;
  if (route.recorded === 'refusals' && status < 400) return;
  audit.record(renderRecord({ ...ended, caller }));
}

/** The pure part. */
function renderRecord({ route, status, code, caller, name, change, address, headers }: Ended & { readonly caller: Caller }): AuditRecord {
  const result = status < 400 ? 'done' : status === 401 || status === 403 ? 'refused' : 'failed';
  const userAgent = headers['user-agent']?.slice(0, 200);
  const diff = change === undefined ? undefined : diffObjects(written(change.before), written(change.after));
  return {
    verb: route.act ?? verbs[route.method],
    result,
    status,
    ...(code !== undefined && { code }),
    user: caller.user,
    username: caller.username,
    token: caller.token.id,
    provider: caller.provider,
    address,
    ...(userAgent !== undefined && { userAgent }),
    resource: `${route.tag.toLowerCase()}s.rfo.io`,
    ...((change?.name ?? name) !== undefined && { name: change?.name ?? name }),
    ...(diff !== undefined && diff.length > 0 && { changes: diff }),
  };
}

/** What people write of an object; the rest is the API server's or a controller's. */
function written(view: unknown): unknown {
  if (typeof view !== 'object' || view === null) return undefined;
  const { labels, spec } = view as { readonly labels?: unknown; readonly spec?: unknown };
  return { labels, spec };
}

const verbs = { GET: 'get', POST: 'create', PATCH: 'patch', PUT: 'update', DELETE: 'delete' } as const;
