// The settings of a directory that people sign in by: LDAP (RFC 4511), Active Directory.
import * as z from 'zod/mini';
import { type CelRule, field, line, listOf, optional, text } from './fields.ts';

/** Host or host:port; an IPv6 address stands in brackets. */
const server = () =>
  z
    .string()
    .check(z.minLength(1), z.maxLength(261), z.regex(/^([A-Za-z0-9]([-.A-Za-z0-9]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?$/));
const attribute = () => z.string().check(z.minLength(1), z.maxLength(128), z.regex(/^[A-Za-z][-A-Za-z0-9]*$/));
const seconds = (most: number) => z.int32().check(z.minimum(1), z.maximum(most));
const scope = () => z.enum(['sub', 'one']);

/** LDAP v3, https://www.rfc-editor.org/rfc/rfc4511. What is left out is as in the preset. */
export const ldapSettings = z.object({
  servers: listOf(server(), 'Its servers, as host or host:port; the next is asked where one does not answer.', 8),
  security: field(
    z._default(z.enum(['tls', 'start-tls', 'plain']), 'tls'),
    'TLS from the first byte (port 636), StartTLS (389), or neither: then every password crosses the network readably.',
  ),
  caBundle: optional(text(131_072), 'The CAs that its certificate may be of, in PEM; without it, those of the host.'),
  preset: field(
    z._default(z.enum(['openldap', 'active-directory', 'freeipa']), 'openldap'),
    'What it is: names of attributes, filters, and how groups are found.',
  ),
  bindDn: optional(
    z.string().check(z.maxLength(512), z.regex(/^\P{Cc}*[=@\\]\P{Cc}*$/u)),
    'Who the manager is there while it searches: a DN, user@domain or DOMAIN\\user; without it, nobody (anonymous).',
  ),
  userBase: field(line(512), 'DN below which the users are.'),
  userScope: optional(scope(), 'How deep: all below it (sub, unless given), or directly (one).'),
  userFilter: optional(line(2048), 'Filter (RFC 4515) that users match beside their name.'),
  groupBase: optional(line(512), 'DN below which the groups are; without it, nobody is in one.'),
  groupScope: optional(scope(), 'How deep: all below it (sub, unless given), or directly (one).'),
  groupFilter: optional(line(2048), 'Filter (RFC 4515) that groups match.'),
  attributes: optional(
    z.object({
      userId: optional(attribute(), 'Of users: what never changes, not even with the name.'),
      username: optional(attribute(), 'Of users: what is typed to sign in.'),
      displayName: optional(attribute(), 'Of users: the name for people.'),
      email: optional(attribute(), 'Of users: mail address.'),
      memberOf: optional(attribute(), 'Of users and groups: DNs of the groups that it is in.'),
      groupId: optional(attribute(), 'Of groups: what never changes.'),
      groupName: optional(attribute(), 'Of groups: the name; no two may have the same.'),
      member: optional(attribute(), 'Of groups: DNs of the members.'),
      memberUid: optional(attribute(), 'Of groups: user names of the members.'),
    }),
    'Names of attributes where they differ from the preset.',
  ),
  membership: optional(
    z.enum(['member', 'memberOf', 'memberUid']),
    'Which attribute tells who is in a group: member and memberUid of groups, or memberOf of users.',
  ),
  nested: optional(
    z.enum(['none', 'walk', 'in-chain']),
    'Groups in groups: not at all, asked for level by level, or by the rule 1.2.840.113556.1.4.1941 that Active Directory has.',
  ),
  connectTimeoutSeconds: field(z._default(seconds(60), 5), 'Until the next server is tried.'),
  timeoutSeconds: field(z._default(seconds(120), 10), 'Within which each request has to be answered.'),
});

/** Rules over `spec.ldap`, for the kind that holds it. */
export const ldapRules: readonly CelRule[] = [
  { rule: 'self.servers.size() > 0', message: 'a directory needs at least one server' },
  {
    rule: "!has(self.nested) || self.nested == 'none' || !has(self.membership) || self.membership == 'member' || (self.nested == 'walk' && self.membership == 'memberOf')",
    message: 'groups in groups are asked for level by level by member or memberOf, and in-chain by member alone',
  },
];
