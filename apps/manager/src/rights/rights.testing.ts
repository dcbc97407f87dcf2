/** Objects and callers for tests, with everything that does not matter filled in. */
import type { GlobalRoleBinding, Project, RoleTemplate, User } from '@rfo/schema';
import type { Caller } from '../identity/caller.ts';
import { computePolicy, type Policy, type PolicyInput } from './policy.ts';
import type { PolicyRule } from './policy-rule.ts';

const apiVersion = 'rfo.io/v1alpha1';

export function testCaller(
  user: string,
  { groups = [], ...token }: { readonly groups?: readonly string[] } & Partial<Caller['token']> = {},
): Caller {
  return { user, username: user, groups, token: { id: 'test', kind: 'api', readOnly: false, ...token }, provider: 'local' };
}

/** @param members `user:alice=member` or `group:developers=viewer`; of several roles each is an entry */
export function testProject(
  name: string,
  members: readonly string[],
  places: Project['spec']['places'],
  rest: Partial<Project['spec']> = {},
): Project {
  return { apiVersion, kind: 'Project', metadata: { name }, spec: { members: members.map(testMember), places, ...rest } };
}

export function testBinding(name: string, role: string, subjects: readonly string[]): GlobalRoleBinding {
  return { apiVersion, kind: 'GlobalRoleBinding', metadata: { name }, spec: { role, subjects: subjects.map(testSubject) } };
}

export function testRole(
  name: string,
  spec: Partial<Omit<RoleTemplate['spec'], 'rules' | 'clusterRules'>> & { rules?: PolicyRule[]; clusterRules?: PolicyRule[] },
): RoleTemplate {
  const { rules = [], clusterRules = [], ...rest } = spec;
  return {
    apiVersion,
    kind: 'RoleTemplate',
    metadata: { name },
    spec: { scope: 'project', inherits: [], ...rest, rules: rules.map(wholeRule), clusterRules: clusterRules.map(wholeRule) },
  };
}

export function testUser(name: string, spec: Partial<User['spec']> = {}): User {
  return { apiVersion, kind: 'User', metadata: { name }, spec: { username: name, enabled: true, identities: [], groups: [], ...spec } };
}

export function testPolicy(input: Partial<PolicyInput>): Policy {
  return computePolicy({ roleTemplates: [], globalRoleBindings: [], projects: [], ...input });
}

function testMember(text: string): Project['spec']['members'][number] {
  const [subject = '', role = ''] = text.split('=');
  return { ...testSubject(subject), role };
}

function testSubject(text: string): { readonly kind: 'User' | 'Group'; readonly name: string } {
  const [kind, name = ''] = text.split(':');
  return { kind: kind === 'group' ? 'Group' : 'User', name };
}

function wholeRule({
  verbs,
  apiGroups = [],
  resources = [],
  resourceNames = [],
  nonResourceURLs = [],
}: PolicyRule): RoleTemplate['spec']['rules'][number] {
  return { verbs, apiGroups, resources, resourceNames, nonResourceURLs };
}
