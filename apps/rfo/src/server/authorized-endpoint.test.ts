import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serverConfigOf } from '@rfo/schema';
import { nodePaths } from '../paths.ts';
import { endpointArguments, endpointFiles } from './authorized-endpoint.ts';

const paths = nodePaths({ dataDir: '/d', runDir: '/r', etcDir: '/e' });

test('an API server asks this program for tokens, known by the certificates of both, and remembers no answer itself', () => {
  const config = serverConfigOf({ 'authorized-endpoint': true });
  assert.deepEqual(endpointArguments(config, paths), {
    'authentication-token-webhook-config-file': '/d/server/etc/token-webhook.json',
    'authentication-token-webhook-version': 'v1',
    'authentication-token-webhook-cache-ttl': '0s',
  });
  const [file, ...others] = endpointFiles(config, paths);
  assert.deepEqual([file?.path, file?.mode, others], ['/d/server/etc/token-webhook.json', 0o600, []]);
  assert.deepEqual(JSON.parse(file?.content ?? ''), {
    'apiVersion': 'v1',
    'kind': 'Config',
    'clusters': [
      {
        name: 'rfo',
        cluster: { 'server': 'https://127.0.0.1:10692/v1/token-reviews', 'certificate-authority': '/d/server/tls/server-ca.crt' },
      },
    ],
    'users': [
      {
        name: 'rfo',
        user: {
          'client-certificate': '/d/server/tls/client-kube-apiserver.crt',
          'client-key': '/d/server/tls/client-kube-apiserver.key',
        },
      },
    ],
    'contexts': [{ name: 'rfo', context: { cluster: 'rfo', user: 'rfo' } }],
    'current-context': 'rfo',
  });
});

test('without the option, or without an API server, there is nothing of it', () => {
  for (const config of [serverConfigOf(), serverConfigOf({ 'authorized-endpoint': true, 'disable-apiserver': true })]) {
    assert.deepEqual(endpointArguments(config, paths), {});
    assert.deepEqual(endpointFiles(config, paths), []);
  }
});
