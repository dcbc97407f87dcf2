// The REST interface over a real API server: objects, conflicts, secrets, audit, document.
import assert from 'node:assert/strict';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { type Answer, type ApiLab, authority, type Json, serverUrl, startApiLab, type Wish } from './api.testing.ts';

let lab: ApiLab;
before(async () => {
  lab = await startApiLab();
  for (const name of ['bern', 'rome']) await done({ method: 'POST', path: '/clusters', body: { name } });
});
after(() => lab?.stop());

const asAdmin = (wish: Omit<Wish, 'token'>): Promise<Answer> => lab.ask({ ...wish, token: lab.admin });

async function done(wish: Omit<Wish, 'token'>): Promise<Json> {
  const answer = await asAdmin(wish);
  assert.ok(answer.status < 300, `${wish.method ?? 'GET'} ${wish.path}: ${answer.text}`);
  return answer.json;
}

async function refused(wish: Wish, status: number, code: string): Promise<Json> {
  const answer = await lab.ask({ token: lab.admin, ...wish });
  assert.deepEqual([answer.status, answer.json.code], [status, code], answer.text);
  assert.deepEqual(Object.keys(answer.json).sort(), ['code', 'cure', 'message']);
  return answer.json;
}

test('a project is made, read, listed, changed by a merge patch, and deleted', async () => {
  const spec = {
    displayName: 'Shop',
    members: [{ kind: 'User', name: 'admin', role: 'owner' }],
    places: [{ cluster: 'bern', namespaces: ['shop'] }],
  };
  const made = await done({ method: 'POST', path: '/projects', body: { name: 'shop', labels: { tier: 'prod' }, spec } });
  assert.deepEqual([made.name, made.labels, made.spec], ['shop', { tier: 'prod' }, spec]);
  assert.deepEqual(await done({ path: '/projects/shop' }), made);
  const changed = await done({
    method: 'PATCH',
    path: '/projects/shop',
    body: { labels: { tier: null, team: 'a' }, spec: { displayName: null, quota: { hard: { pods: '10' } } } },
  });
  assert.deepEqual(
    [changed.labels, changed.spec],
    [{ team: 'a' }, { members: spec.members, places: spec.places, quota: { hard: { pods: '10' } } }],
  );
  await done({ method: 'POST', path: '/projects', body: { name: 'web', spec: { places: [{ cluster: 'rome' }] } } });
  const found = await done({ path: `/projects?filter=${encodeURIComponent('spec.places.cluster=rome')}&sort=-name&pageSize=1` });
  assert.deepEqual([found.items.map(({ name }: Json) => name), found.total, found.page, found.pageSize], [['web'], 1, 1, 1]);
  const nowhere = { places: [{ cluster: 'rome' }, { cluster: 'nowhere' }] };
  await refused({ method: 'POST', path: '/projects', body: { name: 'far', spec: nowhere } }, 404, 'api-object-unknown');
  await refused({ method: 'PATCH', path: '/projects/web', body: { spec: nowhere } }, 404, 'api-object-unknown');
  assert.equal((await asAdmin({ method: 'DELETE', path: '/projects/web' })).status, 204);
  await refused({ path: '/projects/web' }, 404, 'api-object-unknown');
  await refused({ method: 'DELETE', path: '/projects/web' }, 404, 'api-object-unknown');
  await refused({ method: 'POST', path: '/projects', body: { name: 'shop', spec: {} } }, 409, 'api-object-exists');
});

test('a change to an old version is refused and tells both versions; without a version it is made on what is there', async () => {
  const made = await done({ method: 'POST', path: '/projects', body: { name: 'versions', spec: { description: 'one' } } });
  const next = await done({
    method: 'PATCH',
    path: '/projects/versions',
    body: { resourceVersion: made.resourceVersion, spec: { description: 'two' } },
  });
  const body = { resourceVersion: made.resourceVersion, spec: { description: 'three' } };
  const { message } = await refused({ method: 'PATCH', path: '/projects/versions', body }, 409, 'api-conflict');
  assert.match(message, new RegExp(`is at version ${next.resourceVersion} now, the change was made to version ${made.resourceVersion}`));
  const racers = await Promise.all(
    ['a', 'b', 'c'].map((team) => asAdmin({ method: 'PATCH', path: '/projects/versions', body: { labels: { [team]: 'yes' } } })),
  );
  assert.deepEqual(
    racers.map(({ status }) => status),
    [200, 200, 200],
  );
  const last = await done({ path: '/projects/versions' });
  assert.deepEqual([last.spec.description, last.labels], ['two', { a: 'yes', b: 'yes', c: 'yes' }]);
});

