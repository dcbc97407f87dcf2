import * as z from 'zod/mini';
import { field, line, text } from './fields.ts';
import { defineKind } from './kind.ts';

export const authProviderKind = defineKind({
  kind: 'AuthProvider',
  plural: 'authproviders',
  description: 'Somebody outside who vouches for users.',
  spec: z.object({
    type: field(z.enum(['oidc', 'ldap', 'github']), 'How it is asked.', [
      { rule: 'self == oldSelf', message: 'the type of a provider never changes' },
    ]),
    displayName: field(line(), 'Its name on the page for signing in.'),
    enabled: field(z.boolean(), 'Whether users may sign in by it.'),
  }),
  columns: [
    { name: 'Type', path: '.spec.type' },
    { name: 'Display name', path: '.spec.displayName' },
    { name: 'Enabled', path: '.spec.enabled', type: 'boolean' },
  ],
});

export const settingKind = defineKind({
  kind: 'Setting',
  plural: 'settings',
  description: 'A setting of the manager as a whole, by its name.',
  spec: z.object({ value: field(text(131_072), 'Its value, as text.') }),
  columns: [{ name: 'Value', path: '.spec.value' }],
  rules: [
    {
      rule: "self.metadata.name != 'server-url' || (isURL(self.spec.value) && url(self.spec.value).getScheme() == 'https' && url(self.spec.value).getEscapedPath() in ['', '/'])",
      message: 'server-url has to be an https address without a path, such as https://rfo.example.com',
    },
  ],
});
