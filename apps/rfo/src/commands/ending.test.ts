import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseJobs, unitOfCgroup } from './ending.ts';

test('a restart is told from a stop by the queued job', () => {
  const jobs = ' 412 rfo-server.service restart running\n 413 other.service stop waiting\n';
  assert.equal(parseJobs(jobs, 'rfo-server.service'), 'restart');
  assert.equal(parseJobs(jobs, 'other.service'), 'stop');
  assert.equal(parseJobs('', 'rfo-server.service'), undefined);
});

test('the own unit stands in the control group of either version', () => {
  assert.equal(unitOfCgroup('0::/system.slice/rfo-server.service\n'), 'rfo-server.service');
  assert.equal(unitOfCgroup('4:memory:/x\n1:name=systemd:/system.slice/rfo-server.service/sub\n0::/\n'), 'rfo-server.service');
  assert.equal(unitOfCgroup('0::/user.slice/user-0.slice/session-1.scope\n'), undefined);
});
