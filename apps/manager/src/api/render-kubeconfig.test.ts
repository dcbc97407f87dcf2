import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderKubeconfig } from './render-kubeconfig.ts';

const server = 'https://rfo.example.com:8443';

test('a kubeconfig with a token has one user for all of its contexts', () => {
  assert.deepEqual(renderKubeconfig({ server, ca: 'PEM\n', clusters: [{ name: 'lyon' }, { name: 'oslo' }], token: 'rfo_a_b' }), {
    'apiVersion': 'v1',
    'kind': 'Config',
    'clusters': [
      { name: 'lyon', cluster: { 'server': `${server}/k8s/clusters/lyon`, 'certificate-authority-data': 'UEVNCg==' } },
      { name: 'oslo', cluster: { 'server': `${server}/k8s/clusters/oslo`, 'certificate-authority-data': 'UEVNCg==' } },
    ],
    'users': [{ name: 'rfo', user: { token: 'rfo_a_b' } }],
    'contexts': [
      { name: 'lyon', context: { cluster: 'lyon', user: 'rfo' } },
      { name: 'oslo', context: { cluster: 'oslo', user: 'rfo' } },
    ],
    'current-context': 'lyon',
  });
});

test('without a token kubectl asks the program, cluster by cluster, and no secret stands in the file', () => {
  const config = renderKubeconfig({ server, ca: undefined, clusters: [{ name: 'lyon' }], token: undefined });
  assert.deepEqual(config.clusters, [{ name: 'lyon', cluster: { server: `${server}/k8s/clusters/lyon` } }]);
  assert.deepEqual(config.contexts, [{ name: 'lyon', context: { cluster: 'lyon', user: 'rfo-lyon' } }]);
  assert.deepEqual(config.users, [
    {
      name: 'rfo-lyon',
      user: {
        exec: {
          apiVersion: 'client.authentication.k8s.io/v1',
          command: 'rfo',
          args: ['manager', 'credential', '--server', server, '--cluster', 'lyon'],
          installHint: `The program rfo has to be in PATH and signed in: rfo manager login ${server}`,
          interactiveMode: 'Never',
          provideClusterInfo: false,
        },
      },
    },
  ]);
});

test('a cluster with an endpoint of its own has further contexts that lead straight to it, by a token that opens nothing else', () => {
  const direct = { servers: ['https://192.0.2.1:6443', 'https://192.0.2.2:6443'], ca: 'OWN\n' };
  const clusters = [{ name: 'lyon', token: 'rfo_c_d', direct }, { name: 'oslo' }];
  const config = renderKubeconfig({ server, ca: 'PEM\n', clusters, token: 'rfo_a_b' });
  const own = { 'certificate-authority-data': 'T1dOCg==' };
  assert.deepEqual(config.clusters.slice(1, 3), [
    { name: 'lyon-direct', cluster: { server: 'https://192.0.2.1:6443', ...own } },
    { name: 'lyon-direct-2', cluster: { server: 'https://192.0.2.2:6443', ...own } },
  ]);
  assert.deepEqual(config.contexts, [
    { name: 'lyon', context: { cluster: 'lyon', user: 'rfo-lyon' } },
    { name: 'lyon-direct', context: { cluster: 'lyon-direct', user: 'rfo-lyon' } },
    { name: 'lyon-direct-2', context: { cluster: 'lyon-direct-2', user: 'rfo-lyon' } },
    { name: 'oslo', context: { cluster: 'oslo', user: 'rfo' } },
  ]);
  assert.deepEqual(config.users, [
    { name: 'rfo', user: { token: 'rfo_a_b' } },
    { name: 'rfo-lyon', user: { token: 'rfo_c_d' } },
  ]);
  const trusted = renderKubeconfig({ server, ca: 'PEM', token: undefined, clusters: [{ name: 'lyon', direct: { ...direct, ca: '' } }] });
  assert.deepEqual(trusted.clusters[1], { name: 'lyon-direct', cluster: { server: 'https://192.0.2.1:6443' } });
  assert.deepEqual(trusted.contexts[1], { name: 'lyon-direct', context: { cluster: 'lyon-direct', user: 'rfo-lyon' } });
});

test('a way straight to one cluster is never called like another cluster', () => {
  const direct = { servers: ['https://192.0.2.1:6443'], ca: undefined };
  const clusters = [{ name: 'lyon', direct }, { name: 'lyon-direct' }];
  const { contexts } = renderKubeconfig({ server, ca: undefined, clusters, token: 'rfo_a_b' });
  assert.deepEqual(
    contexts.map(({ name }) => name),
    ['lyon', 'lyon-direct-direct', 'lyon-direct'],
  );
});
