import * as z from 'zod/mini';
import { ldapRules, ldapSettings } from './auth-provider-ldap.ts';
import { githubSettings, oidcSettings } from './auth-provider-oidc.ts';
import { count, field, line, optional, setOf } from './fields.ts';
import { defineKind } from './kind.ts';

export const authProviderKind = defineKind({
  kind: 'AuthProvider',
  plural: 'authproviders',
  description:
    'Somebody outside who vouches for users. Its secret stands in the Secret rfo-auth-provider-<name>; its groups are <name>:<group> in roles and projects.',
  spec: z.object({
    type: field(z.enum(['oidc', 'ldap', 'github']), 'How it is asked.', [
      { rule: 'self == oldSelf', message: 'the type of a provider never changes' },
    ]),
    displayName: field(line(), 'Its name on the page for signing in.'),
    enabled: field(z.boolean(), 'Whether users may sign in by it.'),
    allowEverybody: field(z._default(z.boolean(), false), 'Everybody whom it vouches for may sign in, not only those named below.'),
    allowedUsers: setOf(line(512), 'Users who may sign in, by their names or ids there.', 1000),
    allowedGroups: setOf(line(256), 'Groups whose members may sign in, by their names there.', 1000),
    refreshSeconds: field(
      z._default(count(30), 300),
      'Seconds after which it is asked again about those who have a session or a token, where it can be asked.',
    ),
    ldap: field(z.exactOptional(ldapSettings), 'Of the type ldap.', ldapRules),
    oidc: optional(oidcSettings, 'Of the type oidc.'),
    github: optional(githubSettings, 'Of the type github.'),
  }),
  columns: [
    { name: 'Type', path: '.spec.type' },
    { name: 'Display name', path: '.spec.displayName' },
    { name: 'Enabled', path: '.spec.enabled', type: 'boolean' },
  ],
  rules: [
    {
      rule: "!(self.metadata.name in ['local', 'rfo', 'system'])",
      message: 'local, rfo and system cannot be names of providers: groups of theirs would look like others',
    },
    {
      rule: "has(self.spec.ldap) == (self.spec.type == 'ldap') && has(self.spec.oidc) == (self.spec.type == 'oidc') && has(self.spec.github) == (self.spec.type == 'github')",
      message: 'a provider has the settings of its type, under the name of the type, and no others',
    },
  ],
});
