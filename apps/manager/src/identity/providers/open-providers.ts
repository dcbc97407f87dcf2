/** The providers that there are, each opened with the settings that it has now. */
import { type Clock, fail, type Life, type Log, toRfoError } from '@rfo/foundation';
import type { AuthProvider } from '@rfo/schema';
import type { Objects } from '../../objects/open-objects.ts';
import { createGithubProvider } from './github.ts';
import type { KeptSecrets } from './kept-secrets.ts';
import { createLdapProvider } from './ldap-provider.ts';
import { createOidcProvider } from './oidc.ts';
import type { OutsideProvider } from './provider-types.ts';

export type ProviderSpec = AuthProvider['spec'];

/** A provider that users may sign in by at this moment. */
export type OpenProvider = { readonly name: string; readonly spec: ProviderSpec; readonly ask: OutsideProvider };

export type Providers = {
  /** Undefined where there is none of the name, or it is not enabled. */
  readonly get: (name: string) => OpenProvider | undefined;
  readonly list: () => readonly OpenProvider[];
  /**
   * Tries settings without keeping them. @param secret undefined: it has none
   * @throws provider-settings, provider-unreachable
   */
  readonly check: (name: string, spec: ProviderSpec, secret: string | undefined, signal: AbortSignal) => Promise<void>;
};

type Parts = {
  readonly objects: Pick<Objects, 'authProviders'>;
  readonly secrets: Pick<KeptSecrets, 'ofProvider'>;
  readonly clock: Clock;
  readonly life: Life;
  readonly log: Log;
};

/** Opens what is asked for, and closes what has changed or is switched off; all of it ends with the life. */
export function createProviders(parts: Parts): Providers {
  const { objects, secrets, life } = parts;
  const opened = new Map<string, { readonly settings: string; readonly life: Life; readonly ask: OutsideProvider }>();

  const close = (name: string): void => {
    const was = opened.get(name);
    opened.delete(name);
    if (was !== undefined) void was.life.end(new Error('the provider was changed')).catch((error: unknown) => told(parts.log, name, error));
  };
  const get = (name: string): OpenProvider | undefined => {
    const object = objects.authProviders.get(name);
    if (object === undefined || !object.spec.enabled || object.metadata.deletionTimestamp !== undefined) return undefined;
    const { spec } = object;
    const settings = settingsText(object);
    const known = opened.get(name);
    if (known?.settings === settings) return { name, spec, ask: known.ask };
    close(name);
    const own = life.child();
    const ask = open(parts, { name, spec, secret: () => secrets.ofProvider(name), life: own });
    opened.set(name, { settings, life: own, ask });
    return { name, spec, ask };
  };
  life.defer(
    objects.authProviders.onChange((name, now) => {
      const known = opened.get(name);
      if (known === undefined) return;
      if (now === undefined || !now.spec.enabled || settingsText(now) !== known.settings) close(name);
    }),
  );
  return {
    get,
    list: () => objects.authProviders.list().flatMap(({ metadata }) => get(metadata.name) ?? []),
    check: async (name, spec, secret, signal) => {
      const own = life.child();
      try {
        await open(parts, { name, spec, secret: async () => secret, life: own }).check(AbortSignal.any([signal, own.signal]));
      } finally {
        await own.end(new Error('the settings are tried'));
      }
    },
  };
}

function open(
  { clock, log }: Pick<Parts, 'clock' | 'log'>,
  wanted: {
    readonly name: string;
    readonly spec: ProviderSpec;
    readonly secret: () => Promise<string | undefined>;
    readonly life: Life;
  },
): OutsideProvider {
  const { name, spec, secret, life } = wanted;
  const common = { name, secret, life };
  if (spec.type === 'oidc' && spec.oidc !== undefined) return createOidcProvider({ ...common, settings: spec.oidc, clock });
  if (spec.type === 'github' && spec.github !== undefined) return createGithubProvider({ ...common, settings: spec.github });
  if (spec.type === 'ldap' && spec.ldap !== undefined) return createLdapProvider({ ...common, settings: spec.ldap, log });
  // The definition of the kind refuses it.
  throw fail('provider-settings', { provider: name, problem: `it has no settings under ${spec.type}`, cure: `Give spec.${spec.type}` });
}

/** A new object of the same name is another provider. */
function settingsText({ metadata, spec: { type, oidc, github, ldap } }: AuthProvider): string {
  return JSON.stringify([metadata.uid, type, oidc, github, ldap]);
}

function told(log: Log, provider: string, error: unknown): void {
  log.warn('what a provider had open did not end well', { provider, error: toRfoError(error) });
}
