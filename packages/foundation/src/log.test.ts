import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLog } from './log.ts';

const now = (): Date => new Date('2026-01-02T03:04:05.678Z');

function logged(options: { format?: 'text' | 'json'; level?: 'debug' | 'info' }): { lines: string[]; log: ReturnType<typeof createLog> } {
  const lines: string[] = [];
  return { lines, log: createLog({ write: (line) => lines.push(line), now, ...options }) };
}

test('a line for people: time, level, part, message, fields', () => {
  const { lines, log } = logged({});
  log.part('etcd').warn('is slow', { ms: 12, why: 'a disk', none: undefined, error: new Error('x=1') });
  assert.deepEqual(lines, ['2026-01-02T03:04:05.678Z warn  etcd: is slow ms=12 why="a disk" error="x=1"\n']);
});

test('a line for machines is one JSON object', () => {
  const { lines, log } = logged({ format: 'json' });
  log.error('broke', { error: new Error('why'), list: [1] });
  assert.deepEqual(JSON.parse(lines[0] ?? ''), {
    ...{ time: '2026-01-02T03:04:05.678Z', level: 'error', part: 'rfo', message: 'broke' },
    ...{ error: 'why', list: [1] },
  });
});

test('one event is one line, whatever the message holds', () => {
  const { lines, log } = logged({});
  log.info('two\nlines');
  assert.equal(lines.join('').split('\n').length, 2);
});

test('what is below the level is left out', () => {
  const { lines, log } = logged({ level: 'info' });
  log.debug('details');
  assert.deepEqual(lines, []);
});
