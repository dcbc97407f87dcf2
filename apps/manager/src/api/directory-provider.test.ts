// A directory as a provider over the REST interface: a real one, and a real API server.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { after, before, test } from 'node:test';
import type { TestDirectory } from '@rfo/test-directory';
import { makeAuthority } from '../clusters/clusters.testing.ts';
import { group, password, person, personDn, searcher, settingsFor, startDirectory } from '../identity/providers/ldap/ldap.testing.ts';
import { type Answer, type ApiLab, startApiLab, type Wish } from './api.testing.ts';

let lab: ApiLab;
let directory: TestDirectory;
before(async () => {
  [lab, directory] = await Promise.all([startApiLab(), startDirectory([person('ada'), group('developers', [personDn('ada')])])]);
});
after(async () => {
  await Promise.all([lab?.stop(), directory?.stop()]);
});

const asAdmin = (wish: Omit<Wish, 'token'>): Promise<Answer> => lab.ask({ ...wish, token: lab.admin });
const specOf = (ldap: object = {}) => ({
  type: 'ldap',
  displayName: 'Corp',
  enabled: true,
  allowEverybody: true,
  ldap: { ...settingsFor(directory), ...ldap },
});
const make = (name: string, ldap: object = {}, secret = searcher.password): Promise<Answer> =>
  asAdmin({ method: 'POST', path: '/authProviders', body: { name, spec: specOf(ldap), secret } });
const signIn = (username: string, given = password(username)): Promise<Answer> =>
  lab.ask({ method: 'POST', path: '/session', body: { username, password: given, provider: 'corp' } });

test('a directory that does not answer as it is set is not kept, and the reason is said with its cure', async () => {
  const tries: readonly (readonly [number, string, object, string?])[] = [
    [400, 'ldap-bind-refused', {}, 'a wrong password'],
    [400, 'ldap-base-unknown', { userBase: 'ou=none,dc=example,dc=org' }],
    [400, 'ldap-filter-invalid', { userFilter: '(((' }],
    [400, 'ldap-none-found', { groupFilter: '(objectClass=device)' }],
    [400, 'ldap-ca-invalid', { caBundle: 'none' }],
    [400, 'ldap-untrusted', { caBundle: makeAuthority().ca }],
    [502, 'ldap-unreachable', { servers: ['127.0.0.1:1'] }],
    [400, 'api-request-invalid', { servers: [] }],
    [400, 'api-request-invalid', { servers: ['ldap://127.0.0.1'] }],
    [400, 'api-request-invalid', { membership: 'memberUid', nested: 'walk' }],
  ];
  for (const [status, code, ldap, secret] of tries) {
    const answer = await make('corp', ldap, secret);
    assert.deepEqual([answer.status, answer.json.code], [status, code], answer.text);
    assert.ok(!answer.text.includes(secret ?? searcher.password));
  }
  assert.equal((await asAdmin({ path: '/authProviders/corp' })).status, 404);
  const { items } = await lab.parts.client.list({ apiVersion: 'v1', kind: 'Secret' }, { namespace: 'rfo-system' });
  assert.ok(!items.some(({ metadata }) => metadata.name.startsWith('rfo-auth-provider')));
});

test('one that does is kept, and people sign in by it with the groups that they have there', async () => {
  const made = await make('corp');
  assert.equal(made.status, 201, made.text);
  const session = await signIn('ada');
  assert.equal(session.status, 201, session.text);
  const [cookie = ''] = session.headers['set-cookie'] ?? [];
  const me = await lab.ask({ path: '/self', headers: { cookie: cookie.split(';')[0] ?? '' } });
  assert.deepEqual([me.json.username, me.json.groups], ['ada', ['corp:developers']], me.text);
  assert.equal((await signIn('ada', 'wrong')).status, 401);
  assert.equal((await signIn('ada', '')).status, 400);
});