test('what is wrong with a request is told, and nothing is changed by it', async () => {
  const typo = await refused(
    { method: 'POST', path: '/projects', body: { name: 'typo', spec: { dispalyName: 'x' } } },
    400,
    'api-request-invalid',
  );
  assert.match(typo.message, /unknown field spec\.dispalyName/);
  await done({ method: 'POST', path: '/projects', body: { name: 'wrong', spec: {} } });
  const patch = (body: unknown) => refused({ method: 'PATCH', path: '/projects/wrong', body }, 400, 'api-request-invalid');
  assert.match((await patch({ spec: { members: [{ kind: 'Robot', name: 'x', role: 'owner' }] } })).message, /members\.0\.kind: .*"User"/);
  assert.match((await patch({ spec: { displayname: 'x' } })).message, /unknown field displayname/);
  assert.match((await patch({ labels: { 'rfo.io/managed-by': 'me' } })).message, /labels of rfo\.io are not for others to set/);
  await patch({ spec: { quota: { hard: { pods: 'many' } } } });
  await refused({ method: 'POST', path: '/projects', body: { name: 'Upper Case', spec: {} } }, 400, 'api-request-invalid');
  await refused({ method: 'POST', path: '/projects', raw: '{"name": ' }, 400, 'api-request-invalid');
  await refused({ method: 'POST', path: '/projects', raw: '{"__proto__": {"x": 1}, "name": "x", "spec": {}}' }, 400, 'api-request-invalid');
  await refused({ method: 'POST', path: '/projects', body: {}, headers: { 'content-type': 'text/plain' } }, 415, 'api-request-invalid');
  await refused({ method: 'POST', path: '/projects', raw: Buffer.alloc(1024 * 1024 + 1, 32) }, 413, 'request-too-large');
  await refused({ path: '/projects?page=0' }, 400, 'api-request-invalid');
  await refused({ path: '/projects?order=up' }, 400, 'api-request-invalid');
  await refused({ path: '/projects/..%2f..%2fsettings' }, 400, 'api-request-invalid');
  await refused({ path: '/nothing' }, 404, 'api-not-found');
  await refused({ method: 'DELETE', path: '/projects' }, 404, 'api-not-found');
  assert.deepEqual((await done({ path: '/projects/wrong' })).spec, { members: [], places: [] });
});

test('nobody gives what he does not have, and the roles of the program stay as they are', async () => {
  const ada = await lab.someone('ada');
  const { name } = await done({ path: '/principals/ada' });
  await done({
    method: 'POST',
    path: '/roleTemplates',
    body: {
      name: 'clerk',
      spec: {
        scope: 'global',
        rules: [{ apiGroups: ['rfo.io'], resources: ['globalrolebindings', 'roletemplates', 'users'], verbs: ['*'] }],
      },
    },
  });
  await done({ method: 'POST', path: '/globalRoleBindings', body: { spec: { role: 'clerk', subjects: [{ kind: 'User', name }] } } });
  const grant = { spec: { role: 'administrator', subjects: [{ kind: 'User', name }] } };
  await refused({ method: 'POST', path: '/globalRoleBindings', token: ada, body: grant }, 403, 'rights-escalation');
  await refused(
    { method: 'POST', path: '/users/admin/password', token: ada, body: { password: 'another long password' } },
    403,
    'rights-escalation',
  );
  await refused({ method: 'POST', path: '/users/admin/disable', token: ada }, 403, 'rights-escalation');
  await refused({ method: 'DELETE', path: '/users/admin', token: ada }, 403, 'rights-escalation');
  const wide = { name: 'wide', spec: { scope: 'global', rules: [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }] } };
  await refused({ method: 'POST', path: '/roleTemplates', token: ada, body: wide }, 403, 'rights-escalation');
  await refused(
    { method: 'POST', path: '/globalRoleBindings', body: { spec: { role: 'nothing', subjects: [{ kind: 'User', name }] } } },
    400,
    'role-unusable',
  );
  await refused({ method: 'DELETE', path: '/globalRoleBindings/administrator-admin' }, 409, 'rights-last-administrator');
  await refused({ method: 'POST', path: '/users/admin/disable' }, 409, 'rights-last-administrator');
});

