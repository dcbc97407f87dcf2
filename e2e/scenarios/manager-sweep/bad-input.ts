/** Input that is wrong gets an error with a code of the table, and changes nothing. */
import assert from 'node:assert/strict';
import type { Node } from '../../harness/node.ts';
import type { ScenarioContext } from '../../harness/scenario.ts';
import type { Ask } from '../../tools/manager-requests.ts';
import type { Castle } from './castle.ts';

type Row = Ask & { readonly status: number; readonly code: string };

const door = '/k8s/clusters';
const deep = `{"name":"x","spec":${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}}`;

const rows: readonly Row[] = [
  { path: `${door}/nowhere/api/v1/pods`, status: 404, code: 'cluster-away-unknown' },
  { path: '/api/v1/clusters/nowhere', status: 404, code: 'api-object-unknown' },
  { method: 'DELETE', path: '/api/v1/clusters/nowhere', status: 404, code: 'api-object-unknown' },
  { method: 'POST', path: '/api/v1/clusters/nowhere/registration', status: 404, code: 'api-object-unknown' },
  { method: 'POST', path: '/api/v1/kubeconfigs', body: '{"clusters":["nowhere"]}', status: 404, code: 'api-object-unknown' },
  { method: 'POST', path: '/api/v1/clusters', body: '{"name":"Not A Name"}', status: 400, code: 'api-request-invalid' },
  { method: 'POST', path: '/api/v1/clusters', body: '{"name":"local"}', status: 409, code: 'api-object-exists' },
  // No address can be given that the manager would dial.
  ...['server', 'apiServer', 'url', 'address', 'kubeconfig'].map((field) => ({
    ...{ method: 'POST', path: '/api/v1/clusters', body: JSON.stringify({ name: 'ssrf', spec: { [field]: 'https://169.254.169.254' } }) },
    ...{ status: 400, code: 'api-request-invalid' },
  })),
  {
    method: 'PATCH',
    path: '/api/v1/clusters/elsewhere',
    body: '{"status":{"apiServer":"https://127.0.0.1:2379"}}',
    status: 400,
    code: 'api-request-invalid',
  },
  { method: 'POST', path: '/api/v1/users', body: '{"username":', status: 400, code: 'api-request-invalid' },
  { method: 'POST', path: '/api/v1/users', body: '[]', status: 400, code: 'api-request-invalid' },
  { method: 'POST', path: '/api/v1/users', body: '{"username":"a","enabled":true}', status: 400, code: 'api-request-invalid' },
  { method: 'POST', path: '/api/v1/users', body: '{"username":"admin"}', status: 409, code: 'username-taken' },
  { method: 'POST', path: '/api/v1/users', body: '{"username":"a b"}', status: 400, code: 'username-invalid' },
  { method: 'POST', path: '/api/v1/users', body: '{"username":"a","password":"short"}', status: 400, code: 'password-weak' },
  { method: 'POST', path: '/api/v1/users', body: '{"__proto__":{"x":1},"username":"a"}', status: 400, code: 'api-request-invalid' },
  {
    method: 'POST',
    path: '/api/v1/users',
    body: '{"constructor":{"prototype":{"x":1}},"username":"a"}',
    status: 400,
    code: 'api-request-invalid',
  },
  { method: 'POST', path: '/api/v1/projects', body: deep, status: 400, code: 'api-request-invalid' },
  {
    method: 'POST',
    path: '/api/v1/projects',
    body: '{"name":"x","spec":{"places":[{"cluster":"local","namespaces":[]}]}}',
    status: 400,
    code: 'api-request-invalid',
  },
  {
    method: 'POST',
    path: '/api/v1/projects',
    body: '{"name":"x","spec":{"members":[{"kind":"User","name":"a","role":"none"}]}}',
    status: 400,
    code: 'role-unusable',
  },
  { method: 'PATCH', path: '/api/v1/projects/shop', body: '{"spec":{"places":"all"}}', status: 400, code: 'api-request-invalid' },
  {
    method: 'POST',
    path: '/api/v1/users',
    body: JSON.stringify({ username: 'a'.repeat(2_000_000) }),
    status: 413,
    code: 'request-too-large',
  },
  {
    method: 'POST',
    path: '/api/v1/users',
    body: '{}',
    headers: { 'content-type': 'text/plain' },
    status: 415,
    code: 'api-request-invalid',
  },
  { path: '/api/v1/users?pageSize=1000000', status: 400, code: 'api-request-invalid' },
  { path: '/api/v1/users?nothing=1', status: 400, code: 'api-request-invalid' },
  { path: '/api/v1/users', headers: { authorization: 'Bearer \u00ff' }, status: 401, code: 'credentials-refused' },
  { path: '/api/v1/users', headers: { authorization: `Bearer ${'x'.repeat(16_000)}` }, status: 401, code: 'credentials-refused' },
  { path: `${door}/local/api/v1/pods`, headers: { authorization: 'Bearer rfo_' }, status: 401, code: 'credentials-refused' },
  { path: '/import/rfor_x.yaml', status: 404, code: 'registration-unknown' },
  { path: '/nothing', status: 404, code: 'manager-path-unknown' },
  { path: '/api/v1/nothing', status: 404, code: 'api-not-found' },
  // Settings of a provider that cannot be used.
  { method: 'POST', path: '/api/v1/authProviders', body: '{"name":"x","spec":{}}', status: 400, code: 'api-request-invalid' },
  {
    ...{ method: 'POST', path: '/api/v1/authProviders', status: 400, code: 'api-request-invalid' },
    body: '{"name":"x","spec":{"type":"oidc","displayName":"X","enabled":true,"settings":{"issuer":"file:///etc/passwd"}}}',
  },
  { path: '/connect', status: 426, code: 'manager-upgrade-needed' },
  { method: 'TRACE', path: `${door}/local/api/v1/pods`, status: 400, code: 'proxy-request-invalid' },
  { method: 'DELETE', path: '/api/v1/clusters/local', status: 400, code: 'api-request-invalid' },
  { method: 'POST', path: '/api/v1/clusters/local/registration', status: 409, code: 'registration-needless' },
  { method: 'DELETE', path: '/api/v1/users/admin', status: 409, code: 'rights-last-administrator' },
  { method: 'POST', path: '/api/v1/users/admin/disable', status: 409, code: 'rights-last-administrator' },
  { method: 'DELETE', path: '/api/v1/globalRoleBindings/administrator-admin', status: 409, code: 'rights-last-administrator' },
];

