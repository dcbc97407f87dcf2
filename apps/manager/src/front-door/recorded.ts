/** What of the requests to clusters the audit log tells: changes, what acts in pods, and reading of secrets. */
import type { IncomingMessage } from 'node:http';
import { RfoError } from '@rfo/foundation';
import type { AuditRecord } from '../audit/types.ts';
import type { Caller } from '../identity/caller.ts';
import type { Person } from './impersonation.ts';
import { maskArguments } from './mask-arguments.ts';
import type { Target } from './parse-target.ts';
import { formatResource, type RequestInfo } from './request-info.ts';

const reading: ReadonlySet<string> = new Set(['get', 'list', 'watch', 'head', 'options']);
const acting: ReadonlySet<string> = new Set(['exec', 'attach', 'portforward', 'proxy']);
/** Questions that are asked by POST and change nothing. */
const questions: ReadonlySet<string> = new Set([
  'selfsubjectaccessreviews.authorization.k8s.io',
  'selfsubjectrulesreviews.authorization.k8s.io',
  'localsubjectaccessreviews.authorization.k8s.io',
  'subjectaccessreviews.authorization.k8s.io',
  'selfsubjectreviews.authentication.k8s.io',
]);

/** Whether there has to be an entry of it, however it ends. */
export function isRecorded(info: RequestInfo, { upgrade }: { readonly upgrade: boolean }): boolean {
  const { verb, subresource, resource, group } = info;
  if (subresource !== undefined && acting.has(subresource)) return true;
  if (resource === 'secrets' && group === '') return true;
  if (reading.has(verb)) return upgrade && verb !== 'watch';
  return !questions.has(formatResource(info) ?? '');
}

/** Who, where and what: the part of an entry that is known before there is an answer. */
export function recordOf(input: {
  readonly request: IncomingMessage;
  readonly caller: Caller;
  readonly target: Target;
  readonly info: RequestInfo;
  readonly as: Person | undefined;
}): Omit<AuditRecord, 'result'> {
  const { request, caller, target, info, as } = input;
  const query = new URLSearchParams(target.query);
  const { subresource } = info;
  const command = query.getAll('command');
  return {
    ...{ user: caller.user, username: caller.username, token: caller.token.id, provider: caller.provider },
    ...{ address: request.socket.remoteAddress, userAgent: request.headers['user-agent'], cluster: target.cluster },
    verb: subresource !== undefined && acting.has(subresource) ? subresource : info.verb,
    ...{ resource: formatResource(info), subresource, namespace: info.namespace, name: info.name },
    ...(info.resource === undefined && { path: target.path }),
    ...(as !== undefined && { as: { user: as.user, groups: as.groups } }),
    ...(command.length > 0 && { command: maskArguments(command) }),
    container: query.get('container') ?? undefined,
    ...(query.has('dryRun') && { dryRun: true }),
  };
}

/** How it ended, by the status that the cluster answered. */
export function outcomeOf(status: number): Pick<AuditRecord, 'result' | 'status'> {
  if (status === 401 || status === 403) return { result: 'refused', status };
  return { result: status < 400 ? 'done' : 'failed', status };
}

const refusals: ReadonlySet<string> = new Set([
  'cluster-forbidden',
  'token-elsewhere',
  'token-read-only',
  'impersonation-forbidden',
  'proxy-origin',
  'access-withdrawn',
]);

/** How it ended, where there was no answer of the cluster, or not all of it. */
export function failureOf(error: unknown, status: number): Pick<AuditRecord, 'result' | 'status' | 'code' | 'message'> {
  const code = error instanceof RfoError ? error.code : undefined;
  const message = error instanceof Error ? error.message : undefined;
  return { result: isRefusal(error) ? 'refused' : 'failed', status, code, message };
}

/** Whether he was not let: that is recorded whatever he tried. */
export function isRefusal(error: unknown): boolean {
  return error instanceof RfoError && refusals.has(error.code);
}
