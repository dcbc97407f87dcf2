import * as z from 'zod/mini';
import { field, line, mapList, optional, setOf, subdomain, time } from './fields.ts';
import { defineKind } from './kind.ts';

export const userKind = defineKind({
  kind: 'User',
  plural: 'users',
  description: 'Somebody who may sign in. Rights are given to its name, which never changes; clusters know it as rfo:<name>.',
  spec: z.object({
    username: field(
      z.string().check(z.minLength(1), z.maxLength(128), z.regex(/^[\p{L}\p{N}][\p{L}\p{M}\p{N}._@+-]*$/u)),
      'What is typed to sign in; no two users may have the same, whatever the case of its letters.',
    ),
    displayName: optional(line(), 'The name for people.'),
    email: optional(z.string().check(z.maxLength(254), z.regex(/^[^\s@]+@[^\s@]+$/)), 'Mail address.'),
    enabled: field(z.boolean(), 'Whether it may sign in. Once it may not, everything it has open ends.'),
    identities: mapList(
      z.object({
        provider: field(subdomain(), 'Name of the AuthProvider, or local.'),
        id: field(line(512), 'Who it is there.'),
      }),
      ['provider', 'id'],
      'Who it is to the providers that vouch for it.',
      16,
    ),
    groups: setOf(line(), 'Groups of the manager itself that it is in.'),
  }),
  status: z.object({
    lastLogin: optional(time(), 'When it signed in last.'),
    outside: optional(
      z.record(
        z.string(),
        z.object({
          groups: setOf(line(256), 'Groups that it is in there; here they are <provider>:<group>.', 2000),
          checkedAt: field(time(), 'When the provider said so.'),
          gone: optional(z.boolean(), 'The provider vouches for it no longer, or it is not among those who may sign in.'),
        }),
      ),
      'What providers outside said of it last, by their names.',
    ),
  }),
  columns: [
    { name: 'Username', path: '.spec.username' },
    { name: 'Enabled', path: '.spec.enabled', type: 'boolean' },
    { name: 'Last login', path: '.status.lastLogin', type: 'date' },
    { name: 'Display name', path: '.spec.displayName', wide: true },
    { name: 'Email', path: '.spec.email', wide: true },
  ],
  selectable: ['.spec.username'],
});