test('the owner of a project finds others by their user names and takes them in, and does not widen where it reaches', async () => {
  const owner = await lab.someone('olga');
  await lab.someone('pavel');
  const [olga, pavel] = await Promise.all(['olga', 'pavel'].map((name) => lab.ask({ path: `/principals/${name}`, token: owner })));
  const member = (found: Answer | undefined, role: string) => ({ kind: 'User', name: found?.json.name, role });
  const spec = { members: [member(olga, 'owner')], places: [{ cluster: 'bern', namespaces: ['team'] }] };
  await done({ method: 'POST', path: '/projects', body: { name: 'team', spec } });
  assert.deepEqual(
    (await lab.ask({ path: '/projects', token: owner })).json.items.map(({ name }: Json) => name),
    ['team'],
  );
  const change = (body: object): Wish => ({ method: 'PATCH', path: '/projects/team', token: owner, body: { spec: body } });
  const changed = await lab.ask(change({ members: [member(olga, 'owner'), member(pavel, 'member')] }));
  assert.deepEqual([changed.status, changed.json.spec.members.length], [200, 2], changed.text);
  await refused(change({ places: [{ cluster: 'bern' }] }), 403, 'rights-needs-global');
  await refused({ method: 'DELETE', path: '/projects/team', token: owner }, 403, 'api-forbidden');
});

test('a user is made with a password for one sign-in, is disabled, and is deleted with what it had', async () => {
  const { user, password } = await done({
    method: 'POST',
    path: '/users',
    body: { username: 'Grace', email: 'grace@example.com', groups: ['navy'] },
  });
  assert.deepEqual([user.spec.username, user.spec.enabled, user.spec.groups], ['grace', true, ['navy']]);
  const signIn = (body: object) => ({ method: 'POST', path: '/session', body: { username: 'grace', as: 'token', ...body } }) as const;
  await refused(signIn({ password }), 403, 'password-must-change');
  await refused(signIn({ password: 'wrong' }), 401, 'credentials-refused');
  const session = await done(signIn({ password, newPassword: 'the first compiler' }));
  assert.equal(session.username, 'grace');
  assert.equal((await lab.ask({ path: '/self', token: session.token })).json.email, 'grace@example.com');
  const changed = await lab.ask({
    method: 'POST',
    path: '/self/password',
    token: session.token,
    body: { current: 'the first compiler', password: 'a nanosecond of wire' },
  });
  assert.equal(changed.status, 204, changed.text);
  await refused({ method: 'PATCH', path: `/users/${user.name}`, body: { spec: { enabled: false } } }, 400, 'api-request-invalid');
  assert.equal((await done({ method: 'POST', path: `/users/${user.name}/disable` })).spec.enabled, false);
  await refused({ path: '/self', token: session.token }, 401, 'credentials-refused');
  await refused(signIn({ password: 'a nanosecond of wire' }), 401, 'credentials-refused');
  assert.equal((await done({ method: 'POST', path: `/users/${user.name}/enable` })).spec.enabled, true);
  assert.equal(
    (await done({ method: 'PATCH', path: `/users/${user.name}`, body: { spec: { displayName: 'Grace' } } })).spec.displayName,
    'Grace',
  );
  assert.equal((await asAdmin({ method: 'DELETE', path: `/users/${user.name}` })).status, 204);
  await refused({ path: `/users/${user.name}` }, 404, 'api-object-unknown');
});

test('a cluster is made known with an address for its agent, which is made anew, and is disconnected', async () => {
  const made = await done({ method: 'POST', path: '/clusters', body: { name: 'oslo', spec: { displayName: 'Oslo' } } });
  assert.equal(made.cluster.spec.displayName, 'Oslo');
  assert.ok(made.registration.url.startsWith(`${serverUrl}/import/`), made.registration.url);
  assert.ok(made.registration.command.includes(made.registration.url));
  const again = await done({ method: 'POST', path: '/clusters/oslo/registration' });
  assert.notEqual(again.url, made.registration.url);
  await refused({ method: 'POST', path: '/clusters', body: { name: 'oslo' } }, 409, 'api-object-exists');
  await refused({ method: 'POST', path: '/clusters/nowhere/registration' }, 404, 'api-object-unknown');
  assert.equal((await asAdmin({ method: 'DELETE', path: '/clusters/oslo' })).status, 204);
  const [entry] = await lab.audited({ verb: 'disconnect' });
  assert.deepEqual([entry?.username, entry?.resource, entry?.name, entry?.result], ['admin', 'clusters.rfo.io', 'oslo', 'done']);
});

