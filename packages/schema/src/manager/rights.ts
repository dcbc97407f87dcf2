import * as z from 'zod/mini';
import { conditions, field, line, listOf, mapList, optional, setOf, subdomain, text } from './fields.ts';
import { defineKind } from './kind.ts';

const words = (max: number, description: string) => listOf(line(256), description, max);

/** rbac/v1 PolicyRule. */
const policyRule = z.object({
  apiGroups: listOf(text(256), 'API groups; empty: the core group, *: all.', 64),
  resources: words(128, 'Resources by their plural, also with a subresource (pods/log); *: all.'),
  resourceNames: words(256, 'Only objects of these names.'),
  nonResourceURLs: words(64, 'Paths that are no resources.'),
  verbs: field(z.array(line(64)).check(z.minLength(1), z.maxLength(32)), 'What may be done; *: everything.'),
});

const permission = field(policyRule, 'One permission.', [
  {
    rule: 'self.nonResourceURLs.size() > 0 ? self.apiGroups.size() + self.resources.size() + self.resourceNames.size() == 0 : self.apiGroups.size() > 0 && self.resources.size() > 0',
    message: 'a rule names either apiGroups and resources, or nonResourceURLs',
  },
]);

export const roleTemplateKind = defineKind({
  kind: 'RoleTemplate',
  plural: 'roletemplates',
  description: 'A role: what those who have it may do, in every place where they have it.',
  spec: z.object({
    scope: field(z.enum(['global', 'project']), 'Given to a user for everything, or to a member of a project for its places.', [
      { rule: 'self == oldSelf', message: 'the scope of a role never changes' },
    ]),
    displayName: optional(line(), 'Its name for people.'),
    description: optional(text(4096), 'What it is for.'),
    rules: listOf(permission, 'What it permits.', 128),
    clusterRules: listOf(permission, 'What it permits beyond that where the place is a whole cluster, not single namespaces of it.', 128),
    inherits: setOf(subdomain(), 'Other roles of the same scope whose rules it has as well.', 32),
    locked: optional(z.boolean(), 'It cannot be given to anybody any more.'),
  }),
  status: z.object({ conditions: conditions() }),
  columns: [
    { name: 'Scope', path: '.spec.scope' },
    { name: 'Ready', path: '.status.conditions[?(@.type=="Ready")].status' },
    { name: 'Display name', path: '.spec.displayName' },
    { name: 'Locked', path: '.spec.locked', type: 'boolean', wide: true },
  ],
  rules: [{ rule: '!(self.metadata.name in self.spec.inherits)', message: 'a role cannot inherit itself' }],
});

/** Who a right is given to. */
const subject = {
  kind: field(z.enum(['User', 'Group']), 'What it is.'),
  name: field(line(512), 'metadata.name of the User, or the name of the group.'),
};

export const globalRoleBindingKind = defineKind({
  kind: 'GlobalRoleBinding',
  plural: 'globalrolebindings',
  shortNames: ['grb'],
  description: 'Gives a role of the scope global to users and groups.',
  spec: z.object({
    role: field(subdomain(), 'Name of the RoleTemplate.', [
      { rule: 'self == oldSelf', message: 'the role of a binding never changes: make another binding' },
    ]),
    subjects: mapList(z.object(subject), ['kind', 'name'], 'Who has it.', 1000),
  }),
  columns: [{ name: 'Role', path: '.spec.role' }],
});

export const projectMember = z.object({ ...subject, role: field(subdomain(), 'Name of a RoleTemplate of the scope project.') });