test('it is searched by who may see providers alone', async () => {
  const found = await asAdmin({ path: '/authProviders/corp/found?search=dev' });
  assert.deepEqual(
    found.json.items.map(({ kind, name }: { kind: string; name: string }) => [kind, name]),
    [['Group', 'developers']],
    found.text,
  );
  assert.deepEqual((await asAdmin({ path: `/authProviders/corp/found?search=${encodeURIComponent('*')}` })).json.items, []);
  const nobody = await lab.someone('nobody-special');
  assert.equal((await lab.ask({ path: '/authProviders/corp/found?search=dev', token: nobody })).status, 403);
});

test('its secret is not sent anywhere else by whoever only may change it', async () => {
  let met = 0;
  const elsewhere = createServer((socket) => {
    met += 1;
    socket.destroy();
  }).listen(0, '127.0.0.1');
  await once(elsewhere, 'listening');
  const { port } = elsewhere.address() as AddressInfo;
  for (const ldap of [{ servers: [`127.0.0.1:${port}`] }, { security: 'plain' }, { caBundle: makeAuthority().ca }]) {
    const answer = await asAdmin({ method: 'PATCH', path: '/authProviders/corp', body: { spec: { ldap } } });
    assert.deepEqual([answer.status, answer.json.code], [400, 'provider-secret-elsewhere'], answer.text);
  }
  assert.equal(met, 0);
  elsewhere.close();
  const spec = { ldap: { servers: [`127.0.0.1:${directory.port}`], security: 'start-tls' } };
  const known = await asAdmin({ method: 'PATCH', path: '/authProviders/corp', body: { spec, secret: searcher.password } });
  assert.equal(known.status, 200, known.text);
  const named = await asAdmin({ method: 'PATCH', path: '/authProviders/corp', body: { spec: { displayName: 'Corporation' } } });
  assert.equal(named.status, 200, named.text);
  assert.equal((await signIn('ada')).status, 201);
});

test('whoever looks after providers becomes nobody by them who may more than he does', async () => {
  const keeper = await lab.someone('keeper');
  const ask = (wish: Omit<Wish, 'token'>): Promise<Answer> => lab.ask({ ...wish, token: keeper });
  const rules = [{ apiGroups: ['rfo.io'], resources: ['authproviders'], verbs: ['get', 'list', 'create', 'update', 'delete'] }];
  const role = await asAdmin({ method: 'POST', path: '/roleTemplates', body: { name: 'keeper', spec: { scope: 'global', rules } } });
  assert.equal(role.status, 201, role.text);
  const { json: self } = await ask({ path: '/self' });
  const bind = (to: string, subject: object): Promise<Answer> =>
    asAdmin({ method: 'POST', path: '/globalRoleBindings', body: { spec: { role: to, subjects: [subject] } } });
  const bound = await bind('keeper', { kind: 'User', name: self.name });
  assert.equal(bound.status, 201, bound.text);
  const rename = (): Promise<Answer> => ask({ method: 'PATCH', path: '/authProviders/corp', body: { spec: { displayName: 'Keepers' } } });
  assert.equal((await rename()).status, 200);
  assert.equal((await bind('auditor', { kind: 'Group', name: 'corp:auditors' })).status, 201);
  assert.equal((await bind('auditor', { kind: 'Group', name: 'next:auditors' })).status, 201);
  const next = { method: 'POST', path: '/authProviders', body: { name: 'next', spec: specOf(), secret: searcher.password } } as const;
  for (const answer of [await rename(), await ask(next), await ask({ method: 'POST', path: '/authProviders/corp/enable', body: {} })])
    assert.deepEqual([answer.status, answer.json.code], [403, 'rights-escalation'], answer.text);
  assert.equal((await asAdmin({ path: '/authProviders/next' })).status, 404);
  const other = await ask({ ...next, body: { ...next.body, name: 'other' } });
  assert.equal(other.status, 201, other.text);
});

test('no password is answered, logged or audited', async () => {
  const answers = await Promise.all(['/authProviders', '/authProviders/corp', '/users'].map((path) => asAdmin({ path })));
  const told = JSON.stringify([answers.map(({ text }) => text), lab.lines, await lab.audited({})]);
  for (const secret of [searcher.password, password('ada'), 'a wrong password']) assert.ok(!told.includes(secret), secret);
});
