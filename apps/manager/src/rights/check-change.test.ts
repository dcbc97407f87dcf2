import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Change, checkChange, checkEscalation, checkOver } from './check-change.ts';
import { testBinding, testCaller, testPolicy, testProject, testRole, testUser } from './rights.testing.ts';

const verbs = ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete'];
const manage = (...resources: string[]) => testRole('x', { scope: 'global', rules: [{ verbs, apiGroups: ['rfo.io'], resources }] }).spec;
const shop = testProject(
  'shop',
  ['user:olga=owner', 'user:max=member', 'user:maria=cluster-manager'],
  [{ cluster: 'east', namespaces: ['web'] }],
);
const input = {
  roleTemplates: [
    { ...testRole('clerk', {}), spec: manage('users', 'roletemplates', 'globalrolebindings', 'projects') },
    testRole('pods', { rules: [{ verbs: ['get'], apiGroups: [''], resources: ['pods'] }] }),
    testRole('old', { locked: true }),
  ],
  globalRoleBindings: [
    testBinding('admins', 'administrator', ['user:root', 'group:chiefs']),
    testBinding('clerks', 'clerk', ['user:karl']),
  ],
  projects: [shop],
};
const policy = testPolicy(input);
const caller = { root: testCaller('root'), karl: testCaller('karl'), olga: testCaller('olga'), max: testCaller('max') };

const passes = (who: ReturnType<typeof testCaller>, change: Change) => assert.doesNotThrow(() => checkChange(policy, who, change));
const refuses = (who: ReturnType<typeof testCaller>, change: Change, code: string, words: RegExp = /./) =>
  assert.throws(
    () => checkChange(policy, who, change),
    (error) => {
      assert.equal((error as { code?: string }).code, code);
      assert.match(String(error), words);
      return true;
    },
  );
const role = (name: string, spec: Parameters<typeof testRole>[1]) => ({ kind: 'RoleTemplate', after: testRole(name, spec) }) as const;

describe('who changes a role', () => {
  it('cannot put into it what he does not hold, not by inheriting either', () => {
    refuses(
      caller.karl,
      role('new', { rules: [{ verbs: ['get'], apiGroups: [''], resources: ['secrets'] }] }),
      'rights-escalation',
      /get secrets/,
    );
    refuses(caller.karl, role('new', { inherits: ['viewer'] }), 'rights-escalation');
    refuses(caller.karl, role('new', { clusterRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }] }), 'rights-escalation');
    passes(caller.karl, role('new', { scope: 'global', rules: [{ verbs: ['get'], apiGroups: ['rfo.io'], resources: ['users'] }] }));
    passes(caller.root, role('new', { inherits: ['owner'] }));
  });

  it('cannot make it inherit itself, inherit what is not there, or touch a built-in one', () => {
    refuses(caller.root, role('pods', { inherits: ['pods'] }), 'role-unusable', /inherits itself/);
    refuses(caller.root, role('new', { inherits: ['nowhere'] }), 'role-unusable');
    refuses(caller.root, role('viewer', {}), 'role-built-in');
    refuses(caller.root, { kind: 'RoleTemplate', before: testRole('administrator', {}) }, 'role-built-in');
  });

  it('cannot remove one that somebody has: it would come back with other rights under its name', () => {
    const own = testPolicy({ ...input, projects: [testProject('zoo', ['user:max=pods'], [])] });
    const before = testRole('pods', {});
    assert.throws(() => checkChange(own, caller.root, { kind: 'RoleTemplate', before }), {
      code: 'role-in-use',
      message: /members of the project zoo/,
    });
    assert.throws(() => checkChange(policy, caller.root, { kind: 'RoleTemplate', before: testRole('clerk', {}) }), {
      code: 'role-in-use',
      message: /the global role binding clerks/,
    });
    passes(caller.root, { kind: 'RoleTemplate', before });
  });

  it('cannot remove one that others inherit', () => {
    const own = testPolicy({ ...input, roleTemplates: [...input.roleTemplates, testRole('more', { inherits: ['pods'] })] });
    assert.throws(() => checkChange(own, caller.root, { kind: 'RoleTemplate', before: testRole('pods', {}) }), { code: 'role-in-use' });
    passes(caller.root, { kind: 'RoleTemplate', before: testRole('pods', {}) });
  });
});

describe('who binds a global role', () => {
  it('has to hold it himself', () => {
    refuses(caller.karl, { kind: 'GlobalRoleBinding', after: testBinding('b', 'administrator', ['user:karl']) }, 'rights-escalation');
    passes(caller.karl, { kind: 'GlobalRoleBinding', after: testBinding('b', 'clerk', ['user:max']) });
    passes(caller.root, { kind: 'GlobalRoleBinding', after: testBinding('b', 'auditor', ['user:max']) });
    const before = testBinding('admins', 'administrator', ['user:root', 'group:chiefs']);
    refuses(
      caller.karl,
      { kind: 'GlobalRoleBinding', before, after: testBinding('admins', 'administrator', ['user:root', 'group:chiefs', 'user:karl']) },
      'rights-escalation',
    );
  });

  it('cannot bind one of projects, one that is not there, or a locked one', () => {
    refuses(
      caller.root,
      { kind: 'GlobalRoleBinding', after: testBinding('b', 'member', ['user:max']) },
      'role-unusable',
      /scope is project/,
    );
    refuses(
      caller.root,
      { kind: 'GlobalRoleBinding', after: testBinding('b', 'nowhere', ['user:max']) },
      'role-unusable',
      /does not exist/,
    );
  });
});

