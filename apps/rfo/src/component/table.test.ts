import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderTable } from './table.ts';

test('the table shows how long each component waited and took, in the order in which they became ready', () => {
  const rows = [
    { name: 'kube-apiserver', state: 'ready', restarts: 0, times: { created: 1000, needsReady: 1312, ready: 3450, how: 'started' } },
    { name: 'etcd', state: 'ready', restarts: 2, times: { created: 1000, needsReady: 1004, ready: 1312, how: 'adopted' } },
    { name: 'images', state: 'ready', restarts: 1, times: { created: 1000, needsReady: 1000, ready: 13_450, how: 'task' } },
    { name: 'kubelet', state: 'restarting', restarts: 3, times: { created: 1000, needsReady: 3450 } },
    { name: 'network', state: 'waiting', restarts: 0, times: { created: 1000 } },
  ] as const;
  assert.equal(
    renderTable(rows),
    [
      'component       waited     took  ready at  how',
      'etcd            0.00 s   0.31 s    0.31 s  adopted, 2 restarts',
      'kube-apiserver  0.31 s   2.14 s    2.45 s  started',
      'images          0.00 s  12.45 s   12.45 s  task, 1 restart',
      'kubelet         2.45 s        -         -  restarting, 3 restarts',
      'network              -        -         -  waiting',
    ].join('\n'),
  );
});
