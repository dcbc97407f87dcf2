import assert from 'node:assert/strict';
import { test } from 'node:test';
import { failedChecks } from './api.ts';

test('what a server that is not ready waits for is read from its answer', () => {
  const body =
    '[+]ping ok\n[-]etcd failed: reason withheld\n[+]log ok\n[-]poststarthook/rbac/bootstrap-roles failed: reason withheld\nreadyz check failed\n';
  assert.equal(failedChecks(body), 'etcd poststarthook/rbac/bootstrap-roles');
  assert.equal(failedChecks('ok'), '');
});
