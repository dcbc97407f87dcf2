/** What the settings of a directory come to: presets filled in, filters read. Decides only. */
import { fail } from '@rfo/foundation';
import type { AuthProvider } from '@rfo/schema';
import { type Filter, FilterParser } from 'ldapts';

export type LdapSettings = NonNullable<AuthProvider['spec']['ldap']>;

export type Scope = 'sub' | 'one';
export type Place = { readonly base: string; readonly scope: Scope; readonly filter: Filter; readonly filterText: string };

export type Plan = {
  readonly users: Place;
  readonly groups: Place | undefined;
  readonly attributes: Attributes;
  readonly membership: 'member' | 'memberOf' | 'memberUid';
  readonly nested: 'none' | 'walk' | 'in-chain';
};

export type Attributes = {
  readonly userId: string;
  readonly username: string;
  readonly displayName: string;
  readonly email: string;
  readonly memberOf: string;
  readonly groupId: string;
  readonly groupName: string;
  /** A DN in any of them is a member. */
  readonly member: readonly string[];
  readonly memberUid: string;
};

type Preset = Pick<Plan, 'attributes' | 'membership' | 'nested'> & { readonly userFilter: string; readonly groupFilter: string };

/** Of RFC 2798, RFC 4519 and RFC 2307. */
const openldap: Preset = {
  attributes: {
    userId: 'entryUUID',
    username: 'uid',
    displayName: 'cn',
    email: 'mail',
    memberOf: 'memberOf',
    groupId: 'entryUUID',
    groupName: 'cn',
    member: ['member', 'uniqueMember'],
    memberUid: 'memberUid',
  },
  userFilter: '(|(objectClass=person)(objectClass=account))',
  groupFilter: '(|(objectClass=groupOfNames)(objectClass=groupOfUniqueNames)(objectClass=posixGroup))',
  membership: 'member',
  nested: 'walk',
};

const presets: Readonly<Record<LdapSettings['preset'], Preset>> = {
  openldap,
  // sAMAccountName is one of a kind in a domain; cn is not.
  'active-directory': {
    attributes: {
      ...openldap.attributes,
      userId: 'objectGUID',
      username: 'sAMAccountName',
      displayName: 'displayName',
      groupId: 'objectGUID',
      groupName: 'sAMAccountName',
      member: ['member'],
    },
    userFilter: '(&(objectCategory=person)(objectClass=user))',
    groupFilter: '(objectClass=group)',
    membership: 'member',
    nested: 'in-chain',
  },
  // Its memberOf names the groups of groups as well.
  'freeipa': {
    attributes: { ...openldap.attributes, userId: 'ipaUniqueID', groupId: 'ipaUniqueID', member: ['member'] },
    userFilter: '(objectClass=inetOrgPerson)',
    groupFilter: '(objectClass=ipaUserGroup)',
    membership: 'memberOf',
    nested: 'none',
  },
};

/** Throws ldap-filter-invalid. */
export function planOf(settings: LdapSettings): Plan {
  const preset = presets[settings.preset];
  const { userBase, userScope = 'sub', userFilter = preset.userFilter } = settings;
  const { groupBase, groupScope = 'sub', groupFilter = preset.groupFilter } = settings;
  const { member, ...names } = settings.attributes ?? {};
  const membership = settings.membership ?? preset.membership;
  return {
    users: { base: userBase, scope: userScope, filter: parse('userFilter', userFilter), filterText: userFilter },
    groups:
      groupBase === undefined
        ? undefined
        : { base: groupBase, scope: groupScope, filter: parse('groupFilter', groupFilter), filterText: groupFilter },
    attributes: { ...preset.attributes, ...names, member: member === undefined ? preset.attributes.member : [member] },
    membership,
    nested: settings.nested ?? (membership === preset.membership ? preset.nested : usualNesting[membership]),
  };
}

/** Where another way to find groups is chosen than that of the preset. */
const usualNesting = { member: 'walk', memberOf: 'walk', memberUid: 'none' } as const;

function parse(what: string, text: string): Filter {
  try {
    return FilterParser.parseString(text.trim());
  } catch (error) {
    throw fail('ldap-filter-invalid', { what: `${what} ${text}`, problem: error instanceof Error ? error.message : String(error) }, error);
  }
}
