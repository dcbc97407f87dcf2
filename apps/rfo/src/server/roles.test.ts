import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serverConfigOf } from '@rfo/schema';
import { type EgressMode, egressModeOf } from '../egress/egress-config.ts';
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

const notices = (config: Parameters<typeof serverConfigOf>[0]) => roleNotices(serverConfigOf(config));

test('a server that is no node is warned when its API server cannot reach Services', () => {
  const [warning, ...more] = notices({ 'disable-agent': true, 'egress-selector-mode': 'agent' });
  assert.equal(warning?.level, 'warn');
  assert.match(warning?.text ?? '', /webhooks .* need egress-selector-mode auto, pod or cluster \(it is agent\)/);
  assert.deepEqual(more, []);
});

test('a server that is no node says by which way it reaches the cluster, and others say nothing', () => {
  const text = (mode: EgressMode): string =>
    notices({ 'disable-agent': true, 'egress-selector-mode': mode })
      .map((notice) => `${notice.level}: ${notice.text}`)
      .join();
  assert.match(text('disabled'), /^info: .* by the routes of this host to the nodes and to 10\.42\.0\.0\/16$/);
  for (const mode of ['auto', 'cluster', 'pod'] as const) assert.match(text(mode), /^info: .* through the tunnels of the nodes$/);
  assert.deepEqual(notices({}), []);
  assert.deepEqual(notices({ 'disable-agent': true, 'disable-apiserver': true }), []);
});

test('without another wish only a server that is no node takes the tunnels to pods', () => {
  assert.equal(egressModeOf(serverConfigOf()), 'agent');
  assert.equal(egressModeOf(serverConfigOf({ 'disable-agent': true })), 'pod');
  assert.equal(egressModeOf(serverConfigOf({ 'disable-agent': true, 'egress-selector-mode': 'disabled' })), 'disabled');
});
