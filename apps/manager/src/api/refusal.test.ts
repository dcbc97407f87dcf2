import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fail } from '@rfo/foundation';
import { refusalOf } from './refusal.ts';

const given = { bodyLimit: 1024 };

test('an error of the table is told with its code, its sentence and its cure, each by itself', () => {
  assert.deepEqual(refusalOf(fail('api-object-unknown', { what: 'Project', name: 'shop' }), given), {
    status: 404,
    problem: {
      code: 'api-object-unknown',
      message: 'there is no Project "shop", or it is not yours to see',
      cure: 'Check its name against the list',
    },
    unexpected: false,
  });
});

test('where another try may help, it is said when, and nothing of the cluster behind', () => {
  const { status, problem, retryAfter } = refusalOf(
    fail('kube-unreachable', { server: 'https://10.43.0.1', problem: 'it is gone' }),
    given,
  );
  assert.deepEqual([status, problem.code, retryAfter], [503, 'kube-unreachable', 2]);
  assert.doesNotMatch(problem.message, /10\.43|gone/);
});

test('who is told to wait is told for how long', () => {
  const seconds = (error: Error): unknown => {
    const { status, retryAfter } = refusalOf(error, given);
    return [status, retryAfter];
  };
  assert.deepEqual(seconds(fail('sign-in-limited', { seconds: 240 })), [429, 240]);
  assert.deepEqual(seconds(fail('watches-too-many', { limit: 1, what: 'x' })), [429, 1]);
});

test('what callers are not meant to meet is told to the log alone', () => {
  const secret = '/var/lib/rancher/rfo/secret';
  for (const error of [
    new Error(secret),
    fail('internal', { what: secret }),
    fail('config-unreadable', { file: secret, problem: 'x' }),
    secret,
    null,
  ]) {
    const { status, problem, unexpected } = refusalOf(error, given);
    assert.deepEqual([status, problem.code, unexpected], [500, 'internal', true]);
    assert.ok(!JSON.stringify(problem).includes(secret));
  }
});
