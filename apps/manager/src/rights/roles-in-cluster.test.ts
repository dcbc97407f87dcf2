import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { retry } from '@rfo/foundation';
import { apiStatus, type KubeObject } from '@rfo/kube';
import fc from 'fast-check';
import { asked, eventually, managed, rbac, readyOf, startRights } from './materialise.testing.ts';
import { allows, missingPermissions, type PolicyRule } from './policy-rule.ts';
import { testBinding, testCaller, testProject } from './rights.testing.ts';

const { client, objects, judged, changed, as, asUser, end } = await startRights();
after(end);

describe('roles in a real cluster', () => {
  // Y: allowed. Global roles, then those of a project over the namespace web, then the same of one over the whole cluster.
  const columns = [
    'administrator',
    'auditor',
    'user',
    'owner',
    'cluster-manager',
    'member',
    'viewer',
    'whole owner',
    'whole cluster-manager',
    'whole member',
    'whole viewer',
  ];
  const table = `
    get pods@web                         YY.YYYYYYYY
    get pods/log@web                     YY.YYYYYYYY
    create pods@web                      Y..YYY.YYY.
    create pods/exec@web                 Y..YYY.YYY.
    get pods/portforward@web             Y..YYY.YYY.
    update deployments.apps@web          Y..YYY.YYY.
    get secrets@web                      Y..YYY.YYY.
    get configmaps@web                   YY.YYYYYYYY
    create rolebindings.rbac.authorization.k8s.io@web  Y..YY..YY..
    bind clusterroles.rbac.authorization.k8s.io        Y......YY..
    impersonate serviceaccounts@web      Y......YY..
    update resourcequotas@web            Y......YY..
    get resourcequotas@web               YY.YYYYYYYY
    get namespaces@web                   YY.YYYYYYYY
    update namespaces@web                Y......YY..
    delete namespaces@web                Y......YY..
    get pods@other                       YY.....YYYY
    create pods@other                    Y......YYY.
    get secrets@kube-system              Y......YYY.
    list pods                            YY.....YYYY
    list secrets                         Y......YYY.
    create namespaces                    Y......YY..
    list nodes                           YY.....YYYY
    update nodes                         Y......YY..
    get nodes/proxy                      Y......YY..
    create clusterroles.rbac.authorization.k8s.io      Y......YY..
    create customresourcedefinitions.apiextensions.k8s.io  Y......YY..
    update projects.rfo.io               Y......YY..
    list tokens.rfo.io                   Y......YY..
    get /metrics                         Y......YY..
    get /version                         YY.YYYYYYYY
  `;

  it('give exactly what the table says, in their places and nowhere else', async () => {
    const members = ['owner', 'cluster-manager', 'member', 'viewer'];
    await objects.projects.create(
      testProject(
        'shop',
        members.map((role) => `user:${role}=${role}`),
        [{ cluster: 'east', namespaces: ['web'] }],
      ),
    );
    await objects.projects.create(
      testProject(
        'fleet',
        members.map((role) => `user:whole-${role}=${role}`),
        [{ cluster: 'east' }],
      ),
    );
    await objects.globalRoleBindings.create(testBinding('admins', 'administrator', ['user:administrator']));
    await objects.globalRoleBindings.create(testBinding('auditors', 'auditor', ['group:revision']));
    assert.equal((await judged('shop')).status, 'True');
    assert.equal((await judged('fleet')).status, 'True');
    await changed(objects.roleTemplates, () => (readyOf(objects.roleTemplates.get('auditor'))?.status === 'True' ? true : undefined));

    const callers = columns.map((column) => testCaller(column.replace(' ', '-'), column === 'auditor' ? { groups: ['revision'] } : {}));
    // Somebody who may not enter has no one to ask as.
    const doors = callers.map((caller) => as(caller));
    assert.deepEqual(
      columns.filter((_, index) => doors[index] === undefined),
      ['user'],
    );
    const rows = table
      .trim()
      .split('\n')
      .map((row) => row.trim().split(/\s{2,}/));
    // The authorizer learns of bindings a moment after they are made.
    await eventually(async () => {
      const answers = await Promise.all(
        rows.map(async ([question = '']) => {
          const row = await Promise.all(doors.map((door) => (door === undefined ? false : asked(door, question))));
          return [question, row.map((allowed) => (allowed ? 'Y' : '.')).join('')];
        }),
      );
      assert.deepEqual(answers, rows);
    });
  });

  it('are what a request with the groups of its namespace gets', async () => {
    const member = as(testCaller('member'), 'web');
    const elsewhere = as(testCaller('member'), 'other');
    assert.ok(member !== undefined && elsewhere !== undefined);
    const map = (namespace: string) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace, name: 'made' } });
    assert.equal((await member.create<KubeObject>(map('web'))).metadata.namespace, 'web');
    for (const [reached, namespace] of [
      [member, 'other'],
      [elsewhere, 'web'],
      [elsewhere, 'other'],
    ] as const) {
      await assert.rejects(reached.create(map(namespace)), (error) => apiStatus(error)?.status === 403);
    }
  });

  it('take as many objects as there are roles, and none of a user', async () => {
    const all = await Promise.all(
      ['ClusterRole', 'ClusterRoleBinding', 'RoleBinding'].map((kind) =>
        client.list({ apiVersion: rbac, kind }, { labelSelector: managed }),
      ),
    );
    const names = all.map(({ items }) =>
      items.map(({ metadata }) => (metadata.namespace ? `${metadata.namespace}/` : '') + metadata.name).sort(),
    );
    const roles = ['cluster-manager', 'member', 'owner', 'viewer'];
    assert.deepEqual(names, [
      [
        'rfo:administrator',
        'rfo:auditor',
        'rfo:cluster-manager',
        'rfo:cluster-manager:cluster',
        'rfo:member',
        'rfo:member:cluster',
        'rfo:owner',
        'rfo:owner:cluster',
        'rfo:viewer',
        'rfo:viewer:cluster',
      ],
      [...roles.map((role) => `rfo:project:fleet:${role}`), 'rfo:role:administrator', 'rfo:role:auditor'],
      roles.map((role) => `web/rfo:project:shop:${role}`),
    ]);
  });
});

