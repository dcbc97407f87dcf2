/**
 * Asks providers again about those who hold a session or a token by them: who has left there is out here, and who has left a group has lost what it
 * gave. One replica does it; the others hear of it by the users' status.
 */
import { type Clock, type Life, type Log, sleep } from '@rfo/foundation';
import type { User } from '@rfo/schema';
import type { Objects } from '../../objects/open-objects.ts';
import type { KeptSecrets } from './kept-secrets.ts';
import type { OpenProvider, Providers } from './open-providers.ts';
import type { OutsideUsers } from './outside-users.ts';

type Parts = {
  readonly objects: Pick<Objects, 'users' | 'tokens' | 'authProviders'>;
  readonly providers: Providers;
  readonly users: Pick<OutsideUsers, 'note'>;
  readonly secrets: Pick<KeptSecrets, 'ofUser' | 'setOfProvider'>;
  readonly clock: Clock;
  readonly log: Log;
};

/** Milliseconds between two looks at who is due. */
const between = 10_000;
/** People asked about at the same time, of one provider. */
const atOnce = 4;

/** Goes on until the life ends. A provider that cannot be asked leaves everything as it is; sessions and tokens end at their time. */
export async function refreshOutside(parts: Parts, life: Life): Promise<void> {
  const { objects, providers } = parts;
  await tidy(parts, life.signal);
  let wake = Promise.withResolvers<void>();
  const changed = new Set<string>();
  life.defer(
    objects.authProviders.onChange((name, now, before) => {
      if (now === undefined || (before !== undefined && rulesOf(now) !== rulesOf(before))) changed.add(name);
      wake.resolve();
    }),
  );
  while (!life.signal.aborted) {
    const all = new Set(changed);
    changed.clear();
    if (all.size > 0) await tidy(parts, life.signal);
    await Promise.all(providers.list().map((provider) => refreshProvider(parts, { provider, all: all.has(provider.name), life })));
    await Promise.race([sleep(between, life.signal).catch(() => undefined), wake.promise]);
    wake = Promise.withResolvers<void>();
  }
}

async function refreshProvider(
  parts: Parts,
  { provider, all, life }: { readonly provider: OpenProvider; readonly all: boolean; readonly life: Life },
): Promise<void> {
  const due = dueUsers(parts, provider, all);
  const next = due.values();
  const work = async (): Promise<void> => {
    for (const user of next) {
      if (life.signal.aborted) return;
      await refreshUser(parts, { provider, user, life });
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
}

async function refreshUser(
  { users, secrets, log }: Parts,
  { provider, user, life }: { readonly provider: OpenProvider; readonly user: User; readonly life: Life },
): Promise<void> {
  const { name, ask } = provider;
  const id = user.spec.identities.find((identity) => identity.provider === name)?.id;
  if (id === undefined) return;
  try {
    const kept = await secrets.ofUser(user.metadata.name, name);
    const now = await ask.refresh(id, kept, life.signal);
    if (now !== 'unknown') await users.note(user, provider, now);
  } catch (error) {
    if (!life.signal.aborted)
      log.warn('a provider was not asked again about somebody', { provider: name, user: user.metadata.name, error });
  }
}

/** Users with a live token by the provider, of whom it has not said anything for so long. */
function dueUsers({ objects, clock }: Parts, { name, spec }: OpenProvider, all: boolean): readonly User[] {
  const before = clock.now() - spec.refreshSeconds * 1000;
  const holders = new Set(
    objects.tokens
      .list()
      .filter(({ spec: token }) => token.provider === name && Date.parse(token.expiresAt) > clock.now())
      .map(({ spec: token }) => token.user),
  );
  return [...holders].flatMap((holder) => {
    const user = objects.users.get(holder);
    const at = user?.status?.outside?.[name]?.checkedAt;
    return user?.spec.enabled === true && (all || at === undefined || Date.parse(at) <= before) ? [user] : [];
  });
}

/**
 * A provider that was deleted takes along what was opened by it, and who was who there: another one that gets its name must not find it.
 * What is left over from a replica that ended meanwhile is found as well.
 */
async function tidy({ objects, secrets, log }: Parts, signal: AbortSignal): Promise<void> {
  const there = new Set(['local', ...objects.authProviders.list().map(({ metadata }) => metadata.name)]);
  const gone = new Set<string>();
  const attempt = async (what: string, work: () => Promise<unknown>): Promise<void> => {
    await work().catch((error: unknown) => {
      if (!signal.aborted) log.warn('what is left of a provider is not removed yet', { what, error });
    });
  };
  for (const { metadata, spec } of objects.tokens.list()) {
    if (!there.has(spec.provider)) await attempt(`token ${metadata.name}`, () => objects.tokens.delete(metadata.name, { signal }));
  }
  for (const { metadata, spec, status } of objects.users.list()) {
    const { name } = metadata;
    const strange = spec.identities.filter(({ provider }) => !there.has(provider));
    for (const { provider } of strange) gone.add(provider);
    if (strange.length > 0) {
      const identities = spec.identities.filter(({ provider }) => there.has(provider));
      await attempt(`identities of ${name}`, () => objects.users.patch(name, { spec: { identities } }, { signal }));
    }
    const said = Object.keys(status?.outside ?? {}).filter((provider) => !there.has(provider));
    if (said.length > 0) {
      const outside = Object.fromEntries(said.map((provider) => [provider, null]));
      await attempt(`groups of ${name}`, () => objects.users.patchStatus(name, { outside }, { signal }));
    }
  }
  for (const provider of gone) await attempt(`secret of ${provider}`, () => secrets.setOfProvider(provider, undefined));
}

function rulesOf({ spec: { allowEverybody, allowedUsers, allowedGroups } }: { readonly spec: OpenProvider['spec'] }): string {
  return JSON.stringify([allowEverybody, allowedUsers, allowedGroups]);
}