test('a kubeconfig leads to the clusters that its user may enter, and its token opens those alone', async () => {
  const one = await done({ method: 'POST', path: '/kubeconfigs', body: { clusters: ['bern'], seconds: 600 } });
  assert.deepEqual(one.kubeconfig.clusters, [
    {
      name: 'bern',
      cluster: { 'server': `${serverUrl}/k8s/clusters/bern`, 'certificate-authority-data': Buffer.from(authority).toString('base64') },
    },
  ]);
  assert.deepEqual(
    one.tokens.map(({ spec }: Json) => [spec.kind, spec.clusters]),
    [['kubeconfig', ['bern']]],
  );
  assert.equal((await lab.ask({ path: '/self', token: one.kubeconfig.users[0].user.token })).json.username, 'admin');
  const all = await done({ method: 'POST', path: '/kubeconfigs', body: { exec: true } });
  assert.deepEqual(
    all.kubeconfig.contexts.map(({ name }: Json) => name),
    ['bern', 'rome'],
  );
  assert.deepEqual(all.tokens, []);
  await refused({ method: 'POST', path: '/kubeconfigs', body: { clusters: ['nowhere'] } }, 404, 'api-object-unknown');
  await refused({ method: 'POST', path: '/tokens', body: { clusters: ['nowhere'] } }, 404, 'api-object-unknown');
  await done({ method: 'PATCH', path: '/clusters/bern', body: { spec: { authorizedEndpoint: { enabled: true } } } });
  await lab.parts.objects.clusters.patchStatus('bern', { endpoint: { servers: ['https://192.0.2.1:6443'] } });
  const both = await done({ method: 'POST', path: '/kubeconfigs', body: {} });
  assert.deepEqual(
    both.kubeconfig.contexts.map(({ name, context }: Json) => [name, context.user]),
    [
      ['bern', 'rfo-bern'],
      ['bern-direct', 'rfo-bern'],
      ['rome', 'rfo'],
    ],
  );
  assert.deepEqual(
    both.tokens.map(({ spec }: Json) => spec.clusters),
    [['rome'], ['bern']],
  );
  const reading = await done({ method: 'POST', path: '/kubeconfigs', body: { readOnly: true } });
  assert.equal(reading.kubeconfig.contexts.length, 2, 'a cluster could not hold its bearer to reading');
  const stranger = await lab.someone('stranger');
  await refused({ method: 'POST', path: '/kubeconfigs', token: stranger, body: { clusters: ['bern'] } }, 404, 'api-object-unknown');
  await refused({ method: 'POST', path: '/tokens', token: stranger, body: { clusters: ['bern'] } }, 404, 'api-object-unknown');
});

test('a secret is answered once, where it is made, and stands in no other answer, no log and no audit entry', async () => {
  const password = 'ninety-nine balloons';
  const { user } = await done({ method: 'POST', path: '/users', body: { username: 'nena', password } });
  const made = await done({ method: 'POST', path: '/tokens', body: { description: 'for a program' } });
  const { hash } = lab.parts.objects.tokens.get(made.token.name)?.spec ?? { hash: '' };
  assert.match(hash, /^[0-9a-f]{64}$/);
  const secrets = [password, made.secret, made.secret.split('_')[2], hash, lab.admin];
  const document = await done({ path: '/openapi.json' });
  const lists = Object.keys(document.paths).filter(
    (path) => document.paths[path].get !== undefined && !path.includes('{') && !path.endsWith('/follow'),
  );
  assert.ok(lists.length >= 10);
  const paths = [
    ...lists.map((path) => path.replace('/api/v1', '')),
    `/tokens/${made.token.name}`,
    `/users/${user.name}`,
    '/tokens?all=true',
    `/tokens?search=${hash}`,
  ];
  const texts = await Promise.all(paths.map(async (path) => `${path} ${(await asAdmin({ path })).text}`));
  for (const text of [...texts, ...lab.lines])
    for (const secret of secrets) assert.ok(!text.includes(secret) || text.startsWith(`/tokens?search=${secret} `), text.slice(0, 200));
  const searched = texts.find((text) => text.startsWith('/tokens?search='));
  assert.match(searched ?? '', /"total":0/);
  assert.equal((await asAdmin({ method: 'DELETE', path: `/tokens/${made.token.name}` })).status, 204);
  await refused({ path: '/self', token: made.secret }, 401, 'credentials-refused');
});