describe('the check against escalation', () => {
  it('decides as that of the API server', async () => {
    const probe = async (name: string, owned: readonly PolicyRule[], wanted: readonly PolicyRule[]): Promise<boolean> => {
      const writer = [{ verbs: ['create'], apiGroups: ['rbac.authorization.k8s.io'], resources: ['clusterroles'] }];
      await client.create({ apiVersion: rbac, kind: 'ClusterRole', metadata: { name }, rules: [...owned, ...writer] });
      await client.create({
        apiVersion: rbac,
        kind: 'ClusterRoleBinding',
        metadata: { name },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
        subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name }],
      });
      const reached = asUser(name);
      const attempt = () =>
        reached.create({ apiVersion: rbac, kind: 'ClusterRole', metadata: { name: `${name}-wanted` }, rules: wanted }).then(
          () => true,
          (error: unknown) => {
            const { message = '' } = apiStatus(error) ?? {};
            if (/attempting to grant RBAC permissions not currently held/.test(message)) return false;
            throw error;
          },
        );
      // The authorizer learns of a binding a moment after it is made.
      return await retry(attempt, { initial: 20, max: 200, signal: AbortSignal.timeout(90_000) });
    };
    const some = (...values: string[]) => fc.subarray(values, { minLength: 1, maxLength: 2 });
    const rule: fc.Arbitrary<PolicyRule> = fc.oneof(
      {
        weight: 4,
        arbitrary: fc.record({
          verbs: some('get', 'create', '*'),
          apiGroups: some('', 'apps', '*'),
          resources: some('pods', 'pods/exec', '*/exec', '*'),
          resourceNames: fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: some('a', 'b') }),
        }),
      },
      { weight: 1, arbitrary: fc.record({ verbs: some('get', '*'), nonResourceURLs: some('/metrics', '/metrics/*', '/metr*', '*') }) },
    );
    const escalate = { verb: 'escalate', group: 'rbac.authorization.k8s.io', resource: 'clusterroles' };
    const pairs = fc.sample(fc.tuple(fc.array(rule, { minLength: 1, maxLength: 5 }), rule), 40);
    const answers = await Promise.all(
      pairs.map(async ([owned, wanted], index) => ({
        owned,
        wanted,
        allowed: await probe(`probe-${index}`, owned, [wanted]),
        // Who may escalate need not hold anything.
        expected: missingPermissions(owned, [wanted]).length === 0 || allows(owned, escalate),
      })),
    );
    for (const { owned, wanted, allowed, expected } of answers) assert.equal(allowed, expected, JSON.stringify({ owned, wanted }));
  });
});
