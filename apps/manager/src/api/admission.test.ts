// Walks the whole table of routes: nothing of it may be open to somebody by accident.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type ApiLab, type Json, startApiLab } from './api.testing.ts';
import { changes, type Route } from './route.ts';
import { createRoutes } from './routes.ts';

let lab: ApiLab;
let routes: readonly Route[];
before(async () => {
  lab = await startApiLab();
  routes = createRoutes(lab.parts);
  const made = await lab.ask({ method: 'POST', path: '/clusters', token: lab.admin, body: { name: 'lyon' } });
  assert.equal(made.status, 201, made.text);
  const project = { name: 'shop', spec: { members: [], places: [{ cluster: 'lyon' }] } };
  assert.equal((await lab.ask({ method: 'POST', path: '/projects', token: lab.admin, body: project })).status, 201);
});
after(() => lab?.stop());

const nameOf = ({ method, path }: Route): string => `${method} ${path}`;
/** The same for every route: an object that is there where there can be one. */
const pathOf = ({ path }: Route): string => {
  const names: Readonly<Record<string, string>> = {
    '/clusters': 'lyon',
    '/projects': 'shop',
    '/users': 'admin',
    '/roleTemplates': 'administrator',
    '/globalRoleBindings': 'administrator-admin',
    '/settings': 'server-url',
    '/tokens': adminToken(),
    '/principals': 'admin',
  };
  const [root = ''] = /^\/[^/]+/.exec(path) ?? [];
  return path.replace(':group/:version/:resource', 'core/v1/pods').replace(/:\w+/, names[root] ?? 'missing');
};
const adminToken = (): string => lab.parts.objects.tokens.by('user', 'admin')[0]?.metadata.name ?? '';

async function answers(
  token: string | undefined,
): Promise<ReadonlyMap<string, { readonly status: number; readonly code: string | undefined; readonly json: Json }>> {
  const found = new Map<string, { status: number; code: string | undefined; json: Json }>();
  for (const route of routes) {
    if (nameOf(route) === 'DELETE /session' || nameOf(route) === 'GET /audit/follow') continue;
    const { status, json } = await lab.ask({
      method: route.method,
      path: pathOf(route),
      ...(token !== undefined && { token }),
      ...(route.body !== undefined && { body: {} }),
    });
    found.set(nameOf(route), { status, code: json?.code, json });
  }
  return found;
}

/** What answers anybody. */
const open = new Set(['GET /openapi.json', 'GET /authority', 'POST /session', 'POST /session/code', 'GET /signIn/providers']);

/** What is in clusters: the cluster itself is asked whether the caller may. */
const inClusters = ['GET /clusters/:cluster/resources', 'GET /clusters/:cluster/resources/:group/:version/:resource'];

test('nothing but a short list answers a stranger', async () => {
  assert.deepEqual(new Set(routes.filter(({ access }) => access.kind === 'anybody').map(nameOf)), open);
  for (const [name, { status, code }] of await answers(undefined)) {
    if (open.has(name)) assert.notEqual(status, 401, name);
    else assert.deepEqual([status, code], [401, 'not-signed-in'], name);
  }
  const forged = await answers(`rfo_${adminToken()}_${'0'.repeat(64)}`);
  for (const [name, { status, code }] of forged) if (!open.has(name)) assert.deepEqual([status, code], [401, 'credentials-refused'], name);
});

