/** Decides whether a request goes on to a cluster, and as whom. */
import type { IncomingHttpHeaders } from 'node:http';
import { fail } from '@rfo/foundation';
import type { Connections } from '../clusters/connections.ts';
import type { Caller } from '../identity/caller.ts';
import { globalGroup } from '../rights/names.ts';
import { checkImpersonation } from './check-impersonation.ts';
import { impersonationHeaders, type Person, personOf, readWanted } from './impersonation.ts';
import type { Target } from './parse-target.ts';
import { checkReadOnly } from './read-only.ts';
import type { RequestInfo } from './request-info.ts';

export type Rights = {
  readonly in: (caller: Caller, cluster: string, namespace?: string) => { readonly groups: readonly string[] } | undefined;
};

export type Wish = {
  readonly caller: Caller;
  readonly target: Target;
  readonly info: RequestInfo;
  /** Whether another protocol is asked for. */
  readonly upgrade: boolean;
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
  readonly signal: AbortSignal;
};

export type Admission = {
  /** Headers that say in whose name it is. */
  readonly headers: Readonly<Record<string, readonly string[]>>;
  /** Whom the caller acts as, if it is not himself. */
  readonly as: Person | undefined;
};

const administrators = globalGroup('administrator');

/**
 * @throws proxy-origin, token-elsewhere, token-read-only, cluster-forbidden, impersonation-invalid, impersonation-forbidden, cluster-away,
 *   cluster-broke-off, kube-unreachable
 */
export async function admit(
  wish: Wish,
  { rights, connections }: { readonly rights: Rights; readonly connections: Pick<Connections, 'clientOf'> },
): Promise<Admission> {
  const { caller, target, info, upgrade, headers, rawHeaders, signal } = wish;
  const { cluster } = target;
  const { token, username } = caller;
  checkOrigin(caller, headers);
  if (token.clusters !== undefined && !token.clusters.includes(cluster)) throw fail('token-elsewhere', { cluster });
  if (token.readOnly) checkReadOnly(info, { upgrade });
  const groupsIn = (namespace?: string): readonly string[] => {
    const entry = rights.in(caller, cluster, namespace);
    if (entry === undefined) throw fail('cluster-forbidden', { username, cluster });
    return entry.groups;
  };

  const groups = groupsIn(info.namespace);
  const wanted = readWanted(rawHeaders);
  if (wanted === undefined) return { headers: impersonationHeaders(personOf(caller, groups), caller), as: undefined };
  const person = personOf(caller, groupsIn(namespaceOf(wanted)));
  const administrator = person.groups.includes(administrators);
  await checkImpersonation({ caller, person, wanted, administrator, cluster, client: connections.clientOf(cluster), signal });
  return { headers: impersonationHeaders(wanted, caller), as: wanted };
}

/** The right to act as a service account is one in its namespace. */
function namespaceOf({ user }: Person): string | undefined {
  return /^system:serviceaccount:([^:]+):/.exec(user)?.[1];
}

/** A link on another site must not act in a pod with the session of who clicks on it; browsers tell where a request comes from. */
function checkOrigin({ token }: Caller, headers: IncomingHttpHeaders): void {
  const site = headers['sec-fetch-site'];
  if (token.kind === 'session' && site !== undefined && site !== 'same-origin' && site !== 'none') throw fail('proxy-origin', {});
}
