import assert from 'node:assert/strict';
import { join } from 'node:path';
import { it } from 'node:test';
import { loadArguments } from '../load-config.ts';
import { clusterAgentConfig } from './cluster-agent-options.ts';
import { managerConfig } from './options.ts';

const read = (argv: readonly string[], env: Readonly<Record<string, string>> = {}) => loadArguments(managerConfig, { argv, env }).values;

it('a manager that is told nothing listens on port 8443 and keeps its Secrets in rfo-system', () => {
  const values = read([]);
  assert.equal(values['https-port'], 8443);
  assert.equal(values['bind-address'], '0.0.0.0');
  assert.equal(values.namespace, 'rfo-system');
  assert.equal(values['shutdown-delay'], 0);
});

it('its options have variables of their own, apart from those of a node', () => {
  assert.equal(read([], { RFO_MANAGER_HTTPS_PORT: '0', RFO_DEBUG: 'true' })['https-port'], 0);
  assert.equal(read([], { RFO_DEBUG: 'true' }).debug, false);
});

it('an address is taken without a path alone, and only by https', () => {
  assert.equal(read(['--server-url', 'https://rfo.example.com:8443'])['server-url'], 'https://rfo.example.com:8443');
  for (const wrong of ['http://rfo.example.com', 'https://rfo.example.com/console', 'rfo.example.com'])
    assert.throws(() => read(['--server-url', wrong]), /server-url/);
});

it('a certificate is taken with its key alone', () => {
  assert.throws(() => read(['--tls-cert-file', '/a.pem']), /belong together/);
  assert.throws(() => read(['--tls-ca-file', '/a.pem']), /a certificate that is not given/);
  assert.equal(read(['--tls-cert-file', '/a.pem', '--tls-key-file', '/b.pem'])['tls-key-file'], '/b.pem');
});

it('an agent is that of the deployment unless it is told to be that of a node', () => {
  const via = (argv: readonly string[]) => loadArguments(clusterAgentConfig, { argv, env: {} }).values.via;
  assert.equal(via([]), 'deployment');
  assert.equal(via(['--via', 'node']), 'node');
  assert.throws(() => via(['--via', 'both']), /via/);
});

it('the kubeconfig may be named from the folder in which it is started', () => {
  assert.equal(read(['--kubeconfig', '.rfo/kubeconfig.yaml']).kubeconfig, join(process.cwd(), '.rfo/kubeconfig.yaml'));
  assert.equal(read(['--kubeconfig', '/etc/k.yaml']).kubeconfig, '/etc/k.yaml');
  assert.throws(() => read(['--kubeconfig', '']), /kubeconfig/);
});
