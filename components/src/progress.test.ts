import assert from 'node:assert/strict';
import { test } from 'node:test';
import { advance, type BuildEvent, noProgress, renderEvent, renderProgress } from './progress.ts';
import { openReport } from './report.ts';

const events: readonly (readonly [number, BuildEvent])[] = [
  [0, { type: 'planned', current: ['runc'], stale: ['kubernetes', 'etcd', 'helm'] }],
  [0, { type: 'started', name: 'kubernetes' }],
  [1_000, { type: 'started', name: 'etcd' }],
  [1_000, { type: 'step', name: 'etcd', text: 'fetching modules' }],
  [2_000, { type: 'step', name: 'kubernetes', text: 'building kubernetes' }],
  [72_000, { type: 'compiled', name: 'kubernetes', packages: 812, expected: 1460 }],
];
const state = events.reduce((before, [time, event]) => advance(before, event, time), noProgress);

test('the live lines tell part, elapsed time, how far it is, and what remains', () => {
  assert.deepEqual(renderProgress(state, 72_000, 100), [
    '  kubernetes  1 m 12 s  building kubernetes, 812 of 1460 packages',
    '  etcd        1 m 11 s  fetching modules',
    '  1 of 4 parts are ready, then helm',
  ]);
});

test('a part that is built leaves the live lines and counts as ready', () => {
  const later = advance(state, { type: 'built', name: 'kubernetes', seconds: 72, bytes: 139_186_338 }, 72_000);
  assert.deepEqual(renderProgress(later, 73_000, 100), ['  etcd  1 m 12 s  fetching modules', '  2 of 4 parts are ready, then helm']);
  const last = advance(later, { type: 'failed', name: 'etcd' }, 73_000);
  assert.deepEqual(renderProgress(last, 73_000, 100), []);
});

test('no live line is wider than the terminal', () => {
  assert.deepEqual(renderProgress(state, 72_000, 20), ['  kubernetes  1 m 1…', '  etcd        1 m 1…', '  1 of 4 parts are …']);
});

test('the lines that stay are those of a plain log', () => {
  const lines = (...list: readonly BuildEvent[]): (string | undefined)[] => list.map(renderEvent);
  assert.deepEqual(
    lines(
      { type: 'planned', current: ['runc'], stale: ['etcd', 'helm'] },
      { type: 'planned', current: ['runc'], stale: [] },
      { type: 'started', name: 'etcd' },
      { type: 'compiled', name: 'etcd', packages: 1, expected: 2 },
      { type: 'built', name: 'etcd', seconds: 24.4, bytes: 62_900_000 },
      { type: 'failed', name: 'helm' },
      { type: 'bundled', id: '7773da2b', path: '/r/.cache/dist', changed: true },
      { type: 'bundled', id: '7773da2b', path: '/r/.cache/dist', changed: false },
    ),
    [
      'building etcd, helm (1 parts are up to date)',
      undefined,
      'etcd: building',
      undefined,
      'etcd: built in 24 s, 62.9 MB',
      'helm: failed',
      'bundle 7773da2b is ready in /r/.cache/dist',
      undefined,
    ],
  );
});

test('a terminal shows finished lines above live ones, and is left clean', () => {
  const written: string[] = [];
  const screen = { isTTY: true, columns: 60, write: (text: string) => written.push(text) };
  {
    using open = openReport(screen, () => 0);
    open.report({ type: 'planned', current: [], stale: ['etcd', 'helm'] });
    open.report({ type: 'started', name: 'etcd' });
    open.report({ type: 'started', name: 'helm' });
    open.report({ type: 'built', name: 'etcd', seconds: 3, bytes: 1e6 });
  }
  assert.deepEqual(written, [
    'building etcd, helm\n',
    'etcd: built in 3 s, 1.0 MB\n  helm       0 s  starting\n  1 of 2 parts are ready\n',
    '\x1b[2A\x1b[J',
  ]);
});

test('without a terminal there are plain lines only', () => {
  const written: string[] = [];
  using open = openReport({ write: (text: string) => written.push(text) });
  open.report({ type: 'started', name: 'etcd' });
  open.report({ type: 'step', name: 'etcd', text: 'fetching modules' });
  assert.deepEqual(written, ['components: etcd: building\n']);
});
