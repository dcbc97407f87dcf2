import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readJsonLines, readText } from './json-lines.ts';
import { parseKubeconfig } from './kubeconfig.ts';
import { groupOf, objectKey, splitKey } from './object.ts';
import { renderQuery, resourcePath } from './resource-path.ts';

const deployments = { apiVersion: 'apps/v1', kind: 'Deployment', plural: 'deployments', namespaced: true };
const nodes = { apiVersion: 'v1', kind: 'Node', plural: 'nodes', namespaced: false };

describe('paths of the API', () => {
  it('name collections, objects and subresources', () => {
    assert.equal(resourcePath(deployments), '/apis/apps/v1/deployments');
    assert.equal(resourcePath(deployments, { namespace: 'a' }), '/apis/apps/v1/namespaces/a/deployments');
    assert.equal(
      resourcePath(deployments, { namespace: 'a', name: 'b', subresource: 'status' }),
      '/apis/apps/v1/namespaces/a/deployments/b/status',
    );
    assert.equal(resourcePath(nodes, { namespace: 'ignored', name: 'n' }), '/api/v1/nodes/n');
  });

  it('escape names that would be another path', () => {
    assert.equal(resourcePath(nodes, { name: '../pods?x' }), '/api/v1/nodes/..%2Fpods%3Fx');
  });

  it('carry only the query values that are given', () => {
    assert.equal(
      renderQuery({ watch: true, labelSelector: 'a=b,c', limit: undefined, timeoutSeconds: 3 }),
      '?watch=true&labelSelector=a%3Db%2Cc&timeoutSeconds=3',
    );
    assert.equal(renderQuery({ limit: undefined }), '');
  });
});

describe('keys of objects', () => {
  it('lead to the name and back', () => {
    for (const ref of [{ name: 'n' }, { namespace: 'a', name: 'b' }]) assert.deepEqual(splitKey(objectKey(ref)), ref);
    assert.deepEqual([groupOf('v1'), groupOf('apps/v1')], ['', 'apps']);
  });
});

describe('lines of JSON', () => {
  const bytes = async function* (...chunks: (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
    for (const chunk of chunks) yield Buffer.from(chunk);
  };

  it('are put together from pieces that end anywhere, inside a character too', async () => {
    const text = Buffer.from('{"a":"ü"}\n\n{"b":2}\n{"c":3}');
    const cut = text.indexOf(0xc3) + 1;
    const values = await Array.fromAsync(readJsonLines(bytes(text.subarray(0, cut), text.subarray(cut, cut + 3), text.subarray(cut + 3))));
    assert.deepEqual(values, [{ a: 'ü' }, { b: 2 }, { c: 3 }]);
    assert.equal(await readText(bytes(text.subarray(0, cut), text.subarray(cut))), text.toString());
  });

  it('that are not JSON are an error', async () => {
    await assert.rejects(Array.fromAsync(readJsonLines(bytes('{"a":1}\n{"b":'))), SyntaxError);
  });
});

describe('a kubeconfig', () => {
  const config = (user: object, cluster: object = {}) => ({
    'current-context': 'c',
    'contexts': [{ name: 'c', context: { cluster: 'k', user: 'u' } }],
    'clusters': [{ name: 'k', cluster: { 'server': 'https://h:6443', 'certificate-authority': 'ca.crt', ...cluster } }],
    'users': [{ name: 'u', user: { ...user } }],
  });

  it('keeps files as files, relative to itself', () => {
    assert.deepEqual(parseKubeconfig(config({ 'client-certificate': '/x/a.crt', 'client-key': '../a.key' }), { path: '/etc/k/config' }), {
      server: 'https://h:6443',
      serverName: undefined,
      ca: { file: '/etc/k/ca.crt' },
      cert: { file: '/x/a.crt' },
      key: { file: '/etc/a.key' },
      token: undefined,
    });
  });

  it('may carry everything inside', () => {
    const options = parseKubeconfig(config({ token: 't' }, { 'certificate-authority-data': 'UEVN' }), { path: '/k' });
    assert.deepEqual([options.ca, options.token], [{ data: 'PEM' }, { data: 't' }]);
  });

  it('is refused for what it cannot do or must not', () => {
    const problems: [object, object, RegExp][] = [
      [{ exec: { command: 'x' } }, {}, /logs in by exec, which is not supported/],
      [{}, { 'insecure-skip-tls-verify': true }, /insecure-skip-tls-verify is refused/],
      [{}, { server: undefined }, /its cluster "k" has no server/],
    ];
    for (const [user, cluster, message] of problems) {
      assert.throws(() => parseKubeconfig(config(user, cluster), { path: '/k' }), message);
    }
    assert.throws(() => parseKubeconfig({}, { path: '/k' }), /it has no context chosen/);
  });
});