describe('who changes a project', () => {
  const change = (members: readonly string[], rest: Partial<typeof shop.spec> = {}) =>
    ({
      kind: 'Project',
      before: shop,
      after: { ...shop, spec: { ...testProject('shop', members, shop.spec.places).spec, ...rest } },
    }) as const;
  const members = ['user:olga=owner', 'user:max=member', 'user:maria=cluster-manager'];

  it('can as an owner give the roles of the project, his own included', () => {
    for (const given of ['owner', 'cluster-manager', 'member', 'viewer', 'pods'])
      passes(caller.olga, change([...members, `user:new=${given}`]));
    passes(caller.olga, change(['user:olga=owner'], { displayName: 'Shop' }));
  });

  it('cannot as an owner say where the project is, how much it may use, or what is granted to it', () => {
    refuses(caller.olga, change(members, { places: [{ cluster: 'east' }] }), 'rights-needs-global', /places/);
    refuses(caller.olga, change(members, { quota: { hard: { pods: '1000' } } }), 'rights-needs-global', /quota/);
    refuses(caller.olga, change(members, { resources: [{ kind: 'Credential', name: 'aws' }] }), 'rights-needs-global');
    refuses(caller.olga, { kind: 'Project', after: testProject('own', ['user:olga=owner'], [{ cluster: 'west' }]) }, 'rights-needs-global');
  });

  it('cannot with a right over all projects give himself the clusters', () => {
    refuses(caller.karl, change([...members, 'user:karl=viewer']), 'rights-escalation');
    refuses(caller.karl, change(members, { places: [{ cluster: 'east', namespaces: ['web', 'kube-system'] }] }), 'rights-escalation');
    refuses(caller.karl, { kind: 'Project', after: testProject('own', ['user:karl=viewer'], [{ cluster: 'west' }]) }, 'rights-escalation');
    passes(caller.karl, { kind: 'Project', after: testProject('own', [], [{ cluster: 'west' }]) });
    passes(caller.karl, change(members, { quota: { hard: { pods: '10' } } }));
  });

  it('cannot give what is not more than his own only by its name', () => {
    const wild = testPolicy({
      ...input,
      roleTemplates: [testRole('wild', { rules: [{ verbs: ['*'], apiGroups: [''], resources: ['namespaces'] }] })],
    });
    assert.throws(() => checkChange(wild, caller.olga, change([...members, 'user:olga=wild'])), { code: 'rights-escalation' });
  });

  it('cannot give a locked role, a global one or none at all; who has the locked one keeps it', () => {
    refuses(caller.olga, change([...members, 'user:max=old']), 'role-unusable', /locked/);
    refuses(caller.olga, change([...members, 'user:max=administrator']), 'role-unusable', /scope is global/);
    refuses(caller.root, change([...members, 'user:max=nowhere']), 'role-unusable');
    const before = {
      ...shop,
      spec: { ...shop.spec, members: [...shop.spec.members, { kind: 'User', name: 'max', role: 'old' } as const] },
    };
    passes(caller.olga, { kind: 'Project', before, after: { ...before, spec: { ...before.spec, displayName: 'Shop' } } });
  });
});

describe('who changes a user', () => {
  it('cannot put him into a group that has more rights, nor touch one who has more', () => {
    const max = testUser('max');
    refuses(caller.karl, { kind: 'User', before: testUser('new'), after: testUser('new', { groups: ['chiefs'] }) }, 'rights-escalation');
    refuses(caller.karl, { kind: 'User', before: testUser('karl'), after: testUser('karl', { groups: ['chiefs'] }) }, 'rights-escalation');
    refuses(
      caller.karl,
      { kind: 'User', before: testUser('root'), after: testUser('root', { identities: [{ provider: 'local', id: 'karl' }] }) },
      'rights-escalation',
    );
    refuses(caller.karl, { kind: 'User', before: max, after: { ...max, spec: { ...max.spec, enabled: false } } }, 'rights-escalation');
    passes(caller.karl, { kind: 'User', before: testUser('new'), after: testUser('new', { groups: ['helpers'] }) });
    passes(caller.root, { kind: 'User', before: max, after: testUser('max', { groups: ['chiefs'] }) });
  });

  it('or acts on an account needs all of its rights', () => {
    assert.throws(() => checkOver(policy, caller.karl, { user: 'max', groups: [] }), { code: 'rights-escalation' });
    assert.throws(() => checkOver(policy, caller.karl, { user: 'new', groups: ['chiefs'] }), { code: 'rights-escalation' });
    assert.doesNotThrow(() => checkOver(policy, caller.olga, { user: 'max', groups: [] }));
    assert.doesNotThrow(() => checkOver(policy, caller.max, { user: 'max', groups: [] }));
  });
});

describe('rules that somebody wants to give', () => {
  const pods = [{ verbs: ['create'], apiGroups: [''], resources: ['pods/exec'] }];
  it('have to be his own, in the project that they are for', () => {
    assert.throws(() => checkEscalation(policy, caller.max, pods), { code: 'rights-escalation' });
    assert.doesNotThrow(() => checkEscalation(policy, caller.max, pods, { project: 'shop' }));
    assert.throws(() => checkEscalation(policy, caller.max, pods, { project: 'other' }), { code: 'rights-escalation' });
    assert.doesNotThrow(() => checkEscalation(policy, caller.root, [{ verbs: ['*'], nonResourceURLs: ['*'] }]));
  });
});
