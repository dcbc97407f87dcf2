import assert from 'node:assert/strict';
import { it } from 'node:test';
import { checkReadOnly } from './read-only.ts';
import { isLongRunning, type RequestInfo, readRequestInfo } from './request-info.ts';

const read = (line: string): RequestInfo & { path: string } => {
  const [method = '', url = ''] = line.split(' ');
  const { pathname: path, searchParams: query } = new URL(url, 'https://x');
  return { ...readRequestInfo({ method, path, query }), path };
};

const table: readonly [line: string, verb: string, what: string][] = [
  ['GET /api/v1/pods', 'list', 'pods'],
  ['GET /api/v1/namespaces/a/pods', 'list', 'a pods'],
  ['GET /api/v1/namespaces/a/pods/p', 'get', 'a pods p'],
  ['GET /api/v1/namespaces/a/pods/p/log', 'get', 'a pods p log'],
  ['POST /api/v1/namespaces/a/pods/p/exec', 'create', 'a pods p exec'],
  ['GET /api/v1/namespaces/a/pods/p/exec', 'get', 'a pods p exec'],
  ['GET /api/v1/namespaces/a/pods/p/proxy/x/y', 'get', 'a pods p proxy'],
  ['GET /api/v1/pods?watch=1', 'watch', 'pods'],
  ['GET /api/v1/pods?watch', 'watch', 'pods'],
  ['GET /api/v1/pods?watch=false', 'list', 'pods'],
  ['GET /api/v1/watch/namespaces/a/pods/p', 'watch', 'a pods p'],
  ['GET /api/v1/proxy/namespaces/a/pods/p', 'proxy', 'a pods p'],
  ['GET /api/v1/namespaces/a', 'get', 'a namespaces a'],
  ['PUT /api/v1/namespaces/a/finalize', 'update', 'a namespaces a finalize'],
  ['GET /api/v1/namespaces', 'list', 'namespaces'],
  ['POST /api/v1/namespaces', 'create', 'namespaces'],
  ['PATCH /apis/apps/v1/namespaces/a/deployments/d/scale', 'patch', 'a deployments.apps d scale'],
  ['DELETE /apis/apps/v1/namespaces/a/deployments', 'deletecollection', 'a deployments.apps'],
  ['DELETE /apis/apps/v1/namespaces/a/deployments/d', 'delete', 'a deployments.apps d'],
  ['HEAD /api/v1/nodes/n', 'get', 'nodes n'],
  ['GET /version', 'get', ''],
  ['GET /apis', 'get', ''],
  ['GET /apis/apps/v1', 'get', ''],
  ['POST /healthz', 'post', ''],
];
for (const [line, verb, what] of table) {
  it(`reads ${line} as ${verb} ${what || 'of no resource'}`, () => {
    const { verb: found, namespace, resource, group, name, subresource } = read(line);
    const kind = resource !== undefined && group !== '' ? `${resource}.${group}` : resource;
    assert.deepEqual([found, [namespace, kind, name, subresource].filter((each) => each !== undefined).join(' ')], [verb, what]);
  });
}

const reads = [
  'GET /api/v1/pods',
  'GET /api/v1/pods?watch=true',
  'GET /api/v1/namespaces/a/pods/p/log?follow=true',
  'HEAD /api/v1/pods',
  'GET /version',
  'GET /openapi/v3',
];
const acts = [
  'POST /api/v1/namespaces/a/pods',
  'PATCH /api/v1/namespaces/a/pods/p',
  'DELETE /api/v1/namespaces/a/pods/p',
  'GET /api/v1/namespaces/a/pods/p/exec?command=sh',
  'GET /api/v1/namespaces/a/pods/p/attach',
  'GET /api/v1/namespaces/a/pods/p/portforward',
  'GET /api/v1/namespaces/a/pods/p/proxy/',
  'GET /api/v1/namespaces/a/services/s/proxy/delete-all',
  'GET /api/v1/nodes/n/proxy/run/a/p/c',
  'GET /api/v1/proxy/nodes/n/x',
  'GET /api/v1/watch/namespaces/a/pods/p/exec',
  'POST /api/v1/namespaces/a/serviceaccounts/s/token',
  'POST /version',
];
it('lets a read-only token look', () => {
  for (const line of reads) checkReadOnly(read(line), { upgrade: false });
  checkReadOnly(read('GET /api/v1/pods?watch=true'), { upgrade: true });
});
for (const line of acts) {
  it(`refuses ${line} with a read-only token`, () => {
    for (const upgrade of [false, true]) assert.throws(() => checkReadOnly(read(line), { upgrade }), { code: 'token-read-only' });
  });
}
it('refuses another protocol with a read-only token, but for a watch', () => {
  for (const line of [
    'GET /api/v1/namespaces/a/pods/p',
    'GET /apis/subresources.kubevirt.io/v1/namespaces/a/virtualmachineinstances/v/vnc',
  ]) {
    assert.throws(() => checkReadOnly(read(line), { upgrade: true }), { code: 'token-read-only' });
  }
});

it('gives a time limit to nothing that may last', () => {
  const lasting = [
    'GET /api/v1/pods?watch=1',
    'GET /api/v1/namespaces/a/pods/p/log',
    'POST /api/v1/namespaces/a/pods/p/exec',
    'GET /api/v1/namespaces/a/services/s/proxy/x',
  ];
  for (const line of lasting) assert.equal(isLongRunning(read(line)), true, line);
  for (const line of ['GET /api/v1/pods', 'GET /version', 'POST /api/v1/namespaces']) assert.equal(isLongRunning(read(line)), false, line);
});