test('a user without rights is refused everything but what is his own, and sees nobody else in it', async () => {
  const token = await lab.someone('nobody');
  const own = new Set([
    ...[...open, 'GET /self', 'POST /self/password', 'GET /principals/:username'],
    ...['GET /users', 'GET /tokens', 'POST /tokens', 'GET /clusters', 'GET /projects', 'POST /kubeconfigs'],
    ...['GET /roleTemplates', 'GET /roleTemplates/:name'],
  ]);
  for (const [name, { status, code, json }] of await answers(token)) {
    if (!own.has(name)) {
      assert.deepEqual([status, code], [403, inClusters.includes(name) ? 'cluster-forbidden' : 'api-forbidden'], name);
      continue;
    }
    if (name === 'GET /users' || name === 'GET /tokens') assert.ok(json.items.length > 0, name);
    if (name === 'GET /users') for (const { spec } of json.items) assert.equal(spec.username, 'nobody');
    if (name === 'GET /tokens') for (const { spec } of json.items) assert.notEqual(spec.user, 'admin');
    if (name === 'GET /clusters' || name === 'GET /projects') assert.deepEqual(json.items, [], name);
    if (name === 'POST /kubeconfigs') assert.equal(code, 'api-request-invalid');
  }
  const all = await lab.ask({ path: '/tokens?all=true', token });
  for (const { spec } of all.json.items) assert.notEqual(spec.user, 'admin');
  const changed = await lab.ask({ path: '/projects/shop', token: lab.admin });
  assert.deepEqual(changed.json.spec.members, []);
});

test('a token for clusters opens nothing of the manager but who it is and what it may enter', async () => {
  const { json } = await lab.ask({ method: 'POST', path: '/tokens', token: lab.admin, body: { kind: 'kubeconfig', clusters: ['lyon'] } });
  const narrow = new Set([...open, ...inClusters, 'GET /self', 'GET /clusters', 'GET /clusters/:name']);
  for (const [name, { status, code }] of await answers(json.secret)) {
    if (narrow.has(name)) assert.notEqual(code, 'api-token-narrow', name);
    else assert.deepEqual([status, code], [403, 'api-token-narrow'], name);
  }
  const listed = await lab.ask({ path: '/clusters', token: json.secret });
  assert.deepEqual(
    listed.json.items.map(({ name }: Json) => name),
    ['lyon'],
  );
});

test('a read-only token of an administrator changes nothing at all', async () => {
  const { json } = await lab.ask({ method: 'POST', path: '/tokens', token: lab.admin, body: { readOnly: true } });
  const found = await answers(json.secret);
  for (const route of routes.filter((each) => changes(each) && each.access.kind !== 'anybody')) {
    if (nameOf(route) === 'DELETE /session') continue;
    assert.deepEqual(
      [nameOf(route), found.get(nameOf(route))?.status, found.get(nameOf(route))?.code],
      [nameOf(route), 403, 'token-read-only'],
    );
  }
  assert.equal(found.get('GET /users')?.status, 200);
});

test('the cookie of a session changes nothing without the token that only our own page knows', async () => {
  const signedIn = await lab.ask({ method: 'POST', path: '/session', body: { username: 'admin', password: lab.adminPassword } });
  assert.equal(signedIn.status, 201, signedIn.text);
  const [line = ''] = signedIn.headers['set-cookie'] ?? [];
  assert.match(line, /^__Host-rfo-session=rfo_\w+; Path=\/; Max-Age=\d+; Secure; HttpOnly; SameSite=Lax$/);
  assert.equal(signedIn.json.token, undefined);
  const cookie = line.split(';', 1)[0] ?? '';
  const self = await lab.ask({ path: '/self', headers: { cookie } });
  assert.deepEqual([self.status, self.json.csrf, self.json.roles], [200, signedIn.json.csrf, ['administrator']]);
  const body = { spec: { description: 'changed' } };
  const refused = await lab.ask({ method: 'PATCH', path: '/projects/shop', headers: { cookie }, body });
  assert.deepEqual([refused.status, refused.json.code], [403, 'csrf-refused']);
  const accepted = await lab.ask({ method: 'PATCH', path: '/projects/shop', headers: { cookie, 'x-rfo-csrf': signedIn.json.csrf }, body });
  assert.equal(accepted.status, 200, accepted.text);
  const out = await lab.ask({ method: 'DELETE', path: '/session', headers: { cookie, 'x-rfo-csrf': signedIn.json.csrf } });
  assert.deepEqual([out.status, out.headers['set-cookie']?.[0]?.includes('Max-Age=0')], [204, true]);
  assert.equal((await lab.ask({ path: '/self', headers: { cookie } })).status, 401);
});
