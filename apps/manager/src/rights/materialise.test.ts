import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { silentLog } from '@rfo/foundation';
import type { KubeObject } from '@rfo/kube';
import { asked, eventually, managed, rbac, readyOf, startRights } from './materialise.testing.ts';
import { removeRights } from './remove-rights.ts';
import { testCaller, testProject, testRole } from './rights.testing.ts';

const { client, objects, rights, connect, judged, changed, as, end } = await startRights();
after(end);

before(async () => {
  const members = ['user:owner=owner', 'user:member=member', 'user:viewer=viewer'];
  await objects.projects.create(testProject('shop', members, [{ cluster: 'east', namespaces: ['web'] }]));
  assert.equal((await judged('shop')).status, 'True');
});

describe('the controller of rights', () => {
  const binding = (name: string, namespace: string) => ({ apiVersion: rbac, kind: 'RoleBinding', name, namespace });

  it('removes what is not wanted any more, and tells who lost it twice: at once and when the cluster has heard of it', async () => {
    await objects.projects.create(testProject('moving', ['user:mona=member'], [{ cluster: 'east', namespaces: ['db', 'other'] }]));
    await judged('moving');
    assert.ok(await client.find(binding('rfo:project:moving:member', 'other')));
    const told: { readonly lost: boolean; readonly there: Promise<unknown> }[] = [];
    const undo = rights.onChange((affected) => {
      told.push({ lost: affected(testCaller('mona')), there: client.find(binding('rfo:project:moving:member', 'other')) });
    });
    await objects.projects.patch('moving', { spec: { places: [{ cluster: 'east', namespaces: ['db'] }] } });
    // Without waiting for anything: the group is not given any more for a request there.
    assert.deepEqual(
      rights.in(testCaller('mona'), 'east', 'other')?.groups.filter((group) => group.includes('moving')),
      [],
    );
    await judged('moving');
    assert.ok(told.length >= 2, `${told.length} times`);
    assert.ok(told.every(({ lost }) => lost));
    assert.equal(await told.at(-1)?.there, undefined);
    undo();
    await objects.projects.delete('moving');
    await eventually(async () => assert.equal(await client.find(binding('rfo:project:moving:member', 'db')), undefined));
  });

  it('follows a role that becomes more or less, and removes it with the last who has it', async () => {
    const rule = (verbs: string[]) => ({ verbs, apiGroups: [''], resources: ['pods'], resourceNames: [], nonResourceURLs: [] });
    await objects.roleTemplates.create(testRole('podder', { rules: [rule(['get', 'list'])] }));
    await objects.projects.create(testProject('pods', ['user:pia=podder'], [{ cluster: 'east', namespaces: ['db'] }]));
    await judged('pods');
    const reached = as(testCaller('pia'), 'db');
    assert.ok(reached !== undefined);
    await eventually(async () => assert.equal(await asked(reached, 'list pods@db'), true));
    await objects.roleTemplates.patch('podder', { spec: { rules: [rule(['get'])] } });
    await eventually(async () => assert.equal(await asked(reached, 'list pods@db'), false));
    assert.equal(await asked(reached, 'get pods@db'), true);
    await objects.roleTemplates.patch('podder', { spec: { inherits: ['nowhere'] } });
    assert.equal(rights.in(testCaller('pia'), 'east'), undefined);
    const condition = await changed(objects.projects, () => {
      const found = readyOf(objects.projects.get('pods'));
      return found?.status === 'False' ? found : undefined;
    });
    assert.deepEqual([condition.reason, /"nowhere", which does not exist/.test(condition.message)], ['RoleUnusable', true]);
    await eventually(async () => assert.equal(await client.find({ apiVersion: rbac, kind: 'ClusterRole', name: 'rfo:podder' }), undefined));
    await objects.projects.delete('pods');
    await objects.roleTemplates.delete('podder');
  });

  it('binds in a namespace as soon as it exists', async () => {
    await objects.projects.create(testProject('late', ['user:lea=viewer'], [{ cluster: 'east', namespaces: ['later'] }]));
    const missing = await judged('late');
    assert.deepEqual([missing.reason, missing.message], ['NamespaceMissing', 'cluster east: there is no namespace later']);
    await client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'later' } });
    await judged('late', ({ status }) => status === 'True');
    assert.ok(await client.find(binding('rfo:project:late:viewer', 'later')));
  });

  it('gives a namespace to one project alone, and to the next when that one leaves', async () => {
    await objects.projects.create(testProject('zz-later', ['user:zoe=viewer'], [{ cluster: 'east', namespaces: ['later'] }]));
    const taken = await judged('zz-later');
    assert.deepEqual([taken.reason, taken.message], ['NamespaceTaken', 'namespace later of cluster east belongs to project late']);
    assert.equal(rights.in(testCaller('zoe'), 'east'), undefined);
    assert.equal(await client.find(binding('rfo:project:zz-later:viewer', 'later')), undefined);
    await objects.projects.delete('late');
    await judged('zz-later', ({ status }) => status === 'True');
    assert.ok(await client.find(binding('rfo:project:zz-later:viewer', 'later')));
    assert.equal(await client.find(binding('rfo:project:late:viewer', 'later')), undefined);
    await objects.projects.delete('zz-later');
  });

  it('puts back what was changed or removed in a namespace', async () => {
    const ref = binding('rfo:project:shop:viewer', 'web');
    await client.delete(ref);
    await eventually(async () => assert.ok(await client.find(ref)));
    await client.patch(ref, {
      subjects: [{ kind: 'User', name: 'eve', apiGroup: 'rbac.authorization.k8s.io' }],
      metadata: { labels: { own: 'x' } },
    });
    await eventually(async () => {
      const { subjects } = await client.get<KubeObject>(ref);
      assert.deepEqual(subjects, [{ kind: 'Group', name: 'rfo:project:shop:viewer', apiGroup: 'rbac.authorization.k8s.io' }]);
    });
    await client.patch(ref, { metadata: { labels: { 'rfo.io/managed-by': null } } });
    await eventually(async () => assert.equal((await client.get<KubeObject>(ref)).metadata.labels?.['rfo.io/managed-by'], 'manager'));
  });

  it('divides a quota among the namespaces of a project, and takes it away with it', async () => {
    await objects.projects.create(
      testProject('small', ['user:sam=member'], [{ cluster: 'east', namespaces: ['db', 'other'] }], {
        quota: { hard: { 'pods': '5', 'limits.cpu': '1' } },
      }),
    );
    assert.equal((await judged('small')).status, 'True');
    const hard = async (namespace: string) =>
      (await client.find<KubeObject>({ apiVersion: 'v1', kind: 'ResourceQuota', name: 'rfo-project', namespace }))?.spec;
    assert.deepEqual(await hard('db'), { hard: { 'pods': '3', 'limits.cpu': '500m' } });
    assert.deepEqual(await hard('other'), { hard: { 'pods': '2', 'limits.cpu': '500m' } });
    await objects.projects.patch('small', { spec: { quota: { hard: { 'limits.cpu': null, 'pods': '4' } } } });
    await judged('small');
    assert.deepEqual(await hard('db'), { hard: { pods: '2' } });
    await objects.projects.patch('small', { spec: { quota: null } });
    await judged('small');
    assert.equal(await hard('db'), undefined);
    await objects.projects.delete('small');
  });

  it('is led to nothing by labels and names of foreign objects', async () => {
    const labels = { 'rfo.io/managed-by': 'manager' };
    const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' };
    const foreign: readonly KubeObject[] = [
      { apiVersion: rbac, kind: 'RoleBinding', metadata: { name: 'mine', namespace: 'web', labels }, roleRef, subjects: [] },
      {
        apiVersion: rbac,
        kind: 'RoleBinding',
        metadata: { name: 'rfo:project:gone:viewer', namespace: 'web', labels },
        roleRef,
        subjects: [],
      },
      {
        apiVersion: rbac,
        kind: 'RoleBinding',
        metadata: { name: 'rfo:project:trap:viewer', namespace: 'db', labels },
        roleRef,
        subjects: [],
      },
      { apiVersion: rbac, kind: 'ClusterRole', metadata: { name: 'mine', labels }, rules: [] },
      { apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'mine', namespace: 'web', labels }, spec: { hard: { pods: '1' } } },
    ];
    for (const object of foreign) await client.create(object);
    await objects.projects.create(testProject('trap', ['user:tom=viewer', 'user:tom=member'], [{ cluster: 'east', namespaces: ['db'] }]));
    const taken = await judged('trap');
    assert.deepEqual(
      [taken.reason, taken.message],
      ['NameTaken', 'cluster east: RoleBinding db/rfo:project:trap:viewer is not of the manager'],
    );
    // What is beside it is done nevertheless.
    assert.ok(await client.find(binding('rfo:project:trap:member', 'db')));
    for (const { apiVersion, kind, metadata, ...rest } of foreign) {
      const found = await client.find<KubeObject>({
        apiVersion,
        kind,
        name: metadata.name,
        ...(metadata.namespace && { namespace: metadata.namespace }),
      });
      for (const [field, value] of Object.entries(rest)) {
        const kept = Array.isArray(value) && value.length === 0 ? (found?.[field] ?? []) : found?.[field];
        assert.deepEqual(kept, value, `${kind} ${metadata.name}`);
      }
    }
    await client.delete(binding('rfo:project:trap:viewer', 'db'));
    await judged('trap', ({ status }) => status === 'True');
    await objects.projects.delete('trap');
  });

  it('lets nobody who gives roles in a namespace give them to people of the manager', async () => {
    const owner = as(testCaller('owner'), 'web');
    assert.ok(owner !== undefined);
    const give = (name: string, subject: { kind: string; name: string; namespace?: string }, rest = {}) =>
      owner.create({
        apiVersion: rbac,
        kind: 'RoleBinding',
        metadata: { name, namespace: 'web', ...rest },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'rfo:member' },
        subjects: [subject.kind === 'ServiceAccount' ? subject : { ...subject, apiGroup: 'rbac.authorization.k8s.io' }],
      } as KubeObject);
    let attempt = 0;
    // The API server learns of the policy a moment after it is made.
    await eventually(async () => {
      attempt += 1;
      await assert.rejects(give(`stay-${attempt}`, { kind: 'User', name: 'rfo:owner' }), /belong to the manager/);
    });
    await assert.rejects(give('stay', { kind: 'Group', name: 'rfo:project:fleet:member' }), /belong to the manager/);
    await assert.rejects(give('rfo:project:x:member', { kind: 'User', name: 'jane' }), /belong to the manager/);
    await assert.rejects(
      give('stay', { kind: 'User', name: 'jane' }, { labels: { 'rfo.io/managed-by': 'manager' } }),
      /belong to the manager/,
    );
    await assert.rejects(
      owner.patch(binding('rfo:project:shop:viewer', 'web'), { metadata: { labels: { 'rfo.io/managed-by': null } } }),
      /belong to the manager/,
    );
    await give('deployer', { kind: 'ServiceAccount', name: 'deployer', namespace: 'web' });
    const { status } = await owner.raw({
      method: 'POST',
      path: `/apis/${rbac}/namespaces/web/rolebindings`,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        metadata: { generateName: 'any-' },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'rfo:viewer' },
        subjects: [],
      }),
    });
    assert.equal(status, 201);
  });

  it('tells a cluster that was away what it missed, and what of a project is not in force meanwhile', async () => {
    connect(false);
    await objects.projects.create(testProject('far', ['user:finn=viewer'], [{ cluster: 'east' }, { cluster: 'nowhere' }]));
    const condition = await judged('far');
    assert.deepEqual(
      [condition.reason, condition.message],
      ['ClusterAway', 'cluster east is away: it will be told when it is back; there is no cluster nowhere'],
    );
    connect(true);
    await judged('far', ({ reason }) => reason === 'ClusterUnknown');
    assert.ok(await client.find({ apiVersion: rbac, kind: 'ClusterRoleBinding', name: 'rfo:project:far:viewer' }));
  });

  it('puts right a built-in role that somebody changed', async () => {
    const before = objects.roleTemplates.get('viewer');
    await objects.roleTemplates.patch('viewer', {
      spec: { rules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }], displayName: 'Everything' },
    });
    await changed(objects.roleTemplates, () => (objects.roleTemplates.get('viewer')?.spec.displayName === 'Viewer' ? true : undefined));
    assert.deepEqual(objects.roleTemplates.get('viewer')?.spec, before?.spec);
    await objects.roleTemplates.delete('auditor');
    await changed(objects.roleTemplates, () => objects.roleTemplates.get('auditor'));
  });

  it('takes everything away from a cluster that is being removed', async () => {
    await objects.clusters.patchStatus('east', { phase: 'Removing' });
    await removeRights({ client, signal: AbortSignal.timeout(90_000), log: silentLog });
    await eventually(async () => {
      const kinds = [
        ...['ClusterRole', 'ClusterRoleBinding', 'RoleBinding'].map((kind) => ({ apiVersion: rbac, kind })),
        { apiVersion: 'admissionregistration.k8s.io/v1', kind: 'ValidatingAdmissionPolicy' },
        { apiVersion: 'admissionregistration.k8s.io/v1', kind: 'ValidatingAdmissionPolicyBinding' },
      ];
      const left = (await Promise.all(kinds.map((kind) => client.list(kind, { labelSelector: managed })))).flatMap(({ items }) => items);
      assert.deepEqual(left.map(({ metadata }) => metadata.name).sort(), ['mine', 'mine', 'rfo:project:gone:viewer']);
    });
  });
});
