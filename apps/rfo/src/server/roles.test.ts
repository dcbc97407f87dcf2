import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serverConfigOf } from '@rfo/schema';
import { roleNotices, rolesOf } from './roles.ts';

test('without an API server there is nothing beside it either', () => {
  const all = { etcd: true, apiserver: true, controllerManager: true, scheduler: true, agent: true };
  assert.deepEqual(rolesOf(serverConfigOf()), all);
  assert.deepEqual(rolesOf(serverConfigOf({ 'disable-apiserver': true })), {
    ...all,
    apiserver: false,
    controllerManager: false,
    scheduler: false,
  });
  assert.deepEqual(rolesOf(serverConfigOf({ 'disable-etcd': true, 'disable-agent': true })), { ...all, etcd: false, agent: false });
});

test('a server that is no node is told what its API server cannot reach, unless tunnels lead there', () => {
  const notices = (config: Parameters<typeof serverConfigOf>[0]) => roleNotices(serverConfigOf(config));
  assert.deepEqual(notices({}), []);
  assert.match(notices({ 'disable-agent': true }).join(), /webhooks .* need egress-selector-mode cluster or pod \(it is agent\)/);
  assert.match(notices({ 'disable-agent': true, 'egress-selector-mode': 'disabled' }).join(), /it is disabled/);
  for (const mode of ['cluster', 'pod'] as const) assert.deepEqual(notices({ 'disable-agent': true, 'egress-selector-mode': mode }), []);
  assert.deepEqual(notices({ 'disable-agent': true, 'disable-apiserver': true }), []);
});
