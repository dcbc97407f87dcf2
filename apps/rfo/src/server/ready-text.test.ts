import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serverConfigOf } from '@rfo/schema';
import { nodePaths } from '../paths.ts';
import type { ServerInputs } from './inputs.ts';
import type { ManagerFacts } from './manager-facts.ts';
import { renderManagerReady, renderReady } from './ready-text.ts';

const inputs: ServerInputs = {
  config: serverConfigOf({ manager: true }),
  paths: nodePaths({ dataDir: '/d', runDir: '/r', etcDir: '/e' }),
  ...{ nodeName: 'one', nodeIp: '192.0.2.1', advertiseAddress: '192.0.2.1', kubernetesServiceIp: '10.43.0.1', clusterDns: '10.43.0.10' },
};
const facts: ManagerFacts = { address: 'https://192.0.2.1:8443', pin: 'sha256:5f', password: 'a-b-c-d', shown: false, namespace: 'rfo' };
const sign = (given: Partial<ManagerFacts>): readonly string[] =>
  renderManagerReady(inputs, { ...facts, ...given })
    .split('\n')
    .filter((line) => line !== '');

test('a node tells of its manager where it has one', () => {
  assert.match(renderReady(inputs), /^ {2}manager {6}is starting; how to reach it follows$/m);
  const without = { ...inputs, config: serverConfigOf({}) };
  assert.doesNotMatch(renderReady(without), /manager/);
});

test('the first time it tells how to sign in, and later only where', () => {
  assert.deepEqual(sign({}), [
    'The manager is ready at https://192.0.2.1:8443',
    'Sign in as admin. The password a-b-c-d is good once, and not shown again.',
    '  npx rfo manager login https://192.0.2.1:8443 -u admin --ca-pin sha256:5f',
  ]);
  assert.deepEqual(sign({ password: undefined, shown: true }), ['The manager is ready at https://192.0.2.1:8443']);
});

test('a certificate of the administrator’s needs no pin', () => {
  assert.equal(sign({ pin: undefined }).at(-1), '  npx rfo manager login https://192.0.2.1:8443 -u admin');
});

test('a password that was shown and never used is not shown again, but where it stands', () => {
  const lines = sign({ shown: true }).join('\n');
  assert.doesNotMatch(lines, /a-b-c-d/);
  assert.match(lines, /is unchanged/);
  assert.match(lines, /kubectl -n rfo get secret rfo-administrator /);
});

test('where the manager is known by another address than this host has, both are told', () => {
  assert.deepEqual(sign({ address: 'https://rfo.example.com', password: undefined }), [
    'The manager is ready at https://rfo.example.com, on this host at https://192.0.2.1:8443',
  ]);
});
