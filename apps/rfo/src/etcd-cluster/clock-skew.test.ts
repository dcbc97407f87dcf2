import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLog, Life } from '@rfo/foundation';
import { careForClocks, renderClockSkew } from './clock-skew.ts';

test('a difference of more than a second is named with its size and direction', () => {
  assert.equal(renderClockSkew('10.0.0.2', 1000), undefined);
  assert.equal(renderClockSkew('10.0.0.2', -1000), undefined);
  assert.equal(renderClockSkew('10.0.0.2', 1001), 'the clock of 10.0.0.2 goes 1.0 s before the one here: set both by NTP');
  assert.equal(renderClockSkew('10.0.0.2', -119_940), 'the clock of 10.0.0.2 goes 119.9 s behind the one here: set both by NTP');
  assert.equal(renderClockSkew('10.0.0.2', 7_200_000), 'the clock of 10.0.0.2 goes 120 min before the one here: set both by NTP');
});

test('every server is looked at again and again, and one that does not answer keeps nobody up', { timeout: 10_000 }, async () => {
  const life = new Life();
  const lines: string[] = [];
  const warned = new Promise<void>((resolve) => {
    const write = (line: string): void => {
      lines.push(line.slice(line.indexOf('warn')));
      if (lines.length === 2) resolve();
    };
    const silent = (signal: AbortSignal): Promise<never> =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }));
    const servers = () => [
      { name: 'silent', ahead: silent },
      { name: 'right', ahead: async () => 12 },
      { name: 'late', ahead: async () => -3_000 },
    ];
    careForClocks({ servers, life, log: createLog({ write }), pace: { every: 10, within: 10 } });
  });
  await warned;
  await life.end();
  const line = 'warn  rfo: the clock of late goes 3.0 s behind the one here: set both by NTP\n';
  assert.deepEqual(lines.slice(0, 2), [line, line]);
});
