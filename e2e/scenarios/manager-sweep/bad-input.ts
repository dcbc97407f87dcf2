/** Input that is wrong gets an error with a code of the table, and changes nothing. */
import assert from 'node:assert/strict';
import type { Node } from '../../harness/node.ts';
import type { ScenarioContext } from '../../harness/scenario.ts';
import type { Ask } from '../../tools/manager-requests.ts';
import type { Castle } from './castle.ts';
import { providerRows } from './provider-settings.ts';

export type Row = Ask & { readonly status: number; readonly code: string };

const door = '/k8s/clusters';
const deep = `{"name":"x","spec":${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}}`;

const rows: readonly Row[] = [
  { path: `${door}/nowhere/api/v1/pods`, status: 404, code: 'cluster-away-unknown' },
  { path: '/api/v1/clusters/nowhere', status: 404, code: 'api-object-unknown' },
  { method: 'DELETE', path: '/api/v1/clusters/nowhere', status: 404, code: 'api-object-unknown' },
  { method: 'POST', path: '/api/v1/clusters/nowhere/registration', status: 404, code: 'api-object-unknown' },
  { method: 'POST', path: '/api/v1/kubeconfigs', body: '{"clusters":["nowhere"]}', status: 404, code: 'api-object-unknown' },
  { method: 'POST', path: '/api/v1/tokens', body: '{"clusters":["nowhere"]}', status: 404, code: 'api-object-unknown' },
  {
    ...{ method: 'POST', path: '/api/v1/projects', body: '{"name":"x","spec":{"places":[{"cluster":"nowhere"}]}}' },
    ...{ status: 404, code: 'api-object-unknown' },
  },
  {
    method: 'PATCH',
    path: '/api/v1/projects/shop',
    body: '{"spec":{"places":[{"cluster":"nowhere"}]}}',
    status: 404,
    code: 'api-object-unknown',
  },
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
  ...providerRows,
  // Tokens that are none.
  ...['Bearer', 'Bearer rfo__', 'Bearer rfo_x_', 'Bearer rfo_../admin_x', 'Basic YWRtaW46YWRtaW4=', 'Negotiate x'].map((authorization) => ({
    ...{ path: '/api/v1/self', headers: { authorization }, status: 401, code: 'credentials-refused' },
  })),
  { method: 'POST', path: '/api/v1/session', body: '{"username":"admin"}', status: 400, code: 'api-request-invalid' },
  { method: 'POST', path: '/api/v1/tokens', body: '{"kind":"api","seconds":-1}', status: 400, code: 'api-request-invalid' },
  { method: 'POST', path: '/api/v1/tokens', body: '{"kind":"session"}', status: 400, code: 'api-request-invalid' },
  // What is in a cluster.
  { path: '/api/v1/clusters/nowhere/resources', status: 404, code: 'cluster-away-unknown' },
  { path: '/api/v1/clusters/local/resources/core/v1/unicorns', status: 404, code: 'resource-unknown' },
  { path: '/api/v1/clusters/local/resources/core/v1/pods?selector=a%20b', status: 400, code: 'api-request-invalid' },
  { path: '/api/v1/clusters/local/resources/core/v1/pods?cursor=x', status: 400, code: 'api-request-invalid' },
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

/** All that people have written, by name and generation, and the Secrets of the manager by name. */
async function state(hub: Node): Promise<string[]> {
  const kinds = ['users', 'projects', 'clusters', 'roletemplates', 'globalrolebindings', 'settings', 'tokens', 'authproviders'];
  const template = 'jsonpath={range .items[*]}{.kind}/{.metadata.name} {.metadata.generation}{"\\n"}{end}';
  const lists = await Promise.all([
    hub.kubectl(['get', kinds.map((kind) => `${kind}.rfo.io`).join(','), '-o', template]),
    hub.kubectl(['-n', 'rfo-system', 'get', 'secrets', '-o', template]),
  ]);
  return lists.flatMap((list) => list.trim().split('\n')).sort();
}