test('every change is told to the audit with what is different, and so is every refusal of a known user', async () => {
  const mary = await lab.someone('mary');
  await done({ method: 'POST', path: '/projects', body: { name: 'told', spec: { description: 'before' } } });
  await done({ method: 'PATCH', path: '/projects/told', body: { spec: { description: 'after' } } });
  await refused({ method: 'DELETE', path: '/projects/told', token: mary }, 403, 'api-forbidden');
  assert.equal((await lab.ask({ method: 'DELETE', path: '/projects/told' })).status, 401);
  const entries = (await lab.audited({ text: 'told' })).filter(({ name }) => name === 'told');
  assert.deepEqual(
    entries.map(({ verb, result, code, username, resource, changes }) => ({ verb, result, code, username, resource, changes })),
    [
      { verb: 'delete', result: 'refused', code: 'api-forbidden', username: 'mary', resource: 'projects.rfo.io', changes: undefined },
      {
        ...{ verb: 'patch', result: 'done', code: undefined, username: 'admin', resource: 'projects.rfo.io' },
        changes: [{ path: '/spec/description', from: 'before', to: 'after' }],
      },
      {
        ...{ verb: 'create', result: 'done', code: undefined, username: 'admin', resource: 'projects.rfo.io' },
        changes: [
          { path: '/spec/description', to: 'before' },
          { path: '/spec/members', to: [] },
          { path: '/spec/places', to: [] },
        ],
      },
    ],
  );
  const searched = await done({ path: '/audit?verb=patch&user=admin&text=told&limit=1' });
  assert.equal(searched.items[0].name, 'told');
  assert.deepEqual((await done({ path: '/audit/verification' })).problems, []);
});

test('the audit is followed as it grows, and the connection ends when its user may no longer read it', async () => {
  const watcher = await lab.someone('watcher');
  const { name } = await done({ path: '/principals/watcher' });
  const { name: binding } = await done({
    method: 'POST',
    path: '/globalRoleBindings',
    body: { spec: { role: 'auditor', subjects: [{ kind: 'User', name }] } },
  });
  const sent = lab.send({ path: '/audit/follow?verb=create', token: watcher });
  const response = await new Promise<NodeJS.ReadableStream>((resolve, reject) => {
    sent.once('error', reject);
    sent.once('response', resolve);
    void done({ method: 'POST', path: '/projects', body: { name: 'followed', spec: {} } });
  });
  const broken = new Promise<Error>((resolve) => response.once('error', resolve));
  const lines = createInterface({ input: response }).on('error', () => undefined);
  const seen = new Promise<Json>((resolve) => {
    lines.on('line', (line) => {
      const entry = JSON.parse(line);
      if (entry.name === 'followed') resolve(entry);
    });
  });
  assert.equal((await seen).username, 'admin');
  assert.equal((await asAdmin({ method: 'DELETE', path: `/globalRoleBindings/${binding}` })).status, 204);
  const revokedAt = Date.now();
  assert.match((await broken).message, /aborted|ECONNRESET/);
  assert.ok(Date.now() - revokedAt < 5000);
});

test('the document describes every route with its parameters, bodies and answers, and every reference in it leads somewhere', async () => {
  const { status, json, headers } = await lab.ask({ path: '/openapi.json' });
  assert.deepEqual(
    [status, json.openapi, headers['content-type'], headers['cache-control']],
    [200, '3.1.0', 'application/json; charset=utf-8', 'no-store'],
  );
  const references = [...JSON.stringify(json).matchAll(/"\$ref":"([^"]+)"/g)].map(([, reference = '']) => reference);
  assert.ok(references.length > 20);
  for (const reference of references) {
    const [, name = ''] = /^#\/components\/schemas\/(\w+)$/.exec(reference) ?? [];
    assert.ok(json.components.schemas[name] !== undefined, reference);
  }
  const ids = Object.values<Json>(json.paths).flatMap((operations) =>
    Object.values<Json>(operations).map(({ operationId }) => operationId),
  );
  assert.equal(new Set(ids).size, ids.length);
  const patch = json.paths['/api/v1/projects/{name}'].patch;
  assert.deepEqual(Object.keys(patch.requestBody.content), ['application/merge-patch+json']);
  assert.deepEqual(
    patch.parameters.map(({ name, in: where, required }: Json) => [name, where, required]),
    [['name', 'path', true]],
  );
  assert.deepEqual(patch.responses['200'].content['application/json'].schema, { $ref: '#/components/schemas/Project' });
  assert.ok(!('hash' in json.components.schemas.Token.properties.spec.properties));
  assert.deepEqual(json.paths['/api/v1/session'].post.security, []);
  const list = json.paths['/api/v1/clusters'].get.parameters.map(({ name }: Json) => name);
  assert.deepEqual(list, ['filter', 'search', 'sort', 'page', 'pageSize']);
});
