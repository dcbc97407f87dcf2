/** What a cluster is told of tokens, so that people can enter it while the manager is away: with the rights that they have through the front door, and no others. */
import type { DirectToken, DirectUser } from '@rfo/kube';
import type { Token } from '@rfo/schema';
import { personOf } from '../front-door/impersonation.ts';
import { callerOf, isEnabled, mayAct } from '../identity/authenticate.ts';
import type { Limits } from '../identity/settings.ts';
import { endOfToken } from '../identity/token-end.ts';
import type { Objects } from '../objects/open-objects.ts';
import type { Rights } from '../rights/create-rights.ts';

export type DirectInput = {
  readonly cluster: string;
  /** That are good for this cluster alone. */
  readonly tokens: readonly Token[];
  readonly objects: Pick<Objects, 'users' | 'authProviders'>;
  readonly rights: Pick<Rights, 'in'>;
  readonly limits: Limits;
  /** Milliseconds since 1970. */
  readonly now: number;
};

/**
 * Everybody who may enter the cluster and has a token for it alone, in a steady order. Left out are tokens that open more, for a cluster could use
 * what it is shown; sessions, whose use only the manager sees; and those that only read, which a cluster could not hold to that.
 */
export function renderDirectUsers(input: DirectInput): DirectUser[] {
  const found = new Map<string, DirectToken[]>();
  for (const token of [...input.tokens].sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))) {
    const direct = render(token, input);
    if (direct !== undefined) found.set(direct.user, [...(found.get(direct.user) ?? []), direct.token]);
  }
  return [...found].map(([user, tokens]) => ({ user, tokens }));
}

function render(token: Token, { cluster, objects, rights, limits, now }: DirectInput) {
  const { metadata, spec } = token;
  const alone = spec.clusters?.length === 1 && spec.clusters[0] === cluster;
  if (!alone || spec.kind === 'session' || spec.readOnly === true || metadata.deletionTimestamp !== undefined) return undefined;
  const expiresAt = endOfToken(token, limits);
  const user = objects.users.get(spec.user);
  if (expiresAt <= now || user === undefined || !mayAct(user, spec.provider) || !isEnabled(objects, spec.provider)) return undefined;
  const caller = callerOf(user, token);
  const entry = rights.in(caller, cluster);
  if (entry === undefined) return undefined;
  const person = personOf(caller, entry.groups);
  return {
    user: person.user,
    token: { id: metadata.name, hash: spec.hash, expiresAt, groups: person.groups, extra: person.extra } satisfies DirectToken,
  };
}
