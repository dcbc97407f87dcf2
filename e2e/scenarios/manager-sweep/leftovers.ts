/** What users write must not steer the manager, and what was taken away must not come back under the same name. */
import assert from 'node:assert/strict';
import { eventually } from '../../harness/eventually.ts';
import type { ScenarioContext } from '../../harness/scenario.ts';
import type { Ask } from '../../tools/manager-requests.ts';
import type { Castle } from './castle.ts';

const door = '/k8s/clusters/local';
const rbac = `${door}/apis/rbac.authorization.k8s.io/v1/namespaces/shop/rolebindings`;

export async function checkLeftovers({ check, life }: ScenarioContext, castle: Castle): Promise<void> {
  const { requests, admin, member, memberName } = castle;
  const { ask, call, exchange } = requests;
  const binding = (metadata: object, subject: object) => ({
    ...{ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'RoleBinding', metadata: { namespace: 'shop', ...metadata } },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'rfo:owner' },
    subjects: [subject],
  });
  const group = (name: string) => ({ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name });

  await check('who gives roles in a namespace steers nothing of the manager by labels, names, owners or finalizers', async () => {
    const stranger = { kind: 'ServiceAccount', name: 'default', namespace: 'shop' };
    const tried = [
      binding({ name: 'rfo:project:shop:owner2' }, stranger),
      binding({ name: 'x', labels: { 'rfo.io/managed-by': 'manager' } }, stranger),
      binding({ name: 'x' }, group('rfo:project:other:owner')),
      binding({ name: 'x' }, group('rfo:users')),
      binding({ name: 'x' }, { apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'rfo:admin' }),
      {
        apiVersion: 'v1',
        kind: 'ResourceQuota',
        metadata: { name: 'rfo-project', namespace: 'shop', labels: { 'rfo.io/managed-by': 'manager' } },
      },
    ];
    const asks = tried.map(
      (object): Ask => ({
        ...{ method: 'POST', token: member, body: JSON.stringify(object) },
        path: object.kind === 'RoleBinding' ? rbac : `${door}/api/v1/namespaces/shop/resourcequotas`,
      }),
    );
    const ours: Ask = { path: `${rbac}/rfo:project:shop:owner`, token: member };
    const changes: Ask[] = [
      { ...ours, method: 'PATCH', body: JSON.stringify({ subjects: [stranger] }) },
      { ...ours, method: 'PATCH', body: JSON.stringify({ metadata: { labels: { 'rfo.io/managed-by': null } } }) },
      { ...ours, method: 'PATCH', body: JSON.stringify({ metadata: { finalizers: ['example.com/never'] } }) },
      {
        ...ours,
        method: 'PATCH',
        body: JSON.stringify({ metadata: { ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: 'hub', uid: 'x' }] } }),
      },
    ];
    const { answers } = await exchange({ asks: [...asks, ...changes] });
    const passed = answers.filter(({ status, body }) => status !== 403 && !(status === 422 && /belong to the manager/.test(body)));
    assert.deepEqual(passed, []);
  });
  await check('what somebody may delete is put back', async () => {
    const ours: Ask = { path: `${rbac}/rfo:project:shop:owner`, token: admin };
    const before = JSON.parse((await ask(ours)).body).metadata.uid as string;
    assert.equal((await ask({ ...ours, method: 'DELETE', token: member })).status, 200);
    const back = async (): Promise<true | undefined> => {
      const { status, body } = await ask(ours);
      return status === 200 && JSON.parse(body).metadata.uid !== before ? true : undefined;
    };
    await eventually('the binding to be put back', back, { signal: life.signal });
  });
  await check('a user of the same name is another one', async () => {
    const first = (await requests.users(admin, [{ username: 'trent' }])).get('trent') ?? assert.fail();
    const members = [
      { kind: 'User', name: memberName, role: 'owner' },
      { kind: 'User', name: first.name, role: 'member' },
    ];
    await call(admin, 'PATCH', '/projects/shop', { spec: { members } });
    await call(admin, 'POST', '/globalRoleBindings', {
      name: 'trent',
      spec: { role: 'auditor', subjects: [{ kind: 'User', name: first.name }] },
    });
    const pods: Ask = { path: `${door}/api/v1/namespaces/shop/pods` };
    const may = async (): Promise<true | undefined> => ((await ask({ ...pods, token: first.token })).status === 200 ? true : undefined);
    await eventually('the rights of the first', may, { signal: life.signal });
    await call(admin, 'DELETE', `/users/${first.name}`);
    const second = (await requests.users(admin, [{ username: 'trent' }])).get('trent') ?? assert.fail();
    assert.notEqual(second.name, first.name);
    const { answers } = await exchange({
      asks: [
        { ...pods, token: second.token },
        { path: '/api/v1/audit', token: second.token },
        { path: '/api/v1/projects/shop', token: second.token },
        { path: '/api/v1/self', token: first.token },
      ],
    });
    assert.deepEqual(
      answers.map(({ status }) => status),
      [403, 403, 403, 401],
    );
  });
  await check('a cluster of the same name is another one', async () => {
    await call(admin, 'POST', '/clusters', { name: 'twin' });
    await call(admin, 'POST', '/projects', {
      name: 'twins',
      spec: {
        members: [{ kind: 'User', name: memberName, role: 'member' }],
        places: [{ cluster: 'twin' }, { cluster: 'local', namespaces: ['twins'] }],
      },
    });
    assert.equal((await ask({ path: '/api/v1/clusters/twin', token: member })).status, 200);
    await call(admin, 'DELETE', '/clusters/twin');
    const gone = async (): Promise<true | undefined> =>
      (await ask({ path: '/api/v1/clusters/twin', token: admin })).status === 404 ? true : undefined;
    await eventually('the cluster to be forgotten', gone, { signal: life.signal });
    await call(admin, 'POST', '/clusters', { name: 'twin' });
    assert.equal((await ask({ path: '/api/v1/clusters/twin', token: member })).status, 403);
    const { spec } = await call(admin, 'GET', '/projects/twins');
    assert.deepEqual(spec.places, [{ cluster: 'local', namespaces: ['twins'] }]);
  });
  await check('a role in use cannot be removed and made anew with other rights', async () => {
    const rules = [{ apiGroups: [''], resources: ['configmaps'], verbs: ['get'] }];
    await call(admin, 'POST', '/roleTemplates', { name: 'reader', spec: { scope: 'project', rules } });
    await call(admin, 'PATCH', '/projects/twins', { spec: { members: [{ kind: 'User', name: memberName, role: 'reader' }] } });
    const { status, body } = await ask({ method: 'DELETE', path: '/api/v1/roleTemplates/reader', token: admin });
    assert.equal(status, 409);
    assert.match(body, /"role-in-use".*twins/);
  });
}
