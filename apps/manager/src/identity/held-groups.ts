/** Which groups somebody is in: those of the manager itself, and those that a provider has named, each with the provider's name before it. */
import type { User } from '@rfo/schema';

type Grouped = { readonly spec: Pick<User['spec'], 'groups'>; readonly status?: Pick<NonNullable<User['status']>, 'outside'> };

/**
 * The groups as they stand in roles and projects. What a provider names counts where that provider vouched.
 * @param provider who vouched for the user; without it all groups that any of them could bring, for whoever judges the whole account
 */
export function heldGroups({ spec, status }: Grouped, provider?: string): readonly string[] {
  const named = Object.entries(status?.outside ?? {})
    .filter(([name, { gone }]) => gone !== true && (provider === undefined || provider === name))
    .flatMap(([name, { groups }]) => groups.map((group) => outsideGroup(name, group)));
  return named.length === 0 ? spec.groups : [...new Set([...spec.groups, ...named])];
}

/** Names of providers hold no colon, so none can name a group of another. */
export function outsideGroup(provider: string, group: string): string {
  return `${provider}:${group}`;
}

/** Whether the provider has said that it does not vouch for the user any more. */
export function isGone({ status }: Pick<User, 'status'>, provider: string): boolean {
  return status?.outside?.[provider]?.gone === true;
}
