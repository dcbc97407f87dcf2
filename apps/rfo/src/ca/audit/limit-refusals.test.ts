import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { folder, start } from '../store/store.testing.ts';
import { verifyAudit } from './verify.ts';

test('a flood of refusals is written down in part and counted for the rest, and hides nothing else', async (t) => {
  const { auditFile, clock, open } = folder(t);
  const { audit, close } = await open();
  const refuse = (remote: string): Promise<void> => audit.write({ act: 'sign', remote, result: 'refused', reason: 'invalid token' });
  const lines = (): { act: string; remote?: string; reason?: string }[] =>
    readFileSync(auditFile, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));

  await Promise.all(Array.from({ length: 1000 }, () => refuse('10.0.0.1')));
  await refuse('10.0.0.2');
  await Promise.all(Array.from({ length: 100 }, () => audit.write({ act: 'sign', remote: '10.0.0.1', result: 'done' })));
  assert.equal(lines().filter(({ remote, reason }) => remote === '10.0.0.1' && reason !== undefined).length, 60);
  assert.equal(lines().length, 161);

  clock.now = () => start + 61_000;
  await refuse('10.0.0.1');
  assert.deepEqual(
    lines()
      .slice(-2)
      .map(({ act, reason }) => [act, reason]),
    [
      ['audit-log', '940 more requests were refused, too many to write each of them down'],
      ['sign', 'invalid token'],
    ],
  );

  await Promise.all(Array.from({ length: 2000 }, (_, host) => refuse(`10.1.${host >> 8}.${host & 255}`)));
  assert.equal(lines().length, 163 + 599);
  await close();
  assert.match(lines().at(-1)?.reason ?? '', /^1401 more/);
  await verifyAudit(auditFile);
});
