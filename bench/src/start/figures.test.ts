import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judge, type Measurement, renderRows, type Side } from './figures.ts';

const cold = (side: Side, readyz: number, others = 10): Measurement => ({
  side,
  round: 1,
  cold: { readyz, nodeReady: others, deployment: others, dns: others },
});
const idle = (side: Side, cpu: number, processes: readonly (readonly [string, number])[]): Measurement => ({
  side,
  round: 1,
  idle: {
    cpu,
    processes: processes.map(([name, megabytes]) => ({ pid: 2, cpu: 0, name, pss: megabytes * 1e6, anonymous: megabytes * 5e5 })),
  },
});

test('a ratio is that of the medians, and is held against the goal', () => {
  const measurements = [cold('rfo', 3), cold('bare', 3), cold('rfo', 3.3), cold('bare', 3.1), cold('rfo', 9), cold('bare', 2.9)];
  const [row] = judge(measurements);
  assert.equal(row?.summaries.rfo?.median, 3.3);
  assert.equal(row?.ratios.bare, 3.3 / 3);
  assert.equal(row?.verdict, 'met');
  const slower = judge([...measurements, cold('rfo', 4), cold('bare', 3)]);
  assert.equal(slower[0]?.verdict, 'not met');
});

test('a side by hand that scatters too much makes the comparison void, however good it looks', () => {
  const [readyz, nodeReady] = judge([cold('rfo', 1), cold('bare', 2), cold('bare', 2.7)]);
  assert.equal(readyz?.verdict, 'VOID');
  assert.equal(nodeReady?.verdict, 'met');
});

test('what was not measured has no verdict', () => {
  assert.deepEqual([...new Set(judge([cold('bare', 1)]).map(({ verdict }) => verdict))], ['']);
});

test('memory counts all processes against the separate binaries, and rfo alone against its own goals', () => {
  const rows = judge(
    [
      idle('rfo', 4, [
        ['kubelet', 400],
        ['rfo', 99],
      ]),
      idle('bare', 3.8, [['kubelet', 480]]),
      idle('separate', 3.8, [['kubelet', 600]]),
    ],
    ['idle'],
  );
  assert.deepEqual(
    rows.map(({ what, verdict, summaries }) => [what, summaries.rfo?.median, verdict]),
    [
      ['idle: memory of everything', 499, 'met'],
      ['idle: memory of rfo', 99, 'met'],
      ['idle: of it anonymous', 49.5, 'met'],
      ['idle: CPU in a minute', 4, 'met'],
    ],
  );
  assert.equal(rows[0]?.ratios.separate, 499 / 600);
  assert.equal(judge([idle('rfo', 4.2, []), idle('bare', 3.8, [])], ['idle'])[3]?.verdict, 'not met');
});

test('the table shows median and range of each side, the ratios, the goal and the verdict', () => {
  const table = renderRows(judge([cold('rfo', 3), cold('bare', 3), cold('bare', 3.2), cold('bare', 2.9)], ['cold'])).split('\n');
  assert.match(table[0] ?? '', /^what +rfo +bare +rfo\/bare +goal$/);
  assert.match(table[1] ?? '', /^start: \/readyz +3\.00 s \(3\.00–3\.00\) +3\.00 s \(2\.90–3\.20\) +1\.00 +≤ 1\.10 × bare +met$/);
});
