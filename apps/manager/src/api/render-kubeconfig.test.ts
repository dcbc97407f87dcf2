import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderKubeconfig } from './render-kubeconfig.ts';

const server = 'https://rfo.example.com:8443';

test('a kubeconfig with a token has one user for all of its contexts', () => {
  assert.deepEqual(renderKubeconfig({ server, ca: 'PEM\n', clusters: ['lyon', 'oslo'], token: 'rfo_a_b' }), {
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
  const config = renderKubeconfig({ server, ca: undefined, clusters: ['lyon'], token: undefined });
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
