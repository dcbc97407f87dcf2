import assert from 'node:assert/strict';
import { it } from 'node:test';
import { parseTarget } from './parse-target.ts';

it('tells the cluster, the path and the query', () => {
  const whole = (url: string) => Object.values(parseTarget(url));
  assert.deepEqual(whole('/k8s/clusters/prod/api/v1/pods?watch=true&x=%2F..'), ['prod', '/api/v1/pods', '?watch=true&x=%2F..']);
  assert.deepEqual(whole('/k8s/clusters/prod'), ['prod', '/', '']);
  assert.deepEqual(whole('/k8s/clusters/prod/'), ['prod', '/', '']);
  assert.deepEqual(whole('/k8s/clusters/prod?timeout=5s'), ['prod', '/', '?timeout=5s']);
  assert.deepEqual(whole('/k8s/clusters/prod/api/?'), ['prod', '/api/', '']);
  const role = '/apis/rbac.authorization.k8s.io/v1/clusterroles/system%3Anode';
  assert.deepEqual(whole(`/k8s/clusters/prod${role}`), ['prod', role, '']);
  assert.deepEqual(whole('/k8s/clusters/c/api/v1/namespaces/x/services/https:a:443/proxy/a.b/..c/'), [
    'c',
    '/api/v1/namespaces/x/services/https:a:443/proxy/a.b/..c/',
    '',
  ]);
});

const refused = [
  '/k8s/clusters/',
  '/k8s/clusters//api',
  '/k8s/clusters/../api/v1/users',
  '/k8s/clusters/./prod/api',
  '/k8s/clusters/prod/..',
  '/k8s/clusters/prod/../other/api',
  '/k8s/clusters/prod/api/../../other',
  '/k8s/clusters/prod/api/.',
  '/k8s/clusters/prod/api/./v1',
  '/k8s/clusters/prod//api',
  '/k8s/clusters/prod/api//v1',
  '/k8s/clusters/prod/%2e%2e/other',
  '/k8s/clusters/prod/%2E./other',
  '/k8s/clusters/prod/api%2fv1',
  '/k8s/clusters/prod/api%2Fv1',
  '/k8s/clusters/prod%2fapi',
  '/k8s/clusters/prod/%252e%252e/other',
  '/k8s/clusters/prod/api%5cv1',
  '/k8s/clusters/prod/api\\v1',
  '/k8s/clusters/prod/api%00',
  '/k8s/clusters/prod/api%0d%0aX:y',
  '/k8s/clusters/prod/api%7f',
  '/k8s/clusters/prod/api%',
  '/k8s/clusters/prod/api%2',
  '/k8s/clusters/prod/api%zz',
  '/k8s/clusters/prod/api%ff',
  '/k8s/clusters/prod/api#x',
  '/k8s/clusters/prod/api?a#b',
  '/k8s/clusters/prod/api?a b',
  '/k8s/clusters/prod/a\u00e9',
  '/k8s/clusters/Prod/api',
  '/k8s/clusters/-prod/api',
  '/k8s/clusters/prod./api',
  '/k8s/clusters/pr%6fd/api',
  `/k8s/clusters/${'a'.repeat(64)}/api`,
  `/k8s/clusters/prod/${'a'.repeat(9000)}`,
  '/k8s/cluster/prod/api',
  '//k8s/clusters/prod/api',
  'https://manager/k8s/clusters/prod/api',
  '*',
  '',
];
for (const url of refused) {
  it(`refuses ${url.slice(0, 80)}`, () => void assert.throws(() => parseTarget(url), { code: 'proxy-path-invalid' }));
}
