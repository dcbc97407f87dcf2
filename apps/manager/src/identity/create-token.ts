/** Tokens that users make for programs and kubeconfigs: never good for more than what they are made with. */
import { type Clock, fail, type RfoError } from '@rfo/foundation';
import type { Objects } from '../objects/open-objects.ts';
import type { Caller } from './caller.ts';
import { type Issued, issueToken } from './issue-token.ts';
import { showDuration } from './read-duration.ts';
import type { Limits } from './settings.ts';
import { endOfToken } from './token-end.ts';

export type TokenRequest = {
  /** Who asks, and whose it will be. */
  readonly caller: Caller;
  readonly kind: 'api' | 'kubeconfig';
  readonly description?: string | undefined;
  /** The only clusters that it shall be good for. */
  readonly clusters?: readonly string[] | undefined;
  readonly readOnly?: boolean | undefined;
  /** How long it shall last; without it 30 days, or what the settings and the caller's own token leave of them. */
  readonly seconds?: number | undefined;
};

const preset = 30 * 86_400;
/** Of the kinds api and kubeconfig. Each is held in the memory of every replica. */
const most = 200;

/** Throws access-token-wish, access-tokens-too-many, and what the API says. */
export async function createToken(
  { objects, limits, clock }: { readonly objects: Pick<Objects, 'tokens'>; readonly limits: () => Limits; readonly clock: Clock },
  request: TokenRequest,
): Promise<Issued> {
  const { caller, kind, description, seconds } = request;
  const own = objects.tokens.by('user', caller.user).filter(({ spec }) => spec.kind !== 'session');
  if (own.length >= most) throw fail('access-tokens-too-many', { limit: most });

  const clusters = scopeOf(request);
  const readOnly = (request.readOnly ?? false) || caller.token.readOnly;
  const expires =
    clock.now() + lifetime({ wanted: seconds, longest: limits().tokenMax, left: timeLeft(objects, caller, limits(), clock.now()) }) * 1000;
  return await issueToken(objects, {
    user: caller.user,
    kind,
    provider: caller.provider,
    expires,
    ...(description !== undefined && { description }),
    ...(clusters !== undefined && { clusters: [...clusters] }),
    ...(readOnly && { readOnly }),
  });
}

/** The clusters that it is to be good for; undefined: all. */
function scopeOf({ clusters, caller }: TokenRequest): readonly string[] | undefined {
  const { clusters: own } = caller.token;
  if (clusters === undefined) return own;
  if (clusters.length === 0) throw wish('it would be good for no cluster');
  const beyond = own === undefined ? undefined : clusters.find((cluster) => !own.includes(cluster));
  if (beyond !== undefined) throw wish(`the token that it is made with is not good for cluster "${beyond}"`);
  return [...new Set(clusters)];
}

/** Seconds that the token lasts with which the request came; a session may make what outlasts it. */
function timeLeft(objects: Pick<Objects, 'tokens'>, { token: { id, kind } }: Caller, limits: Limits, now: number): number {
  if (kind === 'session') return Number.POSITIVE_INFINITY;
  const token = objects.tokens.get(id);
  return token === undefined ? 0 : Math.max(0, endOfToken(token, limits) - now) / 1000;
}

function lifetime({
  wanted,
  longest,
  left,
}: {
  readonly wanted: number | undefined;
  readonly longest: number;
  readonly left: number;
}): number {
  if (wanted === undefined) return Math.min(preset, longest, left);
  if (!(wanted > 0)) throw wish('it would have ended before it is made');
  if (wanted > longest) throw wish(`it may last ${showDuration(longest)} at most (setting token-max-ttl)`);
  if (wanted > left) throw wish('it would outlast the token that it is made with');
  return wanted;
}

function wish(problem: string): RfoError {
  return fail('access-token-wish', { problem });
}