export async function checkBadInput({ check }: ScenarioContext, castle: Castle, hub: Node): Promise<void> {
  const { requests, admin } = castle;
  await check('wrong input gets an error of the table, and changes nothing', async () => {
    const before = await state(hub);
    const { answers } = await requests.exchange({ asks: rows.map((row) => ({ token: admin, ...row })) });
    const wrong = rows.flatMap(({ method = 'GET', path, body: sent = '', status, code }, index) => {
      const { status: seen, body = '' } = answers[index] ?? {};
      const told = codeOf(body);
      return seen === status && told === code
        ? []
        : [`${method} ${path} ${sent.slice(0, 80)}: ${seen} ${told} instead of ${status} ${code}: ${body.slice(0, 200)}`];
    });
    assert.deepEqual(wrong, []);
    assert.deepEqual(await state(hub), before);
  });
  await check('a broken manifest is refused through the door as by the cluster', async () => {
    for (const [manifest, words] of [
      ['apiVersion: v1\nkind: [', /error parsing|yaml/],
      ['apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec: {containers: 1}\n', /cannot unmarshal|invalid|expected/i],
      ['apiVersion: none/v1\nkind: Nothing\nmetadata: {name: x}\n', /no matches for kind/],
    ] as const) {
      const { code, stderr } = await castle.manager.kubectl('admin', 'local', ['apply', '-f', '-'], manifest);
      assert.equal(code, 1);
      assert.match(stderr, words);
    }
  });
}

function codeOf(body: string): unknown {
  const { code, details } = JSON.parse(body === '' ? '{}' : body) as { code?: unknown; details?: { causes?: { reason: string }[] } };
  return details?.causes?.[0]?.reason ?? code;
}

/** All that people have written, by name and generation. */
async function state(hub: Node): Promise<string[]> {
  const kinds = 'users.rfo.io,projects.rfo.io,clusters.rfo.io,roletemplates.rfo.io,globalrolebindings.rfo.io,settings.rfo.io,tokens.rfo.io';
  const list = await hub.kubectl([
    'get',
    kinds,
    '-o',
    'jsonpath={range .items[*]}{.kind}/{.metadata.name} {.metadata.generation}{"\\n"}{end}',
  ]);
  return list.trim().split('\n').sort();
}
