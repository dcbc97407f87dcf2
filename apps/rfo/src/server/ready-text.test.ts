import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serverConfigOf } from '@rfo/schema';
import { nodePaths } from '../paths.ts';
import type { ServerInputs } from './inputs.ts';
import type { ManagerFacts } from './manager-facts.ts';
import { renderReady } from './ready-text.ts';

const inputs: ServerInputs = {
  config: serverConfigOf({ manager: true }),
  paths: nodePaths({ dataDir: '/d', runDir: '/r', etcDir: '/e' }),
  ...{ nodeName: 'one', nodeIp: '192.0.2.1', advertiseAddress: '192.0.2.1', kubernetesServiceIp: '10.43.0.1', clusterDns: '10.43.0.10' },
};
const facts: ManagerFacts = { address: 'https://192.0.2.1:8443', pin: 'sha256:5f', password: 'a-b-c-d', shown: false };
const sign = (given: Partial<ManagerFacts>): readonly string[] =>
  renderReady(inputs, { ...facts, ...given })
    .split('\n')
    .filter((line) => /manager|8443|password|secret/.test(line));

test('a node without a manager tells of none', () => {
  assert.doesNotMatch(renderReady(inputs), /manager/);
});

test('the first time it tells how to sign in, and later only where', () => {
  assert.deepEqual(sign({}), [
    '  manager      https://192.0.2.1:8443',
    'Sign in to the manager as admin. The password a-b-c-d is good once, and not shown again.',
    '  npx rfo manager login https://192.0.2.1:8443 -u admin --ca-pin sha256:5f',
  ]);
  assert.deepEqual(sign({ password: undefined, shown: true }), ['  manager      https://192.0.2.1:8443']);
});

test('a certificate of the administrator’s needs no pin', () => {
  assert.ok(sign({ pin: undefined }).includes('  npx rfo manager login https://192.0.2.1:8443 -u admin'));
});

test('a password that was shown and never used is not shown again, but where it stands', () => {
  const lines = sign({ shown: true }).join('\n');
  assert.doesNotMatch(lines, /a-b-c-d/);
  assert.match(lines, /is unchanged/);
  assert.match(lines, /kubectl -n rfo-system get secret rfo-administrator /);
});

test('where the manager is known by another address than this host has, both are told', () => {
  assert.deepEqual(sign({ address: 'https://rfo.example.com', password: undefined }), [
    '  manager      https://rfo.example.com',
    '               https://192.0.2.1:8443 (this host)',
  ]);
});
