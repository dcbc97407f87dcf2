import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Life } from '@rfo/foundation';
import { limitRefusals } from './limit-refusals.ts';
import type { AuditRecord } from './types.ts';

it('tells a flood of refusals in part and counts the rest, and hides nothing else', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const life = new Life();
  const told: AuditRecord[] = [];
  const record = limitRefusals((entry) => told.push(entry), life);
  const refuse = (user: string | undefined, address: string, times: number): void => {
    for (let at = 0; at < times; at++) record({ verb: 'get', result: 'refused', user, address });
  };
  refuse('alice', '10.0.0.1', 100);
  refuse('bob', '10.0.0.1', 10);
  refuse(undefined, '10.0.0.2', 65);
  for (let at = 0; at < 100; at++) record({ verb: 'create', result: 'done', user: 'alice' });
  assert.deepEqual(
    [told.filter(({ user, result }) => user === 'alice' && result === 'refused').length, told.length],
    [60, 60 + 10 + 60 + 100],
  );

  t.mock.timers.tick(60_000);
  const counted = told.splice(0).filter(({ verb }) => verb === 'refused');
  assert.deepEqual(
    counted.map(({ user, address, message }) => [user, address, message?.split(' ')[0]]),
    [
      ['alice', '10.0.0.1', '40'],
      [undefined, '10.0.0.2', '5'],
    ],
  );
  refuse('alice', '10.0.0.1', 61);
  assert.equal(told.length, 60, 'another minute, another count');
  await life.end();
  assert.match(told.at(-1)?.message ?? '', /^1 more/);
});

it('holds no more callers than it can', async () => {
  const life = new Life();
  const told: AuditRecord[] = [];
  const record = limitRefusals((entry) => told.push(entry), life);
  for (let at = 0; at < 10_100; at++) record({ verb: 'get', result: 'refused', address: `a${at}` });
  assert.equal(told.length, 10_060);
  await life.end();
  assert.match(told.at(-1)?.message ?? '', /^40 more/);
});
